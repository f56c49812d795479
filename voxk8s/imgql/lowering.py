"""From syntax to instructions: chains are grouped, names looked up, arities checked."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from voxk8s.imgql import syntax
from voxk8s.imgql.application import MINUS, Abandon, Application
from voxk8s.imgql.code import Constant, Fold, Function, Map, Unknown
from voxk8s.imgql.diagnostics import Report
from voxk8s.imgql.meaning import Lookup, Meaning
from voxk8s.imgql.names import Names
from voxk8s.imgql.scopes import Local, Scope
from voxk8s.imgql.syntax import (
    Bracket,
    Chain,
    For,
    Group,
    Item,
    Let,
    Slice,
    Token,
    string_value,
)
from voxk8s.imgql.trampoline import Steps, run

_SIGNS = ("OP", "EQUAL")
_LITERALS = ("NUMBER", "STRING", "TRUE", "FALSE")


class Lowering:
    """Makes functions of the definitions of one program."""

    def __init__(self, names: Names, report: Report) -> None:
        self._names = names
        self._report = report
        self._lookup = Lookup(names, report)
        self._application = Application(names, report)

    def body(
        self, function: Function, order: int, parameters: tuple[Token, ...], value: Chain
    ) -> None:
        """Fill in a definition's body."""
        scope = self._scope(function, order, parameters, None)
        try:
            function.result = run(self._chain(scope, value))
        except Abandon:
            function.result = scope.add(Unknown(value.start, value.end))

    def _scope(
        self, function: Function, order: int, parameters: tuple[Token, ...], parent: Scope | None
    ) -> Scope:
        seen = set()
        for token in parameters:
            if token.text in seen:
                self._error(function, token, f"the parameter `{token.text}` is there twice")
            seen.add(token.text)
        return Scope(function, order, parameters, parent)

    def _error(self, function: Function, item: Item, message: str, *hints: str) -> None:
        self._report.error(function.source, item.start, item.end, message, *hints)

    # --- chains -------------------------------------------------------------------------------

    def _chain(self, scope: Scope, chain: Chain) -> Steps[int]:
        """Lower an expression: operands from the left, then operators from the right."""
        items = self._lookup.split_signs(scope, chain.items)
        operands: list[int] = []
        operators: list[Meaning] = []
        place = 0
        while True:
            value = self._word(scope, items, place)
            if value is None:
                value, place = yield self._operand(scope, items, place)
            else:
                place += 1
            operands.append(value)
            if place == len(items):
                break
            operators.append(self._infix(scope, items, place))
            place += 1
        self._application.warn_mixed(scope, operators)
        result = operands.pop()
        while operators:
            result = self._application.apply(scope, operators.pop(), (operands.pop(), result))
        return result

    def _chains(self, scope: Scope, chains: Sequence[Chain]) -> Steps[tuple[int, ...]]:
        places = []
        for each in chains:
            place = yield self._chain(scope, each)
            places.append(place)
        return tuple(places)

    def _infix(self, scope: Scope, items: Sequence[Item], place: int) -> Meaning:
        item = items[place]
        if isinstance(item, Token) and item.type in (*_SIGNS, "NAME"):
            meaning = self._lookup.find(scope, item, 2)
            if meaning.unknown or meaning.joins:
                return meaning
        self._error(
            scope.function,
            item,
            "expected an operator between two expressions",
            "a function of one argument may stand before its argument; a new definition begins"
            " with `let`",
        )
        raise Abandon

    def _word(self, scope: Scope, items: Sequence[Item], place: int) -> int | None:
        """Lower an operand of one word, as most are; None if it may be more than that."""
        item = items[place] if place < len(items) else None
        if not isinstance(item, Token) or item.type in _SIGNS:
            return None
        following = items[place + 1] if place + 1 < len(items) else None
        if following is not None and not (
            isinstance(following, Token) and following.type in _SIGNS
        ):
            return None
        if item.type in _LITERALS:
            return self._literal(scope, item)
        meaning = self._lookup.find(scope, item)
        return self._application.apply(scope, meaning, ()) if meaning.is_value else None

    def _operand(self, scope: Scope, items: Sequence[Item], place: int) -> Steps[tuple[int, int]]:
        """Lower one operand with what stands before and behind it; give the next place too."""
        prefixes: list[Meaning] = []
        while True:
            if place == len(items):
                last = items[-1]
                self._error(scope.function, last, f"`{_text(last)}` needs an operand behind it")
                raise Abandon
            item = items[place]
            following = items[place + 1] if place + 1 < len(items) else None
            if not isinstance(item, Token) or item.type in _LITERALS:
                value = yield self._plain(scope, item)
                place += 1
                break
            if isinstance(following, Group) and (item.type == "NAME" or len(following.items) != 1):
                value = yield self._call(scope, item, following)
                place += 2
                break
            if item.type in _SIGNS:
                prefixes.append(self._lookup.prefix(scope, item))
            else:
                meaning = self._lookup.find(scope, item)
                if not self._stands_before(scope, meaning, following):
                    value = self._application.apply(scope, meaning, ())
                    place += 1
                    break
                prefixes.append(meaning)
            place += 1
        while place < len(items) and isinstance(items[place], Bracket | Slice):
            value = yield self._element(scope, value, items[place])
            place += 1
        while prefixes:
            value = self._application.prefix(scope, prefixes.pop(), value)
        return value, place

    def _stands_before(self, scope: Scope, meaning: Meaning, following: Item | None) -> bool:
        """Tell whether a name is applied to the operand that follows it without parentheses."""
        if following is None or not (meaning.unknown or meaning.accepts(1)):
            return False
        if isinstance(following, Slice):
            return False
        optional = meaning.unknown or meaning.accepts(0)
        if isinstance(following, Bracket):
            return not (optional and following.tight)
        if isinstance(following, Token) and following.type in _SIGNS:
            return not optional
        if isinstance(following, Token) and following.type == "NAME" and optional:
            other = self._lookup.find(scope, following)
            return not (other.accepts(2) and not other.accepts(0) and not other.accepts(1))
        return True

    # --- operands -----------------------------------------------------------------------------

    def _plain(self, scope: Scope, item: Item) -> Steps[int]:
        """Lower an operand that is no name."""
        value: int
        if isinstance(item, Token):
            return self._literal(scope, item)
        if isinstance(item, Group):
            if len(item.items) != 1:
                self._error(scope.function, item, "expected one expression in these parentheses")
                raise Abandon
            value = yield self._chain(scope, item.items[0])
            return value
        if isinstance(item, Bracket):
            places = yield self._chains(scope, item.items)
            return self._application.kernel(scope, "default.sequence", places, item)
        if isinstance(item, Slice):
            self._error(scope.function, item, "a slice stands behind a sequence: `xs[a:b]`")
            raise Abandon
        if isinstance(item, For):
            value = yield self._loop(scope, item)
        elif isinstance(item, Let):
            value = yield self._local(scope, item)
        else:
            value = yield self._fold(scope, item)
        return value

    def _literal(self, scope: Scope, token: Token) -> int:
        if token.type == "STRING":
            return scope.add(Constant(string_value(token), token.start, token.end))
        if token.type != "NUMBER":
            return scope.add(Constant(token.type == "TRUE", token.start, token.end))
        value = float(token.text)
        if not isfinite(value):
            self._error(scope.function, token, "this number is too large")
            value = 0.0
        return scope.add(Constant(value, token.start, token.end))

    def _call(self, scope: Scope, token: Token, group: Group) -> Steps[int]:
        meaning = self._lookup.find(scope, token, len(group.items))
        places = yield self._chains(scope, group.items)
        return self._application.apply(scope, meaning, places, end=group.end)

    def _element(self, scope: Scope, value: int, item: Item) -> Steps[int]:
        """Lower an index or a slice; `value` is the sequence."""
        if isinstance(item, Bracket):
            if len(item.items) != 1:
                self._error(scope.function, item, "expected one index in these brackets")
                raise Abandon
            position = yield self._chain(scope, item.items[0])
            return self._application.kernel(scope, "default.index", (value, position), item)
        assert isinstance(item, Slice)  # noqa: S101 - the caller looked
        first: int
        if item.first is None:
            first = scope.add(Constant(0.0, item.start, item.end))
        else:
            first = yield self._chain(scope, item.first)
        if item.last is None:
            self._error(
                scope.function,
                item,
                "a slice needs its end",
                "write `xs[a:b]`; b is left out of it",
            )
            raise Abandon
        last = yield self._chain(scope, item.last)
        one, other = (scope.function.instructions[each] for each in (first, last))
        if (
            isinstance(one, Constant)
            and isinstance(other, Constant)
            and isinstance(one.value, float)
            and isinstance(other.value, float)
        ):
            count = scope.add(Constant(other.value - one.value, item.start, item.end))
        else:
            count = self._application.kernel(scope, "default.subtraction", (last, first), item)
        return self._application.kernel(scope, "default.subsequence", (value, first, count), item)

    # --- forms that bind names ------------------------------------------------------------------

    def _loop(self, scope: Scope, item: For) -> Steps[int]:
        sequence = yield self._chain(scope, item.sequence)
        function = Function("", scope.function.source, item.start, item.variable.end, 1)
        inner = self._scope(function, scope.order, (item.variable,), scope)
        function.result = yield self._chain(inner, item.body)
        captured = tuple(inner.captured)
        return scope.add(Map(function, sequence, captured, item.start, item.end))

    def _local(self, scope: Scope, item: Let) -> Steps[int]:
        name = item.header.name
        binding: int | Local
        if not item.header.parameters:
            binding = yield self._chain(scope, item.value)
        else:
            parameters = item.header.parameters
            arity = len(parameters)
            function = Function(name.text, scope.function.source, name.start, name.end, arity)
            inner = self._scope(function, scope.order, parameters, scope)
            function.result = yield self._chain(inner, item.value)
            binding = Local(function, arity, tuple(inner.captured))
        with scope.bound(name.text, binding):
            value: int = yield self._chain(scope, item.body)
        return value

    def _fold(self, scope: Scope, item: syntax.Fold) -> Steps[int]:
        """Lower `fold OP init xs`: init is one word, a call written tightly, or in parentheses."""
        items = item.items
        operator = items[0]
        if not isinstance(operator, Token) or operator.type not in (*_SIGNS, "NAME"):
            self._error(scope.function, operator, "expected an operator or a function behind fold")
            raise Abandon
        place = 1
        if _is_minus(items, place) and place + 1 < len(items):
            place += 1
        place += 1
        while place < len(items) and _is_tight(items[place]) and _takes(items[place - 1]):
            place += 1
        if place >= len(items):
            self._error(
                scope.function,
                item,
                "fold needs an operator, a first value and a sequence",
                "for example: fold + 0 xs",
            )
            raise Abandon
        initial = yield self._chain(scope, Chain(items[1:place]))
        sequence = yield self._chain(scope, Chain(items[place:]))
        meaning = self._lookup.find(scope, operator, 2)
        if meaning.unknown:
            return scope.add(Unknown(operator.start, operator.end))
        if not meaning.accepts(2) or meaning.place is not None:
            self._error(
                scope.function,
                operator,
                f"fold needs a function of two arguments, and `{operator.text}` {meaning.takes()}",
            )
            return scope.add(Unknown(operator.start, operator.end))
        function, captured = self._application.two_arguments(scope, meaning)
        return scope.add(Fold(function, initial, sequence, captured, item.start, item.end))


def _is_minus(items: Sequence[Item], place: int) -> bool:
    item = items[place] if place < len(items) else None
    return isinstance(item, Token) and item.type == "OP" and item.text == MINUS


def _is_tight(item: Item) -> bool:
    return isinstance(item, Group | Bracket | Slice) and item.tight


def _takes(item: Item) -> bool:
    """Tell whether it is what an index or the arguments of a call may follow."""
    return not isinstance(item, Token) or item.type in ("NAME", "STRING")


def _text(item: Item) -> str:
    return item.text if isinstance(item, Token) else "…"
