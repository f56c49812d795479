"""Runs the LALR tables that lark makes of the grammar.

lark's own loop finds rules by their content, which takes most of the time of a large program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias, cast

from lark import Lark
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Shift

from voxk8s.imgql.syntax import grammar
from voxk8s.imgql.syntax.syntax_tree import Chain, Command, Header, Item, Token
from voxk8s.imgql.syntax.tree_builder import TreeBuilder

Part: TypeAlias = Token | Header | Chain | Item | Command | list["Part"]
"""What the rules of the grammar make."""

_START = "program"


class Refused(Exception):
    """The word at `place` is none of those `expected`; `made` are the parts up to it."""

    def __init__(self, index: int, expected: frozenset[str], made: list[Part]) -> None:
        super().__init__(index)
        self.index = index
        self.expected = expected
        self.made = made


class _Rule(NamedTuple):
    """So many parts become one, of the kind `origin`."""

    size: int
    make: Callable[[list[Part]], Part]
    origin: str


class Automaton:
    """In each state a word or part leads to another state, or says that a rule is complete."""

    def __init__(self) -> None:
        built = Lark(
            grammar.RULES,
            parser="lalr",
            lexer=_NoLexer,
            start=_START,
            transformer=TreeBuilder(),
            maybe_placeholders=False,
        ).parser.parser.parser
        table = built.parse_table
        self._first: int = table.start_states[_START]
        self._last: int = table.end_states[_START]
        self._ways: dict[int, dict[str, int]] = {}
        self._rules: dict[int, dict[str, _Rule]] = {}
        for state, row in table.states.items():
            ways, rules = self._ways[state], self._rules[state] = {}, {}
            for word, (action, argument) in row.items():
                if action is Shift:
                    ways[str(word)] = argument
                else:
                    make = built.callbacks[argument]
                    rules[str(word)] = _Rule(
                        len(argument.expansion), make, str(argument.origin.name)
                    )

    def run(self, tokens: Sequence[Token], begin: int) -> list[Command]:
        """Give the commands from a word on; the last word must be `$END`. Raises Refused."""
        every_way, every_rule, last = self._ways, self._rules, self._last
        state = self._first
        path = [state]
        made: list[Part] = []
        for index in range(begin, len(tokens)):
            token = tokens[index]
            kind = token.type
            while kind not in every_way[state]:
                rule = every_rule[state].get(kind)
                if rule is None:
                    expected = [*every_way[state], *every_rule[state]]
                    raise Refused(index, frozenset(filter(str.isupper, expected)), made)
                size, make, origin = rule
                if size:
                    parts = made[-size:]
                    del made[-size:], path[-size:]
                    made.append(make(parts))
                else:
                    made.append(make([]))
                state = every_way[path[-1]][origin]
                path.append(state)
                if state == last and kind == "$END":
                    return cast("list[Command]", made[-1])
            state = every_way[state][kind]
            path.append(state)
            made.append(token)
        raise AssertionError("the last word is $END")


class _NoLexer(Lexer):
    """Words come from `lexer`, where a word's kind may depend on what surrounds it."""

    def __init__(self, *_: object) -> None:
        pass

    def lex(self, *_: object) -> Iterator[object]:  # type: ignore[override] # never called
        """Give nothing."""
        return iter(())


@cache
def automaton() -> Automaton:
    """Make the automaton of the grammar, once."""
    return Automaton()
