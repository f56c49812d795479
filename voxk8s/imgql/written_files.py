"""Checks the goals inside of expressions: each must be a place that the program comes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voxk8s.imgql.lower.ir import Function, Instruction, Write
from voxk8s.imgql.reduce.liveness import writing
from voxk8s.imgql.syntax.diagnostics import Diagnostics

_INSTEAD: Final = {
    ("save", "if"): 'choose the image instead: WriteImage(if c then a else b, "file.nii.gz")',
    ("save", "recover"): 'write what is recovered: WriteImage(recover(a, b), "file.nii.gz")',
    ("print", "if"): 'choose the value instead: print_primitive("label", if c then a else b)',
    ("print", "recover"): 'print what is recovered: print_primitive("label", recover(a, b))',
}


def check_written(
    written: Sequence[tuple[Function, int]],
    roots: Sequence[Function],
    program: str,
    diagnostics: Diagnostics,
) -> None:
    """Report goals of the file `program` that are never reached, or that may not be.

    `written` are their instructions, each with its function; `roots` are the definitions without
    parameters, and the goals that are commands.
    """
    if not written:
        return
    reached = _reachable(roots)
    for function, index in written:
        # Functions of imported files are there to be called or not.
        if function not in reached and function.source.name == program:
            place = function.instructions[index]
            if _prints(place):
                diagnostics.warning(
                    function.source, place, "nothing calls the function that prints this"
                )
                continue
            diagnostics.error(
                function.source,
                place,
                "this file is never written: nothing calls the function that writes it",
                f"call it, for example: saved = {function.name or 'f'}(…), or delete it",
            )
    for function in reached:
        for start, stop, form in function.optional:
            inside = next((each for each in writing(function) if start <= each < stop), None)
            if inside is not None:
                place = function.instructions[inside]
                done = "a value is printed" if _prints(place) else "a file is written"
                diagnostics.error(
                    function.source,
                    place,
                    f"{done} inside of `{form}`, but a plan says before the run which results it"
                    " has",
                    _INSTEAD["print" if _prints(place) else "save", form],
                )


def _prints(instruction: Instruction) -> bool:
    return isinstance(instruction, Write) and instruction.kind == "print"


def _reachable(roots: Sequence[Function]) -> dict[Function, None]:
    """Return the functions that the roots call or refer to, directly or not, in order."""
    found: dict[Function, None] = {}
    waiting = list(reversed(roots))
    while waiting:
        function = waiting.pop()
        if function not in found:
            found[function] = None
            waiting += reversed(function.callees)
    return found
