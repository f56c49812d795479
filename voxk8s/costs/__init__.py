"""How long operations take: what is recorded in the store, and what follows for a plan.

`cost_model` estimates single operations, `workload` a plan; `recorded_costs` reads what the store
has without waiting for long.
"""
