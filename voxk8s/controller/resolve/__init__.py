"""Resolution off the event loop: what the store leaves of a plan to compute.

`resolve_request` reads the plan and the credentials from the cluster, `resolver` queues the
request, `process_pool` runs it, `resolve_plan` answers it; `resolution_state` has the answers.
"""
