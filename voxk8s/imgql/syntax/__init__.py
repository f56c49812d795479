"""Step 1: the text of a program to a syntax tree.

`source_text` replaces parameters, `lexer` makes tokens, `parser` and `tree_builder` make the nodes
of `syntax_tree` by the rules of `grammar`. `diagnostics` collects errors; `syntax_errors` and
`hints` word those of the parser. `formatter` writes a program in its canonical form.
"""
