"""Foresees whether functions expand to more operations than a plan may have.

A program of twenty lines can name 6^20 operations. To make the first million of them, only to say
that there are too many, would take half a minute; to number them, a few seconds.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from voxk8s.imgql.lower.ir import (
    Apply,
    Call,
    Constant,
    Fold,
    Function,
    Instruction,
    Map,
    Parameter,
    operands_of,
)
from voxk8s.imgql.reduce.unrolling import MAX_UNROLLED
from voxk8s.plan.model import Scalar
from voxk8s.plan.sequence_kernels import CHOOSE, RANGE, SEQUENCE, range_bounds

_GIVEN: Final = "given"
_NUMBER: Final = "number"
_APPLY: Final = "apply"
_CALL: Final = "call"
_LOOP: Final = "loop"
_EXPAND: Final = "expand"
_FOLD: Final = "fold"
_EACH: Final = "each"
_ITEM: Final = "item"
_LAST: Final = -1
"""The index of what a step of an unrolled loop returns."""
_EVALUATED: Final = (CHOOSE, RANGE, SEQUENCE)
"""Kernels that are known by their names, whatever a program calls them."""

_Step: TypeAlias = tuple[str, int, Any, tuple[int, ...]]
"""What an instruction does, its index, what it applies or calls, and the values that it uses."""
_Key: TypeAlias = tuple[Any, ...]


def first_excess(
    values: Sequence[Function], limit: int, *, skips: bool = False
) -> tuple[Function, Instruction] | None:
    """Return the value, and its instruction, by which the expansion exceeds `limit` operations.

    None if it does not. `values` have no parameters and are evaluated in their order. Folds and
    loops that write files are expanded over lists and ranges that the program spells out, and over
    loops over such; others count as one operation: the answer is a lower bound. If a run `skips`
    items that fail, all folds are counted so.
    """
    if sum(each.work for each in values) <= limit:
        return None
    return _Counter(limit, skips=skips).first_excess(values)


class _Frame:
    """A call that is being evaluated; `place` is its index in the caller."""

    __slots__ = ("key", "place", "result", "steps", "values")

    def __init__(
        self, key: _Key, steps: Iterable[_Step], place: int, values: list[int], result: int
    ) -> None:
        self.key = key
        self.steps = iter(steps)
        self.place = place
        self.values = values
        self.result = result


class _Loop(NamedTuple):
    """A loop over `sequence`; `captured` are the captures that its function uses."""

    function: Function
    sequence: int
    captured: tuple[int, ...]


class _Counter:
    """Evaluates functions over numbers: equal operations have equal numbers, as in a plan."""

    def __init__(self, limit: int, *, skips: bool) -> None:
        self._left = limit
        self._skips = skips
        self._numbers: dict[_Key, int] = {}
        self._constants: dict[int, Scalar] = {}
        self._known: dict[_Key, int] = {}
        self._steps: dict[Function, list[_Step]] = {}
        self._depths: dict[int, int] = {}
        self._loops: dict[int, _Loop] = {}
        self._items: dict[int, Sequence[int]] = {}
        self._spent: dict[int, int] = {}

    def first_excess(self, values: Sequence[Function]) -> tuple[Function, Instruction] | None:
        """Return the value and the instruction that exceed the limit."""
        for value in values:
            if (value,) not in self._known:
                index = self._evaluate(value)
                if index is not None:
                    return value, value.instructions[index]
        return None

    def _evaluate(self, value: Function) -> int | None:
        """Evaluate a value; return the index of its instruction that exceeds the limit, or None."""
        known, numbers, constants, depths = (
            self._known,
            self._numbers,
            self._constants,
            self._depths,
        )
        frames = [self._call(value, (value,), 0)]
        while frames:
            frame = frames[-1]
            values, arguments = frame.values, frame.key
            for what, index, subject, used in frame.steps:
                if what is _GIVEN:
                    values[index] = arguments[used[0]]
                    continue
                if what is _NUMBER:
                    values[index] = used[0]
                    continue
                given = [values[each] for each in used]
                key = (subject, *given)
                if what is _CALL:
                    if key not in known:
                        frames.append(self._call(subject, key, index))
                        break
                    values[index] = known[key]
                    continue
                if what is not _APPLY:
                    called = self._loop_step(what, index, subject, given, values)
                    if called is None:
                        continue
                    frames.append(called)
                    break
                self._left -= 1
                if self._left < 0:
                    return frames[1].place if len(frames) > 1 else index
                if subject is CHOOSE and given[0] in constants:
                    values[index] = given[1 if constants[given[0]] else 2]
                    continue
                number = values[index] = numbers.setdefault(key, len(numbers))
                if depths:
                    self._deepen(number, given)
                if subject is SEQUENCE:
                    self._items[number] = given
                elif subject is RANGE:
                    self._note_range(number, given)
            else:
                frames.pop()
                known[frame.key] = values[frame.result]
                if frames:
                    frames[-1].values[frame.place] = values[frame.result]
        return None

    def _call(self, function: Function, key: _Key, place: int) -> _Frame:
        """Return a call; the key has the function and the arguments that it uses."""
        steps = self._steps.get(function)
        if steps is None:
            live = (self._steps_of(function, index) for index in function.live)
            steps = self._steps[function] = [step for each in live for step in each]
        return _Frame(key, steps, place, [0] * len(function.instructions), function.result)

    def _steps_of(self, function: Function, index: int) -> Iterator[_Step]:
        instruction = function.instructions[index]
        if isinstance(instruction, Parameter):
            yield _GIVEN, index, None, (1 + function.used.index(instruction.index),)
        elif isinstance(instruction, Constant):
            yield _NUMBER, index, None, (self._constant(instruction.value),)
        elif isinstance(instruction, Call):
            yield _CALL, index, instruction.function, operands_of(instruction)
        elif isinstance(instruction, Apply):
            name = instruction.signature.qualified
            subject = next((each for each in _EVALUATED if each == name), instruction.operator)
            yield _APPLY, index, subject, instruction.arguments
        elif isinstance(instruction, Map | Fold):
            operands = operands_of(instruction)
            sequence = instruction.sequence
            if isinstance(instruction, Map) and not instruction.function.writes:
                # The first time its body is called, the second time its value is known.
                yield _LOOP, index, instruction.function, operands
                yield _LOOP, index, instruction.function, operands
            elif isinstance(instruction, Map) or not self._skips:
                what = _EACH if isinstance(instruction, Map) else _FOLD
                yield _EXPAND, index, None, (sequence,)
                yield what, index, instruction, operands
            else:
                yield self._unknown(function, index)
        else:
            yield self._unknown(function, index)

    def _unknown(self, function: Function, index: int) -> _Step:
        """Return the step of an instruction whose results are not told apart."""
        return _NUMBER, index, None, (self._number((function, index)),)

    def _loop_step(
        self, what: str, index: int, subject: Any, given: list[int], values: list[int]
    ) -> _Frame | None:
        """Carry out a step of a loop or fold; return what is to be evaluated first, or None."""
        if what is _LOOP:
            return self._loop(index, subject, given, values)
        if what is _EXPAND:
            sequence = given[0]
            if sequence in self._spent or sequence not in self._loops:
                # A plan is built with the items of a loop each time that they are asked for.
                self._left -= self._spent.get(sequence, 0)
                return None
            results = [0, *self._loops[sequence].captured, 0]
            return _Frame((_EXPAND, sequence), self._expand(sequence, results), index, results, 0)
        function = subject.function
        key = (what, function, *given)
        items = self._items.get(given[1 if what is _FOLD else 0])
        if items is None:
            values[index] = self._number(key)
            return None
        self._left -= len(items)
        if key in self._known:
            values[index] = self._known[key]
            return None
        if what is _FOLD:
            results = [given[0], 0, *given[2:]]
            return _Frame(key, _folded(function, items, results), index, results, 0)
        results = [0, *given[1:], 0]
        return _Frame(key, self._each(function, items, results), index, results, 0)

    def _loop(
        self, index: int, function: Function, given: list[int], values: list[int]
    ) -> _Frame | None:
        """Return the call of a loop's body, or None when its result is known."""
        sequence, *captured = given
        depth = 1 + max((self._depths.get(each, 0) for each in captured), default=0)
        item = self._number((_ITEM, depth))
        self._depths[item] = depth
        uses_item = 0 in function.used
        key = (function, *((item, *captured) if uses_item else captured))
        if key not in self._known:
            return self._call(function, key, index)
        number = self._number((_LOOP, self._known[key], sequence))
        self._deepen(number, given)
        values[index] = number
        self._loops.setdefault(number, _Loop(function, sequence, tuple(captured)))
        return None

    def _expand(self, number: int, results: list[int]) -> Iterator[_Step]:
        """Yield the steps to the items of a loop, if those of its sequence are known."""
        function, sequence, _ = self._loops[number]
        results[0] = sequence
        yield _EXPAND, _LAST, None, (0,)
        items = self._items.get(sequence)
        self._spent[number] = 0
        if items is not None:
            self._left -= len(items)
            self._spent[number] = self._spent.get(sequence, 0) + len(items)
            self._items[number] = yield from _calls(function, items, results)

    def _each(
        self, function: Function, items: Sequence[int], results: list[int]
    ) -> Iterator[_Step]:
        """Yield the steps to the results of a loop that writes files."""
        found = yield from _calls(function, items, results)
        results[0] = self._number((SEQUENCE, *found))
        self._items[results[0]] = found

    def _deepen(self, number: int, given: Iterable[int]) -> None:
        """Note how many loops a value is inside of, by those that it is made of."""
        depth = max((self._depths.get(each, 0) for each in given), default=0)
        if depth:
            self._depths[number] = depth

    def _note_range(self, number: int, given: Sequence[int]) -> None:
        """Note the items of a range that is unrolled."""
        bounds = range_bounds([self._constants.get(each) for each in given])
        if bounds is not None and bounds[1] - bounds[0] <= MAX_UNROLLED:
            self._items[number] = [self._constant(each) for each in range(*bounds)]

    def _constant(self, value: Scalar) -> int:
        number = self._number((type(value), repr(value)))
        self._constants[number] = value
        return number

    def _number(self, key: tuple[object, ...]) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


def _calls(
    function: Function, items: Sequence[int], values: list[int]
) -> Generator[_Step, None, list[int]]:
    """Yield the calls of a loop's function with each item; return the results."""
    used = _places(function, 1)
    found = []
    for item in items:
        values[0] = item
        yield _CALL, _LAST, function, used
        found.append(values[_LAST])
    return found


def _folded(function: Function, items: Sequence[int], values: list[int]) -> Iterator[_Step]:
    """Yield the calls of a fold's function, each with the result of the one before."""
    used = _places(function, 2)
    for item in items:
        values[1] = item
        yield _CALL, 0, function, used


def _places(function: Function, own: int) -> tuple[int, ...]:
    """Return where the used arguments are: first its `own`, then the captures that it uses."""
    first = tuple(each for each in function.used if each < own)
    return first + tuple(range(own, own + len(function.used) - len(first)))
