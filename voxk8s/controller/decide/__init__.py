"""Step 2: from an `Observed` value and the time to a list of actions. Pure.

`decide` combines `derive_phase` (where the WorkPlan is in its life), `conditions` and `status`
(what to report), `events`, and `policies` (which children to create and delete). `actions` has the
actions, `problems` what keeps children from working.
"""
