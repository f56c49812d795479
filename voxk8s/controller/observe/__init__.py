"""Step 1: what the cluster holds of a WorkPlan, as one `Observed` value."""
