"""Looks names up from inside a body, and says what is wrong with those that mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import msgspec

from voxk8s.imgql.lower.namespaces import Defined, Names
from voxk8s.imgql.lower.scopes import Local, Scope
from voxk8s.imgql.syntax import hints as habits
from voxk8s.imgql.syntax.diagnostics import Report
from voxk8s.imgql.syntax.nodes import Item, Token
from voxk8s.plan.signature import Role
from voxk8s.plan.suggest import nearest

_MOST_COMPARED = 5_000
_LONGEST_PART = 12
"""Signs of an operator that is written without a space before or behind another."""


class Meaning(msgspec.Struct, frozen=True):
    """What a word means where it stands: a value's place, a definition, or nothing known."""

    token: Token
    place: int | None = None
    defined: Defined | None = None
    captured: tuple[int, ...] = ()

    @property
    def unknown(self) -> bool:
        """True when the word means nothing."""
        return self.place is None and self.defined is None

    @property
    def is_value(self) -> bool:
        """True for what takes no arguments at all."""
        return self.place is not None or (self.defined is not None and self.defined.maximum == 0)

    def accepts(self, count: int) -> bool:
        """Tell whether it can be applied to so many arguments; a value to none."""
        if self.place is not None:
            return count == 0
        return self.defined is not None and self.defined.accepts(count)

    @property
    def joins(self) -> bool:
        """True for what may stand between two operands."""
        signature = self.defined.signature if self.defined else None
        geometry = signature is not None and signature.role is Role.GEOMETRY
        return self.accepts(2) and not geometry

    def takes(self) -> str:
        """Say how many arguments it takes, as in `takes 1 or 2 arguments`."""
        if self.defined is None or self.is_value:
            return "is a value"
        low, high = self.defined.minimum, self.defined.maximum
        if high is None:
            return f"takes at least {low} argument{'s' * (low != 1)}"
        span = str(low) if low == high else f"{low} {'or' if high == low + 1 else 'to'} {high}"
        return f"takes {span} argument{'s' * (high != 1)}"


class Lookup:
    """Finds meanings, local ones first."""

    def __init__(self, names: Names, report: Report) -> None:
        self._names = names
        self._report = report
        self._signs: dict[tuple[str, bool], bool] = {}

    def find(self, scope: Scope, token: Token, count: int | None = None) -> Meaning:
        """Give the meaning of a word; one that means nothing is reported.

        Of an operator with several meanings the one for `count` operands is taken.
        """
        found = self._find(scope, token, count)
        if found is None:
            self._refuse(scope, token)
            return Meaning(token)
        return found

    def prefix(self, scope: Scope, token: Token) -> Meaning:
        """Give the meaning of an operator that stands before its operand."""
        found = self._find(scope, token, 1)
        if found is not None and not found.accepts(1) and token.text != "-":
            self._report.error(
                scope.function.source,
                token.start,
                token.end,
                f"`{token.text}` needs an operand before it"
                if found.accepts(2)
                else f"`{token.text}` {found.takes()}",
            )
            return Meaning(token)
        return self.find(scope, token, 1) if found is None else found

    def knows(self, scope: Scope, token: Token, count: int | None = None) -> bool:
        """Tell whether a word means something, and can be applied to so many arguments."""
        found = self._find(scope, token, count)
        return found is not None and (count is None or found.accepts(count))

    def _find(self, scope: Scope, token: Token, count: int | None) -> Meaning | None:
        binding = scope.find(token.text)
        if isinstance(binding, int):
            return Meaning(token, place=binding)
        if isinstance(binding, Local):
            defined = Defined(token.text, binding.arity, binding.arity, binding.function)
            return Meaning(token, defined=defined, captured=binding.captured)
        if token.text in self._report.broken:
            # The definition that could not be read would hide kernels of its name.
            return None
        library = scope.function.source.library
        first = None
        for defined in self._names.find(token.text, scope.order, library=library):
            if token.type == "NAME" or count is None or defined.accepts(count):
                return Meaning(token, defined=defined)
            first = first or defined
        return None if first is None else Meaning(token, defined=first)

    def split_signs(self, scope: Scope, items: tuple[Item, ...]) -> tuple[Item, ...]:
        """Take operators apart that are only known in parts: `&!` is `&` and `!`."""
        if all(
            not isinstance(item, Token)
            or item.type != "OP"
            or len(item.text) == 1
            or self._known(scope, item.text)
            for item in items
        ):
            return items
        words: list[Item] = []
        for item in items:
            if isinstance(item, Token) and item.type == "OP":
                words += self._split(scope, item)
            else:
                words.append(item)
        return tuple(words)

    def _split(self, scope: Scope, token: Token) -> Sequence[Token]:
        """Give the longest known operators from the left, or the token itself if there are none."""
        text = token.text
        parts: list[Token] = []
        place = 0
        while place < len(text):
            longest = min(len(text) - place, _LONGEST_PART)
            for length in range(longest, 0, -1):
                if self._known(scope, text[place : place + length]):
                    break
            else:
                return [token] if not parts else [*parts, _part(token, place, len(text))]
            parts.append(_part(token, place, place + length))
            place += length
        return parts

    def _known(self, scope: Scope, sign: str) -> bool:
        if scope.find(sign) is not None or sign in self._report.broken:
            return True
        key = (sign, scope.function.source.library)
        if key not in self._signs:
            found = self._names.find(sign, scope.order, library=key[1])
            self._signs[key] = next(found, None) is not None
        return self._signs[key]

    def _refuse(self, scope: Scope, token: Token) -> None:
        name = token.text
        if name in self._report.broken:
            return
        what = "name" if token.type == "NAME" else "operator"
        hints = []
        if name in habits.NAMES:
            hints.append(habits.NAMES[name])
            self._report.broken.update(habits.FOLLOWERS.get(name, ()))
        elif not self._report.crowded:
            homes = self._names.homes(name)
            if homes:
                hints.append(" or ".join(f'import "{home}"' for home in homes[:3]))
            else:
                known = [*scope.names(), *islice(self._names.known(name), _MOST_COMPARED)]
                near = nearest(name, known)
                if near is not None:
                    hints.append(f"did you mean `{near}`?")
                hints += self._names.absent()
        self._report.error(
            scope.function.source, token.start, token.end, f"unknown {what} `{name}`", *hints
        )


def _part(token: Token, start: int, stop: int) -> Token:
    tight = token.tight if start == 0 else True
    return Token("OP", token.text[start:stop], token.start + start, tight)
