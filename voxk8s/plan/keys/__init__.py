"""Result keys: the key graph of a plan, and what of it has to be computed."""
