"""Builds the syntax tree while the parser runs, without a parse tree in between."""

from __future__ import annotations

from typing import Any  # lark's callbacks are not typed

from lark import Transformer

from voxk8s.imgql.syntax import syntax_tree as tree


class TreeBuilder(Transformer[tree.Token, list[tree.Command]]):
    """Makes the nodes of the tree.

    Methods are named after the grammar's alternatives and take their parts in order.
    """

    def program(self, parts: list[Any]) -> list[tree.Command]:
        """Return the commands."""
        commands: list[tree.Command] = parts[0] if parts else []
        return commands

    def first(self, parts: list[Any]) -> list[Any]:
        """Return a new list."""
        return parts

    def add(self, parts: list[Any]) -> list[Any]:
        """Append to a list."""
        items: list[Any] = parts[0]
        items.append(parts[1])
        return items

    def more(self, parts: list[Any]) -> list[Any]:
        """Append to a comma-separated list."""
        items: list[Any] = parts[0]
        items.append(parts[2])
        return items

    def define(self, parts: list[Any]) -> tree.Define:
        """Return a definition."""
        return tree.Define(parts[1], parts[3], parts[0].start)

    def load(self, parts: list[Any]) -> tree.Define:
        """Return the command `load name = url` as a definition."""
        keyword, header, _, value = parts
        call = tree.Token("NAME", "load", keyword.start)
        group = tree.Group((value,), value.start, value.end)
        return tree.Define(header, tree.Chain((call, group)), keyword.start)

    def output(self, parts: list[Any]) -> tree.OutputCommand:
        """Return a goal."""
        return tree.OutputCommand(parts[0].text, parts[1], parts[2], parts[0].start)

    def import_(self, parts: list[Any]) -> tree.Import:
        """Return an import."""
        return tree.Import(parts[1], parts[0].start)

    def expect(self, parts: list[Any]) -> tree.Expect:
        """Return an expected value."""
        within = parts[4] if len(parts) > 4 else None
        return tree.Expect(parts[1], parts[2], within, parts[0].start)

    def literal(self, parts: list[Any]) -> tuple[tree.Token, ...]:
        """Return the tokens of a literal."""
        return tuple(parts)

    def value_header(self, parts: list[Any]) -> tree.Header:
        """Return the header of a value."""
        return tree.Header(parts[0], None)

    def function_header(self, parts: list[Any]) -> tree.Header:
        """Return the header of a function."""
        return tree.Header(parts[0], tuple(parts[2]) if len(parts) > 3 else ())

    def chain(self, parts: list[Any]) -> tree.Chain:
        """Return an expression."""
        return tree.Chain(tuple(parts[0]))

    def tail_chain(self, parts: list[Any]) -> tree.Chain:
        """Return an expression that is a form."""
        return tree.Chain((parts[0],))

    def extended_chain(self, parts: list[Any]) -> tree.Chain:
        """Return an expression that ends in a form."""
        return tree.Chain((*parts[0], parts[1]))

    def let(self, parts: list[Any]) -> tree.Let:
        """Return a local definition."""
        return tree.Let(parts[1], parts[3], parts[5], parts[0].start, parts[5].end)

    def for_(self, parts: list[Any]) -> tree.For:
        """Return a loop."""
        return tree.For(parts[1], parts[3], parts[5], parts[0].start, parts[5].end)

    def filter_(self, parts: list[Any]) -> tree.Filter:
        """Return a filter."""
        return tree.Filter(parts[1], parts[3], parts[5], parts[0].start, parts[5].end)

    def if_(self, parts: list[Any]) -> tree.If:
        """Return a choice."""
        return tree.If(parts[1], parts[3], parts[5], parts[0].start, parts[5].end)

    def fold(self, parts: list[Any]) -> tree.Fold:
        """Return a fold."""
        return tree.Fold(parts[1].items, parts[0].start, parts[1].end)

    def fold_loop(self, parts: list[Any]) -> tree.Fold:
        """Return a fold over a loop."""
        return tree.Fold((*parts[1], parts[2]), parts[0].start, parts[2].end)

    def empty_group(self, parts: list[Any]) -> tree.Group:
        """Return the parentheses of a call without arguments."""
        return tree.Group((), parts[0].start, parts[1].end, parts[0].tight)

    def group(self, parts: list[Any]) -> tree.Group:
        """Return parentheses."""
        return tree.Group(tuple(parts[1]), parts[0].start, parts[2].end, parts[0].tight)

    def empty_bracket(self, parts: list[Any]) -> tree.Bracket:
        """Return an empty sequence."""
        return tree.Bracket((), parts[0].start, parts[1].end, parts[0].tight)

    def bracket(self, parts: list[Any]) -> tree.Bracket:
        """Return brackets."""
        return tree.Bracket(tuple(parts[1]), parts[0].start, parts[2].end, parts[0].tight)

    def slice_all(self, parts: list[Any]) -> tree.Slice:
        """Return a slice without ends."""
        return tree.Slice(None, None, parts[0].start, parts[-1].end, parts[0].tight)

    def slice_to(self, parts: list[Any]) -> tree.Slice:
        """Return a slice without a start."""
        return tree.Slice(None, parts[2], parts[0].start, parts[-1].end, parts[0].tight)

    def slice_from(self, parts: list[Any]) -> tree.Slice:
        """Return a slice without an end."""
        return tree.Slice(parts[1], None, parts[0].start, parts[-1].end, parts[0].tight)

    def slice(self, parts: list[Any]) -> tree.Slice:
        """Return a slice."""
        return tree.Slice(parts[1], parts[3], parts[0].start, parts[-1].end, parts[0].tight)
