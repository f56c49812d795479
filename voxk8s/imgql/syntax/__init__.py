"""Step 1: text to a syntax tree, its diagnostics, and the formatter."""
