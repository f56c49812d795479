"""The runner: drives one run of a WorkPlan on its Dask cluster, and tells how it goes."""
