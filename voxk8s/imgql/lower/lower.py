"""From syntax to instructions: chains are grouped, names looked up, arities checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voxk8s.imgql.lower.application import Abandon, Application
from voxk8s.imgql.lower.forms import MAPS, SIGNS, Forms
from voxk8s.imgql.lower.ir import Function, Unknown
from voxk8s.imgql.lower.name_lookup import Lookup, Meaning
from voxk8s.imgql.lower.namespaces import Names
from voxk8s.imgql.lower.operands import LITERALS, Operands
from voxk8s.imgql.lower.scopes import Scope
from voxk8s.imgql.syntax.diagnostics import Report
from voxk8s.imgql.syntax.nodes import Bracket, Chain, For, Group, Item, Let, Slice, Token
from voxk8s.imgql.trampoline import Steps, run

_SAME_LINE: Final = (
    "arguments have a `,` between them; a function of one argument may stand before it;"
    " a new definition begins with `let`"
)
_NEW_LINE: Final = (
    'a definition begins with `let`; a value is shown by print "name" … and kept by save "file" …'
)


class Lowering:
    """Makes functions of the definitions of one program."""

    def __init__(self, names: Names, report: Report) -> None:
        self._lookup = Lookup(names, report)
        self._application = Application(names, report)
        self._operands = Operands(self._chain, self._application)
        self._forms = Forms(self._chain, self._lookup, self._application)

    def body(
        self, function: Function, order: int, parameters: tuple[Token, ...], value: Chain
    ) -> None:
        """Fill in a definition's body."""
        scope = self._forms.scope(function, order, parameters, None)
        try:
            function.result = run(self._chain(scope, value))
        except Abandon:
            function.result = scope.add(Unknown(value.start, value.end))

    def _error(self, function: Function, item: Item, message: str, *hints: str) -> None:
        self._application.error(function, item, message, *hints)

    # --- chains -------------------------------------------------------------------------------

    def _chain(self, scope: Scope, chain: Chain) -> Steps[int]:
        """Lower an expression: operands from the left, then operators from the right."""
        items = self._lookup.split_signs(scope, chain.items)
        operands: list[int] = []
        operators: list[tuple[Meaning, tuple[int, ...]]] = []
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
            more = self._further(scope, items, place)
            further: tuple[int, ...] = ()
            if more is not None:
                further = yield self._operands.chains(scope, more.items)
            operators.append((self._infix(scope, items, place, len(further)), further))
            place += 1 + (more is not None)
        self._application.warn_mixed(scope, [meaning for meaning, _ in operators])
        result = operands.pop()
        while operators:
            meaning, further = operators.pop()
            result = self._application.apply(scope, meaning, (operands.pop(), result, *further))
        return result

    def _further(self, scope: Scope, items: Sequence[Item], place: int) -> Bracket | None:
        """Give the further arguments of an operator, which stand behind it: `a ~[5, 100] b`.

        A sequence that is an operand looks the same, but no other operand follows it.
        """
        if place + 2 >= len(items):
            return None
        sign, bracket, following = items[place : place + 3]
        if not isinstance(sign, Token) or not isinstance(bracket, Bracket):
            return None
        if isinstance(following, Slice | Bracket):
            return None
        if isinstance(following, Token) and following.type in (*SIGNS, "NAME"):
            meaning = self._lookup.find(scope, following, 2 if following.type != "NAME" else None)
            if meaning.unknown or meaning.joins:
                return None
        return bracket if self._lookup.knows(scope, sign, 2 + len(bracket.items)) else None

    def _infix(self, scope: Scope, items: Sequence[Item], place: int, further: int = 0) -> Meaning:
        item = items[place]
        if isinstance(item, Token) and item.type in (*SIGNS, "NAME"):
            meaning = self._lookup.find(scope, item, 2 + further)
            if meaning.unknown and place + 1 == len(items):
                raise Abandon
            if meaning.unknown or meaning.joins or further:
                return meaning
        source = scope.function.source
        broken = place > 0 and "\n" in source.code[items[place - 1].end : item.start]
        self._error(
            scope.function,
            item,
            "expected an operator between two expressions",
            _NEW_LINE if broken else _SAME_LINE,
        )
        raise Abandon

    def _word(self, scope: Scope, items: Sequence[Item], place: int) -> int | None:
        """Lower an operand of one word, as most are; None if it may be more than that."""
        item = items[place] if place < len(items) else None
        if not isinstance(item, Token) or item.type in SIGNS:
            return None
        following = items[place + 1] if place + 1 < len(items) else None
        if following is not None and not (isinstance(following, Token) and following.type in SIGNS):
            return None
        if item.type in LITERALS:
            return self._operands.literal(scope, item)
        meaning = self._lookup.find(scope, item)
        return self._application.apply(scope, meaning, ()) if meaning.is_value else None

    # --- operands -----------------------------------------------------------------------------

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
            if not isinstance(item, Token) or item.type in LITERALS:
                value = yield self._plain(scope, item)
                place += 1
                break
            if isinstance(following, Group) and (item.type == "NAME" or len(following.items) != 1):
                value = yield self._call(scope, item, following)
                place += 2
                break
            if item.type in SIGNS:
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
        if isinstance(following, Token) and following.type in SIGNS:
            return not optional
        if isinstance(following, Token) and following.type == "NAME" and optional:
            other = self._lookup.find(scope, following)
            return not (other.accepts(2) and not other.accepts(0) and not other.accepts(1))
        return True

    def _plain(self, scope: Scope, item: Item) -> Steps[int]:
        """Lower an operand that is no name."""
        value: int
        if isinstance(item, Token):
            return self._operands.literal(scope, item)
        if isinstance(item, Group):
            if len(item.items) != 1:
                self._error(scope.function, item, "expected one expression in these parentheses")
                raise Abandon
            value = yield self._chain(scope, item.items[0])
        elif isinstance(item, Bracket):
            value = yield self._operands.sequence(scope, item)
        elif isinstance(item, Slice):
            self._error(scope.function, item, "a slice stands behind a sequence: `xs[a:b]`")
            raise Abandon
        elif isinstance(item, For):
            value = yield self._forms.loop(scope, item)
        elif isinstance(item, Let):
            value = yield self._forms.local(scope, item)
        else:
            value = yield self._forms.fold(scope, item)
        return value

    def _call(self, scope: Scope, token: Token, group: Group) -> Steps[int]:
        value: int
        if token.text in MAPS and not self._lookup.knows(scope, token):
            value = yield self._forms.map(scope, token, group)
            return value
        meaning = self._lookup.find(scope, token, len(group.items))
        places = yield self._operands.chains(scope, group.items)
        return self._application.apply(scope, meaning, places, end=group.end)

    def _element(self, scope: Scope, value: int, item: Item) -> Steps[int]:
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
