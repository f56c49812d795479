"""What runs inside a task, in a worker process.

`run_task` runs the steps of a task with retries, `normalize` gives their values one form,
`store_result` stores and reports them, with `shared_work` one of several runs computes what all of
them need, `task_context` is the state of a task, `runtime` that of the process.
"""
