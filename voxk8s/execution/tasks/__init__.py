"""From operations to tasks: the pure part of scheduling.

`planning` selects what the goals need, `fusion` decides which operations share a task, `task`
builds the task specs, `scheduling` has the interface of scheduling policies.
"""
