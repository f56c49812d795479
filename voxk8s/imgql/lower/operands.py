"""Lowers operands: literals, sequences, indices, slices, and the forms that bind names or loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Final, TypeAlias

from voxk8s.imgql.lower.call_lowering import MINUS, CallLowering
from voxk8s.imgql.lower.ir import Constant, Fold, Function, Map, Unknown, Write
from voxk8s.imgql.lower.name_lookup import NameLookup
from voxk8s.imgql.lower.scopes import Local, Scope
from voxk8s.imgql.syntax import syntax_tree
from voxk8s.imgql.syntax.syntax_tree import (
    Bracket,
    Chain,
    Filter,
    For,
    Group,
    If,
    Item,
    Let,
    Slice,
    Token,
    string_value,
)
from voxk8s.imgql.trampoline import Trampolined
from voxk8s.plan import sequence_kernels

LowerChain: TypeAlias = Callable[[Scope, Chain], Trampolined[int]]
"""Adds the instructions of an expression to a scope and returns the index of its value."""

LITERALS: Final = ("NUMBER", "STRING", "TRUE", "FALSE")
SIGNS: Final = ("OP", "EQUAL")
_NEUTRAL: Final = {"+": 0.0, "-": 0.0, "*": 1.0, "&&": True, "||": False}
"""Initial values of folds without one."""
WRITE_IMAGE: Final = "WriteImage"
PRINT: Final = "print_primitive"
"""The functions of SimpleITK and VoxLogicA 2 that are goals inside of an expression."""
_OUTPUTS: Final = {
    "save": (
        "an image and the name of a file",
        f'{WRITE_IMAGE}(img, "out/img.nii.gz"); a .nii.gz file is compressed',
    ),
    "print": ("a label and a value", f'{PRINT}("label", x); print "label" x is the command'),
}
"""What each kind of goal takes, and an example."""
FOLD: Final = "fold"
"""What a kernel is called that a fold is."""
_EXTREMES: Final = "vox1"
"""The namespace of `min` and `max`."""


class OperandLowering:
    """Adds the instructions of operands; `chain` lowers the expressions inside them."""

    def __init__(self, chain: LowerChain, lookup: NameLookup, calls: CallLowering) -> None:
        self._chain = chain
        self._lookup = lookup
        self._calls = calls
        self.written: list[tuple[Function, int]] = []

    def operand(self, scope: Scope, item: Item) -> Trampolined[int]:
        """Lower an operand that is not a name."""
        value: int
        if isinstance(item, Token):
            return self.literal(scope, item)
        if isinstance(item, Group):
            if len(item.items) != 1:
                raise self._calls.aborted(
                    scope.function, item, "expected one expression in these parentheses"
                )
            value = yield self._chain(scope, item.items[0])
        elif isinstance(item, Bracket):
            items = yield self.chains(scope, item.items)
            value = self._calls.kernel(scope, "default.sequence", items, item)
        elif isinstance(item, Slice):
            raise self._calls.aborted(
                scope.function, item, "expected a sequence before this slice: `xs[a:b]`"
            )
        elif isinstance(item, For):
            value = yield self._loop(scope, item)
        elif isinstance(item, Filter):
            value = yield self._filter(scope, item)
        elif isinstance(item, If):
            value = yield self._choice(scope, item)
        elif isinstance(item, Let):
            value = yield self._let(scope, item)
        else:
            value = yield self._fold(scope, item)
        return value

    def chains(self, scope: Scope, chains: Sequence[Chain]) -> Trampolined[tuple[int, ...]]:
        """Lower expressions from left to right."""
        values = []
        for each in chains:
            value = yield self._chain(scope, each)
            values.append(value)
        return tuple(values)

    def literal(self, scope: Scope, token: Token) -> int:
        """Lower a number, string or truth value."""
        if token.type == "STRING":
            return scope.add(Constant(string_value(token), token.start, token.end))
        if token.type != "NUMBER":
            return scope.add(Constant(token.type == "TRUE", token.start, token.end))
        value = float(token.text)
        if not isfinite(value):
            self._calls.error(scope.function, token, "this number is too large")
            value = 0.0
        return scope.add(Constant(value, token.start, token.end))

    def element(self, scope: Scope, sequence: int, item: Bracket | Slice) -> Trampolined[int]:
        """Lower the index or slice that follows a sequence."""
        element: int
        if isinstance(item, Slice):
            element = yield self._slice(scope, sequence, item)
            return element
        if len(item.items) != 1:
            raise self._calls.aborted(scope.function, item, "expected one index in these brackets")
        position = yield self._chain(scope, item.items[0])
        return self._calls.kernel(scope, "default.index", (sequence, position), item)

    def _slice(self, scope: Scope, sequence: int, item: Slice) -> Trampolined[int]:
        first: int
        if item.first is None:
            first = scope.add(Constant(0.0, item.start, item.end))
        else:
            first = yield self._chain(scope, item.first)
        if item.last is None:
            return self._calls.kernel(scope, sequence_kernels.SUBSEQUENCE, (sequence, first), item)
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
            count = self._calls.kernel(scope, "default.subtraction", (last, first), item)
        return self._calls.kernel(scope, "default.subsequence", (sequence, first, count), item)

    # --- forms --------------------------------------------------------------------------------

    def body_scope(
        self, function: Function, order: int, parameters: tuple[Token, ...], parent: Scope | None
    ) -> Scope:
        """Return the scope of a body; duplicate parameters are reported."""
        seen = set()
        for token in parameters:
            if token.text in seen:
                self._calls.error(function, token, f"duplicate parameter `{token.text}`")
            seen.add(token.text)
            if self._lookup.uses.wanted:
                self._lookup.uses.declare(function.source, token)
        return Scope(function, order, parameters, parent)

    def _loop(self, scope: Scope, item: For) -> Trampolined[int]:
        """Lower `for x in xs do e`."""
        sequence = yield self._chain(scope, item.sequence)
        value: int = yield self._map(scope, item, sequence)
        return value

    def _filter(self, scope: Scope, item: Filter) -> Trampolined[int]:
        """Lower `filter x in xs do p`, which is `keep(xs, for x in xs do p)`."""
        sequence = yield self._chain(scope, item.sequence)
        flags = yield self._map(scope, item, sequence)
        return self._calls.kernel(scope, sequence_kernels.KEEP, (sequence, flags), item)

    def _choice(self, scope: Scope, item: If) -> Trampolined[int]:
        """Lower `if c then a else b`."""
        condition = yield self._chain(scope, item.condition)
        start = len(scope.function.instructions)
        branches = yield self.chains(scope, (item.first, item.second))
        scope.make_optional(start, "if")
        arguments = (condition, *branches)
        return self._calls.kernel(scope, sequence_kernels.CHOOSE, arguments, item)

    def _map(self, scope: Scope, item: For | Filter, sequence: int) -> Trampolined[int]:
        """Apply the body of a loop to each item of a sequence."""
        function = Function("", scope.function.source, item.start, item.variable.end, 1)
        inner = self.body_scope(function, scope.order, (item.variable,), scope)
        function.result = yield self._chain(inner, item.body)
        captured = tuple(inner.captured)
        return scope.add(Map(function, sequence, captured, item.start, item.end))

    def _let(self, scope: Scope, item: Let) -> Trampolined[int]:
        """Lower `let x = e in body` and `let f(a) = e in body`."""
        name = item.header.name
        binding: int | Local
        if not item.header.parameters:
            binding = yield self._chain(scope, item.value)
        else:
            parameters = item.header.parameters
            arity = len(parameters)
            function = Function(name.text, scope.function.source, name.start, name.end, arity)
            inner = self.body_scope(function, scope.order, parameters, scope)
            function.result = yield self._chain(inner, item.value)
            binding = Local(function, arity, tuple(inner.captured))
        self._lookup.uses.declare(scope.function.source, name)
        with scope.bound(name, binding):
            value: int = yield self._chain(scope, item.body)
        return value

    def map(self, scope: Scope, token: Token, group: Group) -> Trampolined[int]:
        """Lower `map(f, xs)`, which is the same as `for x in xs do f(x)`."""
        named = group.items[0].items if len(group.items) == 2 else ()
        if len(named) != 1 or not isinstance(named[0], Token) or named[0].type != "NAME":
            raise self._calls.aborted(
                scope.function,
                token,
                f"`{token.text}` takes the name of a function and a sequence",
                "for example: map(f, xs); or write: for x in xs do …",
            )
        sequence = yield self._chain(scope, group.items[1])
        applied = self._function(scope, named[0], 1, token.text)
        if applied is None:
            return scope.add(Unknown(token.start, token.end))
        function, captured = applied
        return scope.add(Map(function, sequence, captured, token.start, group.end))

    def output(self, scope: Scope, token: Token, group: Group) -> Trampolined[int]:
        """Lower `WriteImage(image, "name")` or `print_primitive("label", value)`.

        The goal is noted in `written`.
        """
        kind = "print" if token.text.endswith(PRINT) else "save"
        if len(group.items) != 2:
            expected, example = _OUTPUTS[kind]
            raise self._calls.aborted(
                scope.function,
                token,
                f"`{token.text}` takes {expected}, found {len(group.items)} arguments",
                f"for example: {example}",
            )
        first, second = yield self.chains(scope, group.items)
        result, name = (second, first) if kind == "print" else (first, second)
        index = scope.add(Write(kind, result, name, token.start, group.end))
        self.written.append((scope.function, index))
        return index

    def _fold(self, scope: Scope, item: syntax_tree.Fold) -> Trampolined[int]:
        """Lower `fold OP init xs`: init is one token, a call without spaces, or in parentheses."""
        items = item.items
        operator = items[0]
        if not isinstance(operator, Token) or operator.type not in (*SIGNS, "NAME"):
            raise self._calls.aborted(
                scope.function, operator, "expected an operator or a function after `fold`"
            )
        rest = _end_of_initial(items)
        initial: int
        if rest < len(items):
            initial = yield self._chain(scope, Chain(items[1:rest]))
        elif operator.text in _NEUTRAL and not _are_literals(items[1:]):
            rest = 1
            neutral = _NEUTRAL[operator.text]
            initial = scope.add(Constant(neutral, operator.start, operator.end))
        elif self._extreme(scope, operator) and not _are_literals(items[1:]):
            sequence = yield self._chain(scope, Chain(items[1:]))
            kernel = f"{_EXTREMES}.{operator.text}"
            return self._calls.kernel(scope, kernel, (sequence,), item, name=FOLD)
        else:
            raise self._calls.aborted(
                scope.function,
                item,
                "`fold` takes an operator, an initial value and a sequence",
                "for example: fold + 0 xs",
            )
        sequence = yield self._chain(scope, Chain(items[rest:]))
        applied = (
            (self._larger_of_two(scope, operator), ())
            if self._extreme(scope, operator)
            else self._function(scope, operator, 2, "fold")
        )
        if applied is None:
            return scope.add(Unknown(operator.start, operator.end))
        function, captured = applied
        return scope.add(Fold(function, initial, sequence, captured, item.start, item.end))

    def _extreme(self, scope: Scope, operator: Token) -> bool:
        """Whether a fold's operator is `min` or `max` of two numbers, which no kernel is."""
        return operator.text in ("min", "max") and not self._lookup.knows(scope, operator, 2)

    def _larger_of_two(self, scope: Scope, operator: Token) -> Function:
        """Return the function that `fold max` applies: `max([a, b])`."""
        function = Function("", scope.function.source, operator.start, operator.end, 2)
        parameters = tuple(Token("NAME", name, operator.start) for name in "ab")
        inner = Scope(function, scope.order, parameters, None)
        pair = self._calls.kernel(inner, sequence_kernels.SEQUENCE, (0, 1), operator)
        qualified = f"{_EXTREMES}.{operator.text}"
        function.result = self._calls.kernel(inner, qualified, (pair,), operator)
        return function

    def _function(
        self, scope: Scope, named: Token, arity: int, form: str
    ) -> tuple[Function, tuple[int, ...]] | None:
        """Return the function of a name and what it captures; None after an error."""
        resolved = self._lookup.find(scope, named, arity)
        if resolved.unknown:
            return None
        if not resolved.accepts(arity) or resolved.index is not None:
            number = "one argument" if arity == 1 else "two arguments"
            self._calls.error(
                scope.function,
                named,
                f"`{form}` takes a function of {number}, but `{named.text}` {resolved.takes()}",
            )
            return None
        return self._calls.function(scope, resolved, arity)


def _end_of_initial(items: Sequence[Item]) -> int:
    """Return the index after the initial value of a fold, which follows its operator."""
    sign = items[1] if len(items) > 2 else None
    negative = isinstance(sign, Token) and sign.type == "OP" and sign.text == MINUS
    index = 3 if negative else 2
    while index < len(items) and _is_tight(items[index]) and _takes_brackets(items[index - 1]):
        index += 1
    return index


def _are_literals(items: Sequence[Item]) -> bool:
    """Whether all items are tokens other than names, none of which is a sequence."""
    return all(isinstance(item, Token) and item.type != "NAME" for item in items)


def _is_tight(item: Item) -> bool:
    return isinstance(item, Group | Bracket | Slice) and item.tight


def _takes_brackets(item: Item) -> bool:
    """Whether an index or the arguments of a call may follow."""
    return not isinstance(item, Token) or item.type in ("NAME", "STRING")
