"""Step 3: the intermediate representation is evaluated, and what remains is the plan.

`interpreter` runs functions over an abstract domain: `typecheck` over types, `plan_builder` over
the nodes of a plan, which `node_table` holds. `unrolling` expands sequences that are known,
`closures` makes the bodies of loops, `geometry_binding` gives geometry its images.
"""
