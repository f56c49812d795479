"""The grammar of ImgQL: tokens as regular expressions, syntax as lark rules.

The grammar is flat on purpose. Operators have no precedence and any definition may become one, so
an expression is a chain of items, which `lower/expressions.py` groups once names are resolved. This
keeps the grammar LALR(1): parsing takes linear time and no recursion.
"""

from __future__ import annotations

import re
from typing import Final

SIGNS: Final = r"#;:_'|!$%&/^=*\-+<>?@~\\."
"""Characters of operators, for a character class."""
WORD: Final = r"[^\W\d]\w*+"
"""Possessive, like most repetitions here: `_` is both a letter and a sign of operators, so that the
time to find out that a long row of them is neither would be quadratic."""
NAME: Final = rf"{WORD}(?:\.{WORD})*+"
NUMBER: Final = r"(?:\d+(?:\.(?:\d+|(?=[\s),\]]|\Z)))?|\.\d+)(?:[eE][+-]?\d+)?"
"""`3`, `3.5`, `.5`; `3.` before white space, `,`, `)` or `]`; else an operator begins at `.`."""
STRING: Final = r'"(?:\\.|[^"\\\n])*+"'
OPERATOR_SIGN: Final = rf"(?:(?!//)[{SIGNS}])"
OPERATOR: Final = rf"{OPERATOR_SIGN}++"
SKIPPED: Final = r"(?:[ \t\r\n\f\v\u00a0]++|//[^\n]*+)*+"
"""White space and comments; possessive, since a prefix of a comment is not a comment."""

KEYWORDS: Final = {
    "let": "LET",
    "in": "IN",
    "for": "FOR",
    "do": "DO",
    "fold": "FOLD",
    "filter": "FILTER",
    "expect": "EXPECT",
    "within": "WITHIN",
    "if": "IF",
    "then": "THEN",
    "else": "ELSE",
    "import": "IMPORT",
    "print": "PRINT",
    "save": "SAVE",
    "true": "TRUE",
    "false": "FALSE",
}

_AFTER_EQUAL: Final = r"(?=//|(?![#;:_'|%&/^=*+<>?@~\\]|\$(?![^\W\d])))"
"""What may follow the `=` of a definition: `a =-3`, `a =!b`, `a =$P` and `a =// b` define a."""

_BLANK: Final = r"[ \t\r\f\v\u00a0]"
_PARAMETERS: Final = rf"\({_BLANK}*+{WORD}{_BLANK}*+(?:,{_BLANK}*+{WORD}{_BLANK}*+)*+\){_BLANK}*+"
BARE: Final = re.compile(
    rf"(?:{NAME}{_BLANK}*+|(?:{NAME})?{OPERATOR}{_BLANK}*+(?=\())(?:{_PARAMETERS})?={_AFTER_EQUAL}"
)
"""At the start of a line: a definition without `let`; that of an operator needs parameters."""
EXPECT: Final = re.compile(rf"expect{SKIPPED}\"")
"""The beginning of the command; elsewhere `expect` is a name."""
FILTER: Final = re.compile(rf"filter{SKIPPED}{WORD}{SKIPPED}in\b")
"""The beginning of the form; elsewhere `filter` is a name."""

_WORDS: Final = "if|then|else|in|print"
_OWN: Final = re.compile(
    rf"\b(?:let|load|for)\s++({_WORDS})\b|^{_BLANK}*+({_WORDS}){_BLANK}*+(?:{_PARAMETERS})?=(?!=)"
    rf"|[(,]\s*+({_WORDS})\s*+(?=[,)])",
    re.MULTILINE,
)
PRINTS: Final = re.compile(rf"print{SKIPPED}\(")
"""A call of `print`, in a program that defines it."""
LOAD: Final = re.compile(rf"load{SKIPPED}{WORD}{SKIPPED}={_AFTER_EQUAL}")
"""The command `load name = …`; elsewhere `load` is the name of a kernel."""
SUFFIXED: Final = re.compile(
    rf"\blet\s++({WORD}[#;:'|!$%&/^*\-+<>?@~\\]++)\s*+=(?!=)"
    rf"|\blet\s++({WORD}{OPERATOR})\s*+\(\s*+{WORD}\s*+(?:,\s*+{WORD}\s*+)*+\)\s*+=(?!=)"
    rf"|^{_BLANK}*+({WORD}{OPERATOR}){_BLANK}*+{_PARAMETERS}=(?!=)",
    re.MULTILINE,
)
"""Definitions of names that end in operator signs, such as `B+`."""

RULES: Final = r"""
program: commands?
commands: command                    -> first
        | commands command           -> add

?command: LET header EQUAL chain     -> define
        | BARE header EQUAL chain    -> define
        | LOAD header EQUAL chain    -> load
        | PRINT STRING chain         -> output
        | SAVE STRING chain          -> output
        | IMPORT STRING              -> import_
        | EXPECT STRING literal      -> expect
        | EXPECT STRING literal WITHIN NUMBER -> expect

header: name                         -> value_header
      | name LPAR RPAR               -> function_header
      | name LPAR parameters RPAR    -> function_header
?name: NAME | OP | EQUAL
parameters: NAME                     -> first
          | parameters COMMA NAME    -> more

literal: NUMBER | OP NUMBER | STRING | TRUE | FALSE

chain: complete                      -> chain
     | tail                          -> tail_chain
     | open tail                     -> extended_chain
complete: (NAME | NUMBER | STRING | TRUE | FALSE | group | bracket)          -> first
        | complete (NAME | NUMBER | STRING | TRUE | FALSE | group | bracket) -> add
        | open (NAME | NUMBER | STRING | TRUE | FALSE | group | bracket)     -> add
open: (OP | EQUAL)                   -> first
    | open (OP | EQUAL)              -> add
    | complete (OP | EQUAL)          -> add

?tail: LET header EQUAL chain IN chain -> let
     | IF chain THEN chain ELSE chain  -> if_
     | loop
?loop: FOR NAME IN chain DO chain    -> for_
     | FILTER NAME IN chain DO chain -> filter_
     | FOLD chain                    -> fold
     | FOLD complete loop            -> fold_loop

group: LPAR RPAR                     -> empty_group
     | LPAR chains RPAR              -> group
bracket: LSQ RSQ                     -> empty_bracket
       | LSQ chains RSQ              -> bracket
       | LSQ COLON RSQ               -> slice_all
       | LSQ COLON chain RSQ         -> slice_to
       | LSQ chain COLON RSQ         -> slice_from
       | LSQ chain COLON chain RSQ   -> slice
chains: chain                        -> first
      | chains COMMA chain           -> more

%declare LET IN FOR DO FOLD FILTER IF THEN ELSE EXPECT WITHIN IMPORT PRINT SAVE LOAD BARE TRUE FALSE
%declare NAME OP EQUAL NUMBER STRING LPAR RPAR LSQ RSQ COMMA COLON
"""

COMMANDS: Final = frozenset({"LET", "BARE", "LOAD", "PRINT", "SAVE", "IMPORT", "EXPECT"})
OPERANDS: Final = frozenset({"NAME", "NUMBER", "STRING", "TRUE", "FALSE", "LPAR", "LSQ"})
OPERAND_ENDS: Final = frozenset({"NAME", "NUMBER", "STRING", "TRUE", "FALSE", "RPAR", "RSQ"})
"""Tokens after which an expression may end."""

SPELLING: Final = {
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQ": "`[`",
    "RSQ": "`]`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "EQUAL": "`=`",
    "IN": "`in`",
    "DO": "`do`",
    "THEN": "`then`",
    "ELSE": "`else`",
    "NAME": "a name",
    "STRING": "a string in double quotes",
    "OP": "an operator",
    "NUMBER": "a number",
    "WITHIN": "`within`",
}


def own_words(code: str) -> frozenset[str]:
    """Return the keywords that a program defines; it means these names wherever it can."""
    return frozenset(match[match.lastindex or 0] for match in _OWN.finditer(code))
