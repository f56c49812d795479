"""Resolves names from within a body, and reports those that are unknown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import msgspec

from voxk8s.imgql.lower.global_scope import Definition, GlobalScope
from voxk8s.imgql.lower.name_uses import NameUses
from voxk8s.imgql.lower.scopes import Local, Scope
from voxk8s.imgql.syntax import hints
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.syntax_tree import Item, Token
from voxk8s.plan.signature import Role
from voxk8s.plan.suggest import nearest

_MAX_COMPARED = 5_000
_MAX_OPERATOR_LENGTH = 12
"""Signs of an operator that is not separated by a space from another."""


class ResolvedName(msgspec.Struct, frozen=True):
    """What a token refers to: the value at `index`, a `definition`, or nothing known."""

    token: Token
    index: int | None = None
    definition: Definition | None = None
    captured: tuple[int, ...] = ()

    @property
    def unknown(self) -> bool:
        """Whether the name is not known."""
        return self.index is None and self.definition is None

    @property
    def is_value(self) -> bool:
        """Whether it takes no arguments."""
        return self.index is not None or (
            self.definition is not None and self.definition.maximum == 0
        )

    def accepts(self, count: int) -> bool:
        """Whether it can be applied to `count` arguments; a value accepts none."""
        if self.index is not None:
            return count == 0
        return self.definition is not None and self.definition.accepts(count)

    @property
    def is_infix(self) -> bool:
        """Whether it may be between two operands."""
        signature = self.definition.signature if self.definition else None
        geometry = signature is not None and signature.role is Role.GEOMETRY
        return self.accepts(2) and not geometry

    def takes(self) -> str:
        """Return how many arguments it takes, as in `takes 1 or 2 arguments`."""
        if self.definition is None or self.is_value:
            return "is a value"
        low, high = self.definition.minimum, self.definition.maximum
        if high is None:
            return f"takes at least {low} argument{'s' * (low != 1)}"
        span = str(low) if low == high else f"{low} {'or' if high == low + 1 else 'to'} {high}"
        return f"takes {span} argument{'s' * (high != 1)}"


class NameLookup:
    """Resolves names, local ones first."""

    def __init__(self, global_scope: GlobalScope, diagnostics: Diagnostics, uses: NameUses) -> None:
        self.uses = uses
        self._globals = global_scope
        self._diagnostics = diagnostics
        self._signs: dict[tuple[str, bool], bool] = {}
        self._remarked: set[str] = set()

    def find(self, scope: Scope, token: Token, count: int | None = None) -> ResolvedName:
        """Resolve a name; an unknown one is reported.

        Of the overloads of an operator, the one for `count` operands is taken.
        """
        found = self._find(scope, token, count)
        if found is None:
            self._report_error(scope, token)
            return ResolvedName(token)
        definition = found.definition
        if self.uses.wanted:
            self.uses.add(scope, token, definition)
        if definition is not None and (definition.rivals or definition.unimported):
            self._remark(scope, token, definition)
        return found

    def _remark(self, scope: Scope, token: Token, definition: Definition) -> None:
        """Warn once of a name that could mean several kernels, or of an import that is missing."""
        if scope.function.source.library:
            return
        if definition.rivals and token.text not in self._remarked:
            self._remarked.add(token.text)
            taken = definition.signature.qualified if definition.signature else definition.name
            self._diagnostics.warning(
                scope.function.source,
                token,
                f"`{token.text}` may mean {taken} or {' or '.join(definition.rivals)}; {taken} is"
                " taken",
                f"write {definition.rivals[0]} for the other one; `default` comes first, then the"
                " imports in their order",
            )
        namespace = definition.unimported
        # A program without imports is one of version 1, which had none.
        if namespace and self._globals.imports and namespace not in self._remarked:
            self._remarked.add(namespace)
            self._diagnostics.warning(
                scope.function.source,
                token,
                f"`{token.text}` is found in {namespace}, which is not imported",
                f'import "{namespace}" says where it comes from',
            )

    def prefix(self, scope: Scope, token: Token) -> ResolvedName:
        """Resolve an operator before its operand."""
        found = self._find(scope, token, 1)
        if found is not None and not found.accepts(1) and token.text != "-":
            self._diagnostics.error(
                scope.function.source,
                token,
                f"expected an operand before `{token.text}`"
                if found.accepts(2)
                else f"`{token.text}` {found.takes()}",
            )
            return ResolvedName(token)
        if found is None:
            return self.find(scope, token, 1)
        self.uses.add(scope, token, found.definition)
        return found

    def knows(self, scope: Scope, token: Token, count: int | None = None) -> bool:
        """Whether a name is known and accepts `count` arguments."""
        found = self._find(scope, token, count)
        return found is not None and (count is None or found.accepts(count))

    def _find(self, scope: Scope, token: Token, count: int | None) -> ResolvedName | None:
        binding = scope.find(token.text)
        if isinstance(binding, int):
            return ResolvedName(token, index=binding)
        if isinstance(binding, Local):
            definition = Definition(token.text, binding.arity, binding.arity, binding.function)
            return ResolvedName(token, definition=definition, captured=binding.captured)
        if token.text in self._diagnostics.unreadable_names:
            # Its definition has a syntax error; it would hide a kernel of this name.
            return None
        library = scope.function.source.library
        first = None
        for definition in self._globals.find(token.text, scope.order, library=library):
            if token.type == "NAME" or count is None or definition.accepts(count):
                return ResolvedName(token, definition=definition)
            first = first or definition
        return None if first is None else ResolvedName(token, definition=first)

    def split_signs(self, scope: Scope, items: tuple[Item, ...]) -> tuple[Item, ...]:
        """Split operators of which only the parts are known: `&!` is `&` and `!`."""
        for item in items:
            if (
                isinstance(item, Token)
                and item.type == "OP"
                and len(item.text) > 1
                and not self._known(scope, item.text)
            ):
                return self._split_all(scope, items)
        return items

    def _split_all(self, scope: Scope, items: tuple[Item, ...]) -> tuple[Item, ...]:
        split: list[Item] = []
        for item in items:
            if isinstance(item, Token) and item.type == "OP":
                split += self._split(scope, item)
            else:
                split.append(item)
        return tuple(split)

    def _split(self, scope: Scope, token: Token) -> Sequence[Token]:
        """Return the longest known operators from left to right, or the token if there are none."""
        text = token.text
        parts: list[Token] = []
        index = 0
        while index < len(text):
            longest = min(len(text) - index, _MAX_OPERATOR_LENGTH)
            for length in range(longest, 0, -1):
                if self._known(scope, text[index : index + length]):
                    break
            else:
                return [token] if not parts else [*parts, _part(token, index, len(text))]
            parts.append(_part(token, index, index + length))
            index += length
        return parts

    def _known(self, scope: Scope, sign: str) -> bool:
        if scope.find(sign) is not None or sign in self._diagnostics.unreadable_names:
            return True
        key = (sign, scope.function.source.library)
        if key not in self._signs:
            found = self._globals.find(sign, scope.order, library=key[1])
            self._signs[key] = next(found, None) is not None
        return self._signs[key]

    def _report_error(self, scope: Scope, token: Token) -> None:
        name = token.text
        if name in self._diagnostics.unreadable_names:
            return
        what = "name" if token.type == "NAME" else "operator"
        suggestions = []
        if name in hints.NAMES:
            suggestions.append(hints.NAMES[name])
            self._diagnostics.unreadable_names.update(hints.FOLLOWERS.get(name, ()))
        elif not self._diagnostics.is_crowded:
            homes = self._globals.homes(name)
            if homes:
                suggestions.append(" or ".join(f'import "{home}"' for home in homes[:3]))
            else:
                known = [*scope.names(), *islice(self._globals.known(name), _MAX_COMPARED)]
                near = nearest(name, known)
                if near is not None:
                    suggestions.append(f"did you mean `{near}`?")
                suggestions += self._globals.load_errors()
        self._diagnostics.error(
            scope.function.source, token, f"unknown {what} `{name}`", *suggestions
        )


def _part(token: Token, start: int, stop: int) -> Token:
    tight = token.tight if start == 0 else True
    return Token("OP", token.text[start:stop], token.start + start, tight)
