"""Lowers the application of resolved names to operands: arities, kernels, prefix minus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voxk8s.imgql.lower.global_scope import Definition, GlobalScope
from voxk8s.imgql.lower.ir import Apply, Call, Constant, Function, Parameter, Unknown
from voxk8s.imgql.lower.name_lookup import ResolvedName
from voxk8s.imgql.lower.scopes import Scope
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.syntax_tree import Item, Token
from voxk8s.imgql.types import describe_call
from voxk8s.plan.sequence_kernels import SUBSEQUENCE

MINUS = "-"
_GROUPED: Final = frozenset({"-", "/", "\\", "<", "<=", ">", ">=", "==", "!=", "="})
"""Operators, without dots, of which a chain depends on how it is grouped."""


class LoweringAborted(Exception):
    """The rest of a definition cannot be lowered after an error, which is reported."""


class CallLowering:
    """Adds instructions that apply kernels and functions to values of a scope."""

    def __init__(self, global_scope: GlobalScope, diagnostics: Diagnostics) -> None:
        self._globals = global_scope
        self._diagnostics = diagnostics

    def error(self, function: Function, item: Item, message: str, *hints: str) -> None:
        """Report an error at an item of a function's text."""
        self._diagnostics.error(function.source, item, message, *hints)

    def aborted(self, function: Function, item: Item, message: str, *hints: str) -> LoweringAborted:
        """Report an error and return the exception that ends the lowering of the definition."""
        self.error(function, item, message, *hints)
        return LoweringAborted()

    def apply(
        self,
        scope: Scope,
        resolved: ResolvedName,
        arguments: tuple[int, ...],
        end: int | None = None,
    ) -> int:
        """Apply a name to arguments, or return its value if there are none.

        `end` is the offset after the parentheses of a call, None without parentheses.
        """
        token = resolved.token
        stop = token.end if end is None else end
        if resolved.unknown:
            return scope.add(Unknown(token.start, token.end))
        if resolved.index is not None and not arguments and end is None:
            return resolved.index
        count = len(arguments)
        if not resolved.accepts(count) or resolved.index is not None:
            self._report_arity(scope, resolved, count, called=end is not None)
            return scope.add(Unknown(token.start, token.end))
        definition = resolved.definition
        assert definition is not None  # noqa: S101 - a known name is a value or a definition
        if definition.function is not None:
            arguments = (*arguments, *resolved.captured)
            return scope.add(Call(definition.function, arguments, token.start, stop))
        signature = definition.signature
        if count == 3 and signature is not None and signature.qualified == SUBSEQUENCE:
            self._warn_subsequence(scope, token, arguments[1])
        return scope.add(_apply_kernel(definition, arguments, token.start, stop))

    def _warn_subsequence(self, scope: Scope, token: Token, start: int) -> None:
        """Warn of the function whose last number is another one in VoxLogicA 2."""
        first = scope.function.instructions[start]
        if scope.function.source.library or (isinstance(first, Constant) and first.value == 0):
            return  # from the first item on, the number of items is the position of the end
        self._diagnostics.warning(
            scope.function.source,
            token,
            "subsequence(xs, a, n) is n items from item a on; in VoxLogicA 2 its last number is the"
            " position of the end",
            "xs[a:b], the items a to before b, is the same in both",
        )

    def prefix(self, scope: Scope, resolved: ResolvedName, value: int) -> int:
        """Apply a prefix to an operand; a minus is part of a number, or short for `0 - x`."""
        if resolved.token.text != MINUS or resolved.accepts(1) or resolved.unknown:
            return self.apply(scope, resolved, (value,))
        start = resolved.token.start
        instruction = scope.function.instructions[value]
        if isinstance(instruction, Constant) and isinstance(instruction.value, float):
            return scope.add(Constant(-instruction.value, start, instruction.end))
        zero = scope.add(Constant(0.0, start, resolved.token.end))
        return self.apply(scope, resolved, (zero, value))

    def function(
        self, scope: Scope, resolved: ResolvedName, arity: int
    ) -> tuple[Function, tuple[int, ...]]:
        """Return a name as a function of `arity` parameters, and what it captures."""
        definition = resolved.definition
        if definition is not None and definition.function is not None:
            return definition.function, resolved.captured
        token = resolved.token
        function = Function("", scope.function.source, token.start, token.end, arity)
        parameters = tuple(Token("NAME", name, token.start) for name in "ab"[:arity])
        inner = Scope(function, scope.order, parameters, None)
        function.result = self.apply(inner, resolved, tuple(range(arity)))
        return function, ()

    def kernel(
        self,
        scope: Scope,
        qualified: str,
        arguments: Sequence[int],
        item: Item,
        *,
        name: str = "",
    ) -> int:
        """Apply a kernel that the syntax stands for, such as `default.index` for brackets.

        `name` is what the program calls it, by default as the kernel.
        """
        signature = self._globals.signature(qualified)
        if signature is None:
            raise self.aborted(scope.function, item, f"the kernel {qualified} is not available")
        operator = self._globals.spell(qualified)
        return scope.add(
            Apply(operator, signature, tuple(arguments), item.start, item.end, name or operator)
        )

    def warn_mixed(self, scope: Scope, operators: list[ResolvedName]) -> None:
        """Warn of a chain of different operators, whose grouping may surprise."""
        if scope.function.source.library or len(operators) < 2:
            return
        if any(each.unknown for each in operators):
            return
        signs = dict.fromkeys(each.token.text for each in operators)
        if len(signs) == 1 and operators[0].token.text.strip(".") in _GROUPED:
            token = operators[1].token
            sign = token.text
            self._diagnostics.warning(
                scope.function.source,
                token,
                f"a {sign} b {sign} c is a {sign} (b {sign} c) in this language",
                f"operators group to the right: write (a {sign} b) {sign} c, or a {sign}"
                f" (b {sign} c) if it is meant",
            )
        if len(signs) > 1:
            first, *_ = operators
            other = next(each for each in operators if each.token.text != first.token.text)
            self._diagnostics.warning(
                scope.function.source,
                other.token,
                f"`{first.token.text}` and `{other.token.text}` are mixed without parentheses",
                "operators have no precedence and group to the right: a"
                f" {first.token.text} b {other.token.text} c is"
                f" a {first.token.text} (b {other.token.text} c)",
            )

    def _report_arity(
        self, scope: Scope, resolved: ResolvedName, count: int, *, called: bool
    ) -> None:
        token = resolved.token
        if resolved.index is not None or (called and resolved.is_value):
            hint = f"write {token.text}[i] for an item of a sequence" if count == 1 else ""
            message = f"`{token.text}` is a value, not a function"
            self.error(scope.function, token, message, hint)
            return
        given = "none" if count == 0 else str(count)
        self.error(
            scope.function,
            token,
            f"`{token.text}` {resolved.takes()}, found {given}",
            _signature(resolved.definition),
        )


def _signature(definition: Definition | None) -> str:
    """Return how a function is called and where it is defined, as a hint."""
    if definition is None:
        return ""
    if definition.signature is not None:
        if definition.operand_types:
            return ""
        return describe_call(definition.name, definition.signature)
    function = definition.function
    if function is None or function.source.library:
        return ""
    line, column = function.source.position(function.start)
    names = ", ".join(
        function.source.code[each.start : each.end]
        for each in function.instructions[: definition.maximum]
        if isinstance(each, Parameter)
    )
    place = f"{function.source.name}:{line}:{column}"
    return f"signature: {definition.name}({names}), defined at {place}"


def _apply_kernel(
    definition: Definition, arguments: tuple[int, ...], start: int, end: int
) -> Apply:
    signature = definition.signature
    assert signature is not None  # noqa: S101 - a definition is a function or a kernel
    operand_types = definition.operand_types
    if definition.swapped:
        arguments, operand_types = arguments[::-1], operand_types[::-1]
    return Apply(
        definition.operator,
        signature,
        arguments,
        start,
        end,
        definition.name,
        operand_types,
        definition.swapped,
    )
