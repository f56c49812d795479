"""Step 2: from an `Observed` value and the time to actions. Pure."""
