"""Runs a plan: resolve, schedule, compile to Dask, retry, deliver."""
