"""Step 3: the intermediate representation is interpreted; what remains is the plan."""
