"""Checks the places where expressions write files: each must be one that the program comes to."""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.imgql.lower.ir import Function
from voxk8s.imgql.reduce.liveness import writing
from voxk8s.imgql.syntax.diagnostics import Diagnostics


def check_written(
    written: Sequence[tuple[Function, int]],
    roots: Sequence[Function],
    program: str,
    diagnostics: Diagnostics,
) -> None:
    """Report files of the file `program` that are never written, or that may not be.

    `written` are the instructions that write, each with its function; `roots` are the definitions
    without parameters, and the goals.
    """
    if not written:
        return
    reached = _reachable(roots)
    for function, index in written:
        # Functions of imported files are there to be called or not.
        if function not in reached and function.source.name == program:
            diagnostics.error(
                function.source,
                function.instructions[index],
                "this file is never written: nothing calls the function that writes it",
                f"call it, for example: saved = {function.name or 'f'}(…), or delete it",
            )
    for function in reached:
        for start, stop, form in function.optional:
            inside = next((each for each in writing(function) if start <= each < stop), None)
            if inside is not None:
                diagnostics.error(
                    function.source,
                    function.instructions[inside],
                    f"a file is written inside of `{form}`, but a plan says before the run which"
                    " files it makes",
                    'choose the image instead: WriteImage(if c then a else b, "file.nii.gz")'
                    if form == "if"
                    else 'write what is recovered: WriteImage(recover(a, b), "file.nii.gz")',
                )


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
