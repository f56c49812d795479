"""Faults at random moments of runs on a real cluster, repeatable from a seed (`make chaos`)."""
