"""Rules about a WorkPlan's life, one a module: pure functions of what is observed and the time."""
