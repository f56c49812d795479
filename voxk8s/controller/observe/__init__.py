"""Step 1: informers mirror WorkPlans and their children; `observe` joins them into one `Observed`.

`informer` follows one kind, `cluster_state` all of them; `parse_views`, `pod_problems` and
`workplan_codec` reduce each object to what decisions need of it.
"""
