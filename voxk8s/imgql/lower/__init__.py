"""Step 2: a syntax tree to the intermediate representation; names and imports are resolved."""
