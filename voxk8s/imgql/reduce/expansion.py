"""Foresees whether functions expand to more operations than a plan may have.

A program of twenty lines can name 6^20 operations. To make the first million of them, only to say
that there are too many, would take half a minute; to number them, a few seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from voxk8s.imgql.lower.ir import (
    Apply,
    Call,
    Constant,
    Function,
    Instruction,
    Parameter,
    operands_of,
)
from voxk8s.plan.sequence_kernels import CHOOSE

_GIVEN: Final = "given"
_NUMBER: Final = "number"
_APPLY: Final = "apply"
_CALL: Final = "call"

_Step: TypeAlias = tuple[str, int, Any, tuple[int, ...]]
"""What an instruction does, its index, what it applies or calls, and the values that it uses."""
_Key: TypeAlias = tuple[Any, ...]


def first_excess(values: Sequence[Function], limit: int) -> tuple[Function, Instruction] | None:
    """Return the value, and its instruction, by which the expansion exceeds `limit` operations.

    None if it does not. `values` have no parameters and are evaluated in their order. Loops and
    folds count as one operation, whatever they loop over: the answer is a lower bound.
    """
    if sum(each.work for each in values) <= limit:
        return None
    return _Counter(limit).first_excess(values)


class _Frame:
    """A call that is being evaluated; `place` is its index in the caller."""

    __slots__ = ("arguments", "key", "place", "result", "steps", "values")

    def __init__(self, function: Function, key: _Key, steps: Sequence[_Step], place: int) -> None:
        self.key = key
        self.steps = iter(steps)
        self.place = place
        self.result = function.result
        self.values = [0] * len(function.instructions)


class _Counter:
    """Evaluates functions over numbers: equal operations have equal numbers, as in a plan."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._numbers: dict[_Key, int] = {}
        self._constants: dict[int, object] = {}
        self._known: dict[_Key, int] = {}
        self._steps: dict[Function, list[_Step]] = {}

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
        known, numbers, constants = self._known, self._numbers, self._constants
        frames = [self._frame(value, (value,), 0)]
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
                        frames.append(self._frame(subject, key, index))
                        break
                    values[index] = known[key]
                    continue
                self._left -= 1
                if self._left < 0:
                    return frames[1].place if len(frames) > 1 else index
                if subject is CHOOSE and given[0] in constants:
                    values[index] = given[1 if constants[given[0]] else 2]
                else:
                    values[index] = numbers.setdefault(key, len(numbers))
            else:
                frames.pop()
                known[frame.key] = values[frame.result]
                if frames:
                    frames[-1].values[frame.place] = values[frame.result]
        return None

    def _frame(self, function: Function, key: _Key, place: int) -> _Frame:
        """Return a call; the key has the function and the arguments that it uses."""
        steps = self._steps.get(function)
        if steps is None:
            steps = self._steps[function] = [self._step(function, index) for index in function.live]
        return _Frame(function, key, steps, place)

    def _step(self, function: Function, index: int) -> _Step:
        instruction = function.instructions[index]
        if isinstance(instruction, Parameter):
            return _GIVEN, index, None, (1 + function.used.index(instruction.index),)
        if isinstance(instruction, Constant):
            value = instruction.value
            number = self._number((type(value), repr(value)))
            self._constants[number] = value
            return _NUMBER, index, None, (number,)
        if isinstance(instruction, Call):
            return _CALL, index, instruction.function, operands_of(instruction)
        if isinstance(instruction, Apply):
            chooses = instruction.signature.qualified == CHOOSE
            subject = CHOOSE if chooses else instruction.operator
            return _APPLY, index, subject, instruction.arguments
        # All results of one loop count as one.
        return _NUMBER, index, None, (self._number((function, index)),)

    def _number(self, key: tuple[object, ...]) -> int:
        return self._numbers.setdefault(key, len(self._numbers))
