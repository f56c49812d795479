"""Step 2: a syntax tree to the intermediate representation of `ir`.

`imports` reads all files of a program, `name_lookup` resolves names: `scopes` inside functions,
`global_scope` outside, `libraries` those of this package. `expressions`, `operands` and
`call_lowering` add the instructions.
"""
