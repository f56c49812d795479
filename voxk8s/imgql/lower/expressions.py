"""Lowers expressions to instructions: groups chains, applies prefixes and infix operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voxk8s.imgql.lower.call_lowering import CallLowering, LoweringAborted
from voxk8s.imgql.lower.global_scope import GlobalScope
from voxk8s.imgql.lower.ir import Function, Unknown
from voxk8s.imgql.lower.name_lookup import NameLookup, ResolvedName
from voxk8s.imgql.lower.name_uses import NameUses
from voxk8s.imgql.lower.operands import LITERALS, PRINT, SIGNS, WRITE_IMAGE, OperandLowering
from voxk8s.imgql.lower.scopes import Scope
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.syntax_tree import Bracket, Chain, Group, Item, Slice, Token
from voxk8s.imgql.trampoline import Trampolined, run
from voxk8s.plan.sequence_kernels import RECOVER

_MAPS: Final = ("map", "default.map")
_FORMS: Final = frozenset(
    (*_MAPS, WRITE_IMAGE, f"simpleitk.{WRITE_IMAGE}", PRINT, f"default.{PRINT}")
)
"""Names of calls that are loops or goals, unless the program defines them."""
_SAME_LINE: Final = (
    "separate arguments with `,`; a function of one argument may be written before it;"
    " a new definition begins with `let`"
)
_NEW_LINE: Final = (
    'a definition begins with `let`; show a value by print "name" …, keep it by save "file" …'
)


class ExpressionLowering:
    """Adds the instructions of expressions to the functions of one program."""

    def __init__(self, global_scope: GlobalScope, diagnostics: Diagnostics, uses: NameUses) -> None:
        """Add the uses of names to `uses`."""
        self._lookup = NameLookup(global_scope, diagnostics, uses)
        self._calls = CallLowering(global_scope, diagnostics)
        self._operands = OperandLowering(self._chain, self._lookup, self._calls)

    @property
    def written(self) -> Sequence[tuple[Function, int]]:
        """The instructions so far that write files, each with its function."""
        return self._operands.written

    def body(
        self, function: Function, order: int, parameters: tuple[Token, ...], value: Chain
    ) -> None:
        """Add the body of a definition to its function."""
        scope = self._operands.body_scope(function, order, parameters, None)
        try:
            function.result = run(self._chain(scope, value))
        except LoweringAborted:
            function.result = scope.add(Unknown(value.start, value.end))

    def _chain(self, scope: Scope, chain: Chain) -> Trampolined[int]:
        """Lower an expression: operands from left to right, then operators from right to left."""
        items = self._lookup.split_signs(scope, chain.items)
        operands: list[int] = []
        operators: list[tuple[ResolvedName, tuple[int, ...]]] = []
        index = 0
        while True:
            value = self._single_token(scope, items, index)
            if value is None:
                value, index = yield self._operand(scope, items, index)
            else:
                index += 1
            operands.append(value)
            if index == len(items):
                break
            bracket = self._further_arguments(scope, items, index)
            further: tuple[int, ...] = ()
            if bracket is not None:
                further = yield self._operands.chains(scope, bracket.items)
            operators.append((self._infix(scope, items, index, len(further)), further))
            index += 1 + (bracket is not None)
        self._calls.warn_mixed(scope, [operator for operator, _ in operators])
        result = operands.pop()
        while operators:
            operator, further = operators.pop()
            result = self._calls.apply(scope, operator, (operands.pop(), result, *further))
        return result

    def _further_arguments(self, scope: Scope, items: Sequence[Item], index: int) -> Bracket | None:
        """Return the further arguments of an operator, which follow it: `a ~[5, 100] b`.

        A sequence that is the right operand looks the same, but no other operand follows it.
        """
        if index + 2 >= len(items):
            return None
        sign, bracket, following = items[index : index + 3]
        if not isinstance(sign, Token) or not isinstance(bracket, Bracket):
            return None
        if isinstance(following, Slice | Bracket):
            return None
        if isinstance(following, Token) and following.type in (*SIGNS, "NAME"):
            count = 2 if following.type != "NAME" else None
            resolved = self._lookup.find(scope, following, count)
            if resolved.unknown or resolved.is_infix:
                return None
        return bracket if self._lookup.knows(scope, sign, 2 + len(bracket.items)) else None

    def _infix(
        self, scope: Scope, items: Sequence[Item], index: int, further: int = 0
    ) -> ResolvedName:
        item = items[index]
        if isinstance(item, Token) and item.type in (*SIGNS, "NAME"):
            resolved = self._lookup.find(scope, item, 2 + further)
            if resolved.unknown and index + 1 == len(items):
                raise LoweringAborted
            if resolved.unknown or resolved.is_infix or further:
                return resolved
        source = scope.function.source
        new_line = index > 0 and "\n" in source.code[items[index - 1].end : item.start]
        raise self._calls.aborted(
            scope.function,
            item,
            "expected an operator between two expressions",
            _NEW_LINE if new_line else _SAME_LINE,
        )

    def _single_token(self, scope: Scope, items: Sequence[Item], index: int) -> int | None:
        """Lower an operand of one token, as most are; None if it may have more."""
        item = items[index] if index < len(items) else None
        if not isinstance(item, Token) or item.type in SIGNS:
            return None
        following = items[index + 1] if index + 1 < len(items) else None
        if following is not None and not (isinstance(following, Token) and following.type in SIGNS):
            return None
        if item.type in LITERALS:
            return self._operands.literal(scope, item)
        resolved = self._lookup.find(scope, item)
        return self._calls.apply(scope, resolved, ()) if resolved.is_value else None

    def _operand(
        self, scope: Scope, items: Sequence[Item], index: int
    ) -> Trampolined[tuple[int, int]]:
        """Lower one operand with its prefixes and indices; return its value and the next index."""
        prefixes: list[ResolvedName] = []
        while True:
            if index == len(items):
                last = items[-1]
                text = last.text if isinstance(last, Token) else "…"
                raise self._calls.aborted(
                    scope.function, last, f"expected an operand after `{text}`"
                )
            item = items[index]
            following = items[index + 1] if index + 1 < len(items) else None
            if not isinstance(item, Token) or item.type in LITERALS:
                value = yield self._operands.operand(scope, item)
                index += 1
                break
            if isinstance(following, Group) and (item.type == "NAME" or len(following.items) != 1):
                value = yield self._call(scope, item, following)
                index += 2
                break
            if item.type in SIGNS:
                prefixes.append(self._lookup.prefix(scope, item))
            else:
                resolved = self._lookup.find(scope, item)
                if not self._is_prefix(scope, resolved, following):
                    value = self._calls.apply(scope, resolved, ())
                    index += 1
                    break
                prefixes.append(resolved)
            index += 1
        while index < len(items):
            element = items[index]
            if not isinstance(element, Bracket | Slice):
                break
            value = yield self._operands.element(scope, value, element)
            index += 1
        while prefixes:
            value = self._calls.prefix(scope, prefixes.pop(), value)
        return value, index

    def _is_prefix(self, scope: Scope, resolved: ResolvedName, following: Item | None) -> bool:
        """Whether a name is applied to the operand that follows it without parentheses."""
        if following is None or not (resolved.unknown or resolved.accepts(1)):
            return False
        if isinstance(following, Slice):
            return False
        optional = resolved.unknown or resolved.accepts(0)
        if isinstance(following, Bracket):
            return not (optional and following.tight)
        if isinstance(following, Token) and following.type in SIGNS:
            return not optional
        if isinstance(following, Token) and following.type == "NAME" and optional:
            other = self._lookup.find(scope, following)
            return not (other.accepts(2) and not other.accepts(0) and not other.accepts(1))
        return True

    def _call(self, scope: Scope, token: Token, group: Group) -> Trampolined[int]:
        if token.text in _FORMS and not self._lookup.knows(scope, token):
            lower = self._operands.map if token.text in _MAPS else self._operands.output
            value: int = yield lower(scope, token, group)
            return value
        resolved = self._lookup.find(scope, token, len(group.items))
        start = len(scope.function.instructions)
        arguments = yield self._operands.chains(scope, group.items)
        signature = resolved.definition.signature if resolved.definition is not None else None
        if signature is not None and signature.qualified == RECOVER:
            scope.make_optional(start, "recover")
        return self._calls.apply(scope, resolved, arguments, end=group.end)
