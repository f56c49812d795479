"""The runner: executes the plan of one WorkPlan on its Dask cluster and reports in its status.

`__main__` reads the `runner_config` and runs `workplan_run`, which waits for the source, the store
(`store_wait`) and the scheduler (`scheduler_connection`), executes the plan, copies saved files
(`copy_outputs`) and writes the report (`run_report`). `status_reporter` collects events, with
`blocked_operations`; `publish_status` applies the `status_fields` to the WorkPlan.
"""
