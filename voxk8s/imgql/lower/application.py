"""Applies what names mean to operands: arities, kernels, signs."""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.imgql.lower.ir import Apply, Call, Constant, Function, Parameter, Unknown
from voxk8s.imgql.lower.name_lookup import Meaning
from voxk8s.imgql.lower.namespaces import Defined, Names
from voxk8s.imgql.lower.scopes import Scope
from voxk8s.imgql.syntax.diagnostics import Report
from voxk8s.imgql.syntax.nodes import Item, Token
from voxk8s.imgql.types import described

MINUS = "-"


class Abandon(Exception):
    """The rest of a definition makes no sense after an error in it, which is reported."""


class Application:
    """Adds instructions that apply kernels and functions to values of a scope."""

    def __init__(self, names: Names, report: Report) -> None:
        self._names = names
        self._report = report

    def error(self, function: Function, item: Item, message: str, *hints: str) -> None:
        """Report an error at an item of a function's text."""
        self._report.error(function.source, item.start, item.end, message, *hints)

    def apply(
        self, scope: Scope, meaning: Meaning, places: tuple[int, ...], end: int | None = None
    ) -> int:
        """Apply what a name means to arguments; without arguments it is the value itself."""
        token = meaning.token
        stop = token.end if end is None else end
        if meaning.unknown:
            return scope.add(Unknown(token.start, token.end))
        if meaning.place is not None and not places and end is None:
            return meaning.place
        count = len(places)
        if not meaning.accepts(count) or meaning.place is not None:
            self._refuse_arity(scope, meaning, count, called=end is not None)
            return scope.add(Unknown(token.start, token.end))
        defined = meaning.defined
        assert defined is not None  # noqa: S101 - a known meaning is a place or a definition
        if defined.function is not None:
            arguments = (*places, *meaning.captured)
            return scope.add(Call(defined.function, arguments, token.start, stop))
        return scope.add(_application(defined, places, token.start, stop))

    def prefix(self, scope: Scope, meaning: Meaning, value: int) -> int:
        """Apply what stands before an operand; a minus is part of a number, or short for 0 - x."""
        if meaning.token.text != MINUS or meaning.accepts(1) or meaning.unknown:
            return self.apply(scope, meaning, (value,))
        start = meaning.token.start
        instruction = scope.function.instructions[value]
        if isinstance(instruction, Constant) and isinstance(instruction.value, float):
            return scope.add(Constant(-instruction.value, start, instruction.end))
        zero = scope.add(Constant(0.0, start, meaning.token.end))
        return self.apply(scope, meaning, (zero, value))

    def function(
        self, scope: Scope, meaning: Meaning, arity: int
    ) -> tuple[Function, tuple[int, ...]]:
        """Give a name as a function of so many parameters, with what it captures."""
        defined = meaning.defined
        if defined is not None and defined.function is not None:
            return defined.function, meaning.captured
        token = meaning.token
        function = Function("", scope.function.source, token.start, token.end, arity)
        parameters = tuple(Token("NAME", name, token.start) for name in "ab"[:arity])
        inner = Scope(function, scope.order, parameters, None)
        function.result = self.apply(inner, meaning, tuple(range(arity)))
        return function, ()

    def kernel(self, scope: Scope, qualified: str, places: Sequence[int], item: Item) -> int:
        """Apply a kernel that syntax stands for."""
        signature = self._names.signature(qualified)
        if signature is None:
            self.error(scope.function, item, f"the kernel {qualified} is not there")
            raise Abandon
        operator = self._names.spell(qualified)
        return scope.add(Apply(operator, signature, tuple(places), item.start, item.end, operator))

    def warn_mixed(self, scope: Scope, operators: list[Meaning]) -> None:
        """Warn of a chain that mixes operators, whose grouping may surprise."""
        if scope.function.source.library or len(operators) < 2:
            return
        if any(each.unknown for each in operators):
            return
        signs = dict.fromkeys(each.token.text for each in operators)
        if len(signs) > 1:
            first, *_ = operators
            other = next(each for each in operators if each.token.text != first.token.text)
            self._report.warning(
                scope.function.source,
                other.token.start,
                other.token.end,
                f"`{first.token.text}` and `{other.token.text}` are mixed without parentheses",
                "operators have no precedence and group to the right: a"
                f" {first.token.text} b {other.token.text} c is"
                f" a {first.token.text} (b {other.token.text} c)",
            )

    def _refuse_arity(self, scope: Scope, meaning: Meaning, count: int, *, called: bool) -> None:
        token = meaning.token
        if meaning.place is not None or (called and meaning.is_value):
            hint = f"an item of a sequence is {token.text}[i]" if count == 1 else ""
            message = f"`{token.text}` is a value, not a function"
            self.error(scope.function, token, message, hint)
            return
        given = "none" if count == 0 else str(count)
        self.error(
            scope.function,
            token,
            f"`{token.text}` {meaning.takes()}, and {given} {'is' if count == 1 else 'are'} given",
            _form(meaning.defined),
        )


def _form(defined: Defined | None) -> str:
    """Say how a function is called, and where it is defined."""
    if defined is None:
        return ""
    if defined.signature is not None:
        return described(defined.name, defined.signature) if not defined.words else ""
    function = defined.function
    if function is None or function.source.library:
        return ""
    line, column = function.source.position(function.start)
    names = ", ".join(
        function.source.code[each.start : each.end]
        for each in function.instructions[: defined.maximum]
        if isinstance(each, Parameter)
    )
    return f"it is {defined.name}({names}), defined at {function.source.name}:{line}:{column}"


def _application(defined: Defined, places: tuple[int, ...], start: int, end: int) -> Apply:
    signature = defined.signature
    assert signature is not None  # noqa: S101 - a definition is a function or a kernel
    arguments, words = places, defined.words
    if defined.swapped:
        arguments, words = tuple(reversed(arguments)), tuple(reversed(words))
    return Apply(
        defined.operator, signature, arguments, start, end, defined.name, words, defined.swapped
    )
