"""Rules about the life of a WorkPlan, one a module: pure functions of `Observed` and the time."""
