"""What to compute: plans, ids, result keys and their resolution. Pure."""
