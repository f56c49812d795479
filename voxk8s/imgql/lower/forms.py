"""Lowers the forms that bind names or apply functions: `for`, `let … in`, `fold` and `map`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from voxk8s.imgql.lower.calls import MINUS, CallLowering, LoweringAborted
from voxk8s.imgql.lower.ir import Constant, Fold, Function, Map, Unknown
from voxk8s.imgql.lower.name_lookup import NameLookup
from voxk8s.imgql.lower.scopes import Local, Scope
from voxk8s.imgql.syntax import syntax_tree
from voxk8s.imgql.syntax.syntax_tree import Bracket, Chain, For, Group, Item, Let, Slice, Token
from voxk8s.imgql.trampoline import Trampolined

LowerChain: TypeAlias = Callable[[Scope, Chain], Trampolined[int]]
"""Adds the instructions of an expression to a scope and gives the place of its value."""

MAPS: Final = ("map", "default.map")
SIGNS: Final = ("OP", "EQUAL")
_NEUTRAL: Final = {"+": 0.0, "-": 0.0, "*": 1.0, "&&": True, "||": False}
"""First values of a fold that names none."""


class Forms:
    """Adds the instructions of forms; expressions inside of them are lowered by `chain`."""

    def __init__(self, chain: LowerChain, lookup: NameLookup, calls: CallLowering) -> None:
        self._chain = chain
        self._lookup = lookup
        self._calls = calls

    def scope(
        self, function: Function, order: int, parameters: tuple[Token, ...], parent: Scope | None
    ) -> Scope:
        """Make the scope of a body; a parameter that is there twice is reported."""
        seen = set()
        for token in parameters:
            if token.text in seen:
                message = f"the parameter `{token.text}` is there twice"
                self._calls.error(function, token, message)
            seen.add(token.text)
        return Scope(function, order, parameters, parent)

    def loop(self, scope: Scope, item: For) -> Trampolined[int]:
        """Lower `for x in xs do e`."""
        sequence = yield self._chain(scope, item.sequence)
        function = Function("", scope.function.source, item.start, item.variable.end, 1)
        inner = self.scope(function, scope.order, (item.variable,), scope)
        function.result = yield self._chain(inner, item.body)
        captured = tuple(inner.captured)
        return scope.add(Map(function, sequence, captured, item.start, item.end))

    def local(self, scope: Scope, item: Let) -> Trampolined[int]:
        """Lower `let x = e in body` and `let f(a) = e in body`."""
        name = item.header.name
        binding: int | Local
        if not item.header.parameters:
            binding = yield self._chain(scope, item.value)
        else:
            parameters = item.header.parameters
            arity = len(parameters)
            function = Function(name.text, scope.function.source, name.start, name.end, arity)
            inner = self.scope(function, scope.order, parameters, scope)
            function.result = yield self._chain(inner, item.value)
            binding = Local(function, arity, tuple(inner.captured))
        with scope.bound(name.text, binding):
            value: int = yield self._chain(scope, item.body)
        return value

    def map(self, scope: Scope, token: Token, group: Group) -> Trampolined[int]:
        """Lower `map(f, xs)`, the same as `for x in xs do f(x)`."""
        named = group.items[0].items if len(group.items) == 2 else ()
        if len(named) != 1 or not isinstance(named[0], Token) or named[0].type != "NAME":
            self._calls.error(
                scope.function,
                token,
                f"`{token.text}` needs the name of a function and a sequence",
                "for example: map(f, xs); or write: for x in xs do …",
            )
            raise LoweringAborted
        sequence = yield self._chain(scope, group.items[1])
        applied = self._function(scope, named[0], 1, token.text)
        if applied is None:
            return scope.add(Unknown(token.start, token.end))
        function, captured = applied
        return scope.add(Map(function, sequence, captured, token.start, group.end))

    def fold(self, scope: Scope, item: syntax_tree.Fold) -> Trampolined[int]:
        """Lower `fold OP init xs`: init is one word, a call written tightly, or in parentheses."""
        items = item.items
        operator = items[0]
        if not isinstance(operator, Token) or operator.type not in (*SIGNS, "NAME"):
            message = "expected an operator or a function behind fold"
            self._calls.error(scope.function, operator, message)
            raise LoweringAborted
        index = _behind_first(items)
        initial: int
        if index < len(items):
            initial = yield self._chain(scope, Chain(items[1:index]))
        elif operator.text in _NEUTRAL and not _is_literal(items[1:]):
            index = 1
            neutral = _NEUTRAL[operator.text]
            initial = scope.add(Constant(neutral, operator.start, operator.end))
        else:
            self._calls.error(
                scope.function,
                item,
                "fold needs an operator, a first value and a sequence",
                "for example: fold + 0 xs",
            )
            raise LoweringAborted
        sequence = yield self._chain(scope, Chain(items[index:]))
        applied = self._function(scope, operator, 2, "fold")
        if applied is None:
            return scope.add(Unknown(operator.start, operator.end))
        function, captured = applied
        return scope.add(Fold(function, initial, sequence, captured, item.start, item.end))

    def _function(
        self, scope: Scope, named: Token, arity: int, form: str
    ) -> tuple[Function, tuple[int, ...]] | None:
        """Give a named function with what it captures, None for what is none of this arity."""
        resolved = self._lookup.find(scope, named, arity)
        if resolved.unknown:
            return None
        if not resolved.accepts(arity) or resolved.index is not None:
            number = "one argument" if arity == 1 else "two arguments"
            self._calls.error(
                scope.function,
                named,
                f"{form} needs a function of {number}, and `{named.text}` {resolved.takes()}",
            )
            return None
        return self._calls.function(scope, resolved, arity)


def _behind_first(items: Sequence[Item]) -> int:
    """Give the place behind the first value of a fold, which stands behind its operator."""
    index = 1
    if _is_minus(items, index) and index + 1 < len(items):
        index += 1
    index += 1
    while index < len(items) and _is_tight(items[index]) and _takes(items[index - 1]):
        index += 1
    return index


def _is_minus(items: Sequence[Item], index: int) -> bool:
    item = items[index] if index < len(items) else None
    return isinstance(item, Token) and item.type == "OP" and item.text == MINUS


def _is_literal(items: Sequence[Item]) -> bool:
    """Tell whether it is one word that is no sequence."""
    return all(isinstance(item, Token) and item.type != "NAME" for item in items)


def _is_tight(item: Item) -> bool:
    return isinstance(item, Group | Bracket | Slice) and item.tight


def _takes(item: Item) -> bool:
    """Tell whether it is what an index or the arguments of a call may follow."""
    return not isinstance(item, Token) or item.type in ("NAME", "STRING")
