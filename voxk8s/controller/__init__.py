"""The loop of the operator: observe, decide, act."""
