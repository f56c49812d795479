"""Executes one WorkPlan on its Dask cluster; the entry point of the runner pod."""
