"""From syntax to instructions: chains are grouped, names looked up, arities checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voxk8s.imgql.lower.calls import CallLowering, LoweringAborted
from voxk8s.imgql.lower.forms import MAPS, SIGNS, Forms
from voxk8s.imgql.lower.global_scope import GlobalScope
from voxk8s.imgql.lower.ir import Function, Unknown
from voxk8s.imgql.lower.name_lookup import NameLookup, ResolvedName
from voxk8s.imgql.lower.operands import LITERALS, Operands
from voxk8s.imgql.lower.scopes import Scope
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.syntax_tree import Bracket, Chain, For, Group, Item, Let, Slice, Token
from voxk8s.imgql.trampoline import Trampolined, run

_SAME_LINE: Final = (
    "arguments have a `,` between them; a function of one argument may stand before it;"
    " a new definition begins with `let`"
)
_NEW_LINE: Final = (
    'a definition begins with `let`; a value is shown by print "name" … and kept by save "file" …'
)


class ExpressionLowering:
    """Makes functions of the definitions of one program."""

    def __init__(self, global_scope: GlobalScope, diagnostics: Diagnostics) -> None:
        self._lookup = NameLookup(global_scope, diagnostics)
        self._calls = CallLowering(global_scope, diagnostics)
        self._operands = Operands(self._chain, self._calls)
        self._forms = Forms(self._chain, self._lookup, self._calls)

    def body(
        self, function: Function, order: int, parameters: tuple[Token, ...], value: Chain
    ) -> None:
        """Fill in a definition's body."""
        scope = self._forms.scope(function, order, parameters, None)
        try:
            function.result = run(self._chain(scope, value))
        except LoweringAborted:
            function.result = scope.add(Unknown(value.start, value.end))

    def _error(self, function: Function, item: Item, message: str, *hints: str) -> None:
        self._calls.error(function, item, message, *hints)

    # --- chains -------------------------------------------------------------------------------

    def _chain(self, scope: Scope, chain: Chain) -> Trampolined[int]:
        """Lower an expression: operands from the left, then operators from the right."""
        items = self._lookup.split_signs(scope, chain.items)
        operands: list[int] = []
        operators: list[tuple[ResolvedName, tuple[int, ...]]] = []
        index = 0
        while True:
            value = self._word(scope, items, index)
            if value is None:
                value, index = yield self._operand(scope, items, index)
            else:
                index += 1
            operands.append(value)
            if index == len(items):
                break
            more = self._further(scope, items, index)
            further: tuple[int, ...] = ()
            if more is not None:
                further = yield self._operands.chains(scope, more.items)
            operators.append((self._infix(scope, items, index, len(further)), further))
            index += 1 + (more is not None)
        self._calls.warn_mixed(scope, [resolved for resolved, _ in operators])
        result = operands.pop()
        while operators:
            resolved, further = operators.pop()
            result = self._calls.apply(scope, resolved, (operands.pop(), result, *further))
        return result

    def _further(self, scope: Scope, items: Sequence[Item], index: int) -> Bracket | None:
        """Give the further arguments of an operator, which stand behind it: `a ~[5, 100] b`.

        A sequence that is an operand looks the same, but no other operand follows it.
        """
        if index + 2 >= len(items):
            return None
        sign, bracket, following = items[index : index + 3]
        if not isinstance(sign, Token) or not isinstance(bracket, Bracket):
            return None
        if isinstance(following, Slice | Bracket):
            return None
        if isinstance(following, Token) and following.type in (*SIGNS, "NAME"):
            resolved = self._lookup.find(scope, following, 2 if following.type != "NAME" else None)
            if resolved.unknown or resolved.joins:
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
            if resolved.unknown or resolved.joins or further:
                return resolved
        source = scope.function.source
        broken = index > 0 and "\n" in source.code[items[index - 1].end : item.start]
        self._error(
            scope.function,
            item,
            "expected an operator between two expressions",
            _NEW_LINE if broken else _SAME_LINE,
        )
        raise LoweringAborted

    def _word(self, scope: Scope, items: Sequence[Item], index: int) -> int | None:
        """Lower an operand of one word, as most are; None if it may be more than that."""
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

    # --- operands -----------------------------------------------------------------------------

    def _operand(
        self, scope: Scope, items: Sequence[Item], index: int
    ) -> Trampolined[tuple[int, int]]:
        """Lower one operand with what stands before and behind it; give the next place too."""
        prefixes: list[ResolvedName] = []
        while True:
            if index == len(items):
                last = items[-1]
                self._error(scope.function, last, f"`{_text(last)}` needs an operand behind it")
                raise LoweringAborted
            item = items[index]
            following = items[index + 1] if index + 1 < len(items) else None
            if not isinstance(item, Token) or item.type in LITERALS:
                value = yield self._plain(scope, item)
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
                if not self._stands_before(scope, resolved, following):
                    value = self._calls.apply(scope, resolved, ())
                    index += 1
                    break
                prefixes.append(resolved)
            index += 1
        while index < len(items) and isinstance(items[index], Bracket | Slice):
            value = yield self._element(scope, value, items[index])
            index += 1
        while prefixes:
            value = self._calls.prefix(scope, prefixes.pop(), value)
        return value, index

    def _stands_before(self, scope: Scope, resolved: ResolvedName, following: Item | None) -> bool:
        """Tell whether a name is applied to the operand that follows it without parentheses."""
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

    def _plain(self, scope: Scope, item: Item) -> Trampolined[int]:
        """Lower an operand that is no name."""
        value: int
        if isinstance(item, Token):
            return self._operands.literal(scope, item)
        if isinstance(item, Group):
            if len(item.items) != 1:
                self._error(scope.function, item, "expected one expression in these parentheses")
                raise LoweringAborted
            value = yield self._chain(scope, item.items[0])
        elif isinstance(item, Bracket):
            value = yield self._operands.sequence(scope, item)
        elif isinstance(item, Slice):
            self._error(scope.function, item, "a slice stands behind a sequence: `xs[a:b]`")
            raise LoweringAborted
        elif isinstance(item, For):
            value = yield self._forms.loop(scope, item)
        elif isinstance(item, Let):
            value = yield self._forms.local(scope, item)
        else:
            value = yield self._forms.fold(scope, item)
        return value

    def _call(self, scope: Scope, token: Token, group: Group) -> Trampolined[int]:
        value: int
        if token.text in MAPS and not self._lookup.knows(scope, token):
            value = yield self._forms.map(scope, token, group)
            return value
        resolved = self._lookup.find(scope, token, len(group.items))
        values = yield self._operands.chains(scope, group.items)
        return self._calls.apply(scope, resolved, values, end=group.end)

    def _element(self, scope: Scope, value: int, item: Item) -> Trampolined[int]:
        """Lower an index or a slice behind the sequence `value`."""
        element: int
        if isinstance(item, Bracket):
            element = yield self._operands.index(scope, value, item)
        else:
            assert isinstance(item, Slice)  # noqa: S101 - the caller looked
            element = yield self._operands.slice(scope, value, item)
        return element


def _text(item: Item) -> str:
    return item.text if isinstance(item, Token) else "…"
