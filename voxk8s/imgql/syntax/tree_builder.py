"""Builds the syntax tree while the parser runs, without a parse tree in between."""

from __future__ import annotations

from typing import Any  # lark's callbacks are not typed

from lark import Transformer

from voxk8s.imgql.syntax.syntax_tree import (
    Bracket,
    Chain,
    Command,
    Define,
    Fold,
    For,
    Group,
    Header,
    Import,
    Let,
    OutputCommand,
    Slice,
    Token,
)


class TreeBuilder(Transformer[Token, list[Command]]):
    """Makes the nodes of the tree.

    Methods are named after the grammar's alternatives and take their parts in order.
    """

    def program(self, parts: list[Any]) -> list[Command]:
        """Return the commands."""
        commands: list[Command] = parts[0] if parts else []
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

    def define(self, parts: list[Any]) -> Define:
        """Return a definition."""
        return Define(parts[1], parts[3], parts[0].start)

    def load(self, parts: list[Any]) -> Define:
        """Return the command `load name = url` as a definition."""
        keyword, header, _, value = parts
        call = Token("NAME", "load", keyword.start)
        group = Group((value,), value.start, value.end)
        return Define(header, Chain((call, group)), keyword.start)

    def output(self, parts: list[Any]) -> OutputCommand:
        """Return a goal."""
        return OutputCommand(parts[0].text, parts[1], parts[2], parts[0].start)

    def import_(self, parts: list[Any]) -> Import:
        """Return an import."""
        return Import(parts[1], parts[0].start)

    def value_header(self, parts: list[Any]) -> Header:
        """Return the header of a value."""
        return Header(parts[0], None)

    def function_header(self, parts: list[Any]) -> Header:
        """Return the header of a function."""
        return Header(parts[0], tuple(parts[2]) if len(parts) > 3 else ())

    def chain(self, parts: list[Any]) -> Chain:
        """Return an expression."""
        return Chain(tuple(parts[0]))

    def tail_chain(self, parts: list[Any]) -> Chain:
        """Return an expression that is a form."""
        return Chain((parts[0],))

    def extended_chain(self, parts: list[Any]) -> Chain:
        """Return an expression that ends in a form."""
        return Chain((*parts[0], parts[1]))

    def let(self, parts: list[Any]) -> Let:
        """Return a local definition."""
        return Let(parts[1], parts[3], parts[5], parts[0].start, parts[5].end)

    def for_(self, parts: list[Any]) -> For:
        """Return a loop."""
        return For(parts[1], parts[3], parts[5], parts[0].start, parts[5].end)

    def fold(self, parts: list[Any]) -> Fold:
        """Return a fold."""
        return Fold(parts[1].items, parts[0].start, parts[1].end)

    def fold_loop(self, parts: list[Any]) -> Fold:
        """Return a fold over a loop."""
        return Fold((*parts[1], parts[2]), parts[0].start, parts[2].end)

    def empty_group(self, parts: list[Any]) -> Group:
        """Return the parentheses of a call without arguments."""
        return Group((), parts[0].start, parts[1].end, parts[0].tight)

    def group(self, parts: list[Any]) -> Group:
        """Return parentheses."""
        return Group(tuple(parts[1]), parts[0].start, parts[2].end, parts[0].tight)

    def empty_bracket(self, parts: list[Any]) -> Bracket:
        """Return an empty sequence."""
        return Bracket((), parts[0].start, parts[1].end, parts[0].tight)

    def bracket(self, parts: list[Any]) -> Bracket:
        """Return brackets."""
        return Bracket(tuple(parts[1]), parts[0].start, parts[2].end, parts[0].tight)

    def slice_all(self, parts: list[Any]) -> Slice:
        """Return a slice without ends."""
        return Slice(None, None, parts[0].start, parts[-1].end, parts[0].tight)

    def slice_to(self, parts: list[Any]) -> Slice:
        """Return a slice without a start."""
        return Slice(None, parts[2], parts[0].start, parts[-1].end, parts[0].tight)

    def slice_from(self, parts: list[Any]) -> Slice:
        """Return a slice without an end."""
        return Slice(parts[1], None, parts[0].start, parts[-1].end, parts[0].tight)

    def slice(self, parts: list[Any]) -> Slice:
        """Return a slice."""
        return Slice(parts[1], parts[3], parts[0].start, parts[-1].end, parts[0].tight)
