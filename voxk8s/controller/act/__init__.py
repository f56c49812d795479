"""Step 3: carries the decided actions out.

`action_executor` dispatches them, `children` creates and deletes the run's objects,
`event_recorder` emits events; `orphans` cleans up what the dask operator leaves behind.
"""
