"""The intermediate representation: functions, each a list of instructions, with names resolved.

Instructions refer to values by their indices in the same list, so a body has no depth and runs from
top to bottom. Loop bodies and local functions are functions of their own, with what they capture as
further parameters.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Define
from voxk8s.plan.model import Scalar
from voxk8s.plan.signature import Signature


class Constant(msgspec.Struct, frozen=True, gc=False):
    """A number, truth value or string of the program."""

    value: Scalar
    start: int
    end: int


class Parameter(msgspec.Struct, frozen=True, gc=False):
    """The argument at `index`."""

    index: int
    start: int
    end: int


class Apply(msgspec.Struct, frozen=True, gc=False):
    """The application of a kernel.

    `name` is what the program calls it. For an operator, `operand_types` are the types that it
    expects, in the order of the arguments; if `swapped`, its right operand is the first argument.
    """

    operator: str
    signature: Signature
    arguments: tuple[int, ...]
    start: int
    end: int
    name: str
    operand_types: tuple[str, ...] = ()
    swapped: bool = False


class Call(msgspec.Struct, frozen=True):
    """A call of a function of the program or of a library."""

    function: Function
    arguments: tuple[int, ...]
    start: int
    end: int


class Map(msgspec.Struct, frozen=True):
    """A loop: the first parameter of `function` is the item, the others are `captured`."""

    function: Function
    sequence: int
    captured: tuple[int, ...]
    start: int
    end: int


class Fold(msgspec.Struct, frozen=True):
    """A fold from the left with a function of two parameters (and those that it captures)."""

    function: Function
    initial: int
    sequence: int
    captured: tuple[int, ...]
    start: int
    end: int


class Write(msgspec.Struct, frozen=True, gc=False):
    """A goal inside of an expression: `save` of an image, or `print`; its value is the name."""

    kind: str
    result: int
    name: int
    start: int
    end: int


class Unknown(msgspec.Struct, frozen=True, gc=False):
    """A value that is not known because of an error."""

    start: int
    end: int


Instruction: TypeAlias = Constant | Parameter | Apply | Call | Map | Fold | Write | Unknown

_CALLS: Final = (Call, Map, Fold)


class Function:
    """A body with parameters; a definition of a value has none.

    `used` are the parameters that the result depends on and `live` the instructions that it needs,
    both ascending; `writes` is whether calling it writes files; `work` is an upper bound of the
    kernels that a call of it applies, if no list is longer than a range that is unrolled;
    `liveness` sets them. `optional` are
    ranges of instructions that may not be carried out, each with the form that decides it.
    """

    __slots__ = (
        "end",
        "instructions",
        "live",
        "name",
        "optional",
        "parameters",
        "result",
        "source",
        "start",
        "used",
        "work",
        "writes",
    )

    def __init__(self, name: str, source: Source, start: int, end: int, parameters: int) -> None:
        self.name = name
        self.source = source
        self.start = start
        self.end = end
        self.parameters = parameters
        self.instructions: list[Instruction] = []
        self.result = -1
        self.used: tuple[int, ...] = ()
        self.live: tuple[int, ...] = ()
        self.writes = False
        self.work = 0
        self.optional: tuple[tuple[int, int, str], ...] = ()

    def add(self, instruction: Instruction) -> int:
        """Append an instruction and return its index."""
        self.instructions.append(instruction)
        return len(self.instructions) - 1

    @property
    def callees(self) -> list[Function]:
        """The functions that the body refers to."""
        return [each.function for each in self.instructions if isinstance(each, _CALLS)]


def declare(source: Source, define: Define) -> Function:
    """Return the function of a definition, without a body yet."""
    name, parameters = define.header.name, define.header.parameters
    return Function(name.text, source, name.start, name.end, len(parameters or ()))


class GoalPlace(msgspec.Struct, frozen=True):
    """A goal and the place in the program that asks for it."""

    kind: str
    label: str
    source: Source
    start: int
    end: int


class GoalFunction(GoalPlace, frozen=True):
    """A goal: the result of a function without parameters; its label is at `start` to `end`."""

    function: Function


def operands_of(instruction: Instruction) -> tuple[int, ...]:
    """Return the indices of the values that an instruction uses; unused arguments are left out."""
    if isinstance(instruction, Apply):
        return instruction.arguments
    if isinstance(instruction, Call):
        return tuple(instruction.arguments[index] for index in instruction.function.used)
    if isinstance(instruction, Map):
        return (
            instruction.sequence,
            *(instruction.captured[index - 1] for index in instruction.function.used if index),
        )
    if isinstance(instruction, Fold):
        captured = (index - 2 for index in instruction.function.used if index > 1)
        return (
            instruction.initial,
            instruction.sequence,
            *(instruction.captured[index] for index in captured),
        )
    if isinstance(instruction, Write):
        return (instruction.result, instruction.name)
    return ()
