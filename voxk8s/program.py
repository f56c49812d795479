"""Compiles ImgQL programs with the kernels of this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from voxk8s import imgql
from voxk8s.errors import InvalidUsage
from voxk8s.imgql import CompiledProgram
from voxk8s.kernels import registry, symbols
from voxk8s.plan import WorkPlan
from voxk8s.plan.signature import KernelIndex

_SUFFIX: Final = ".imgql"


def compile_program(
    text: str,
    *,
    name: str = "<program>",
    parameters: Mapping[str, str] | None = None,
    read_file: Callable[[str], str] | None = None,
    index: KernelIndex | None = None,
) -> WorkPlan:
    """Compile an ImgQL program to a plan; raises InvalidProgram with all errors.

    Arguments as for `compile_with_places`.
    """
    return compile_with_places(
        text, name=name, parameters=parameters, read_file=read_file, index=index
    ).plan


def compile_with_places(
    text: str,
    *,
    name: str = "<program>",
    parameters: Mapping[str, str] | None = None,
    read_file: Callable[[str], str] | None = None,
    index: KernelIndex | None = None,
    skips: bool = False,
) -> CompiledProgram:
    """Compile an ImgQL program to its plan, the places of its operations, and warnings.

    `parameters` are the values of `$NAME`. `read_file` returns the text of an imported file, by its
    path relative to the folder of `name`; without it, no files can be imported. `index` finds the
    kernels, by default the registry of this process. `skips` is whether the run may leave out items
    of loops that fail. Raises InvalidProgram with all errors.
    """
    return imgql.compile_program(
        text,
        index=registry() if index is None else index,
        symbols=symbols,
        name=name,
        parameters=parameters,
        read_file=read_file,
        skips=skips,
    )


def compile_given(
    program: str | os.PathLike[str], parameters: Mapping[str, object], *, skips: bool = False
) -> tuple[str, dict[str, str], CompiledProgram]:
    """Compile a program that a person's own code gives: its text, or the path of an .imgql file.

    Returns its text, the values of its parameters as texts, and what it was compiled to. It may
    import any file. `skips` is as for `compile_with_places`. Raises InvalidProgram with all errors,
    and InvalidUsage for a file that cannot be read.
    """
    text, name = _text_of(program)
    values = {key: _parameter(value) for key, value in parameters.items()}
    compiled = compile_with_places(
        text,
        name=name,
        parameters=values,
        read_file=lambda path: Path(path).read_text("utf-8"),
        skips=skips,
    )
    return text, values, compiled


def _text_of(program: str | os.PathLike[str]) -> tuple[str, str]:
    if isinstance(program, str) and not ("\n" not in program and program.endswith(_SUFFIX)):
        return program, "<program>"
    try:
        return Path(program).read_text("utf-8"), str(program)
    except (OSError, ValueError) as error:  # also a path with a NUL character
        raise InvalidUsage(f"cannot read {os.fspath(program)}: {error}") from error


def _parameter(value: object) -> str:
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    text = str(value)
    # Those of numpy are no bool.
    return text.lower() if not isinstance(value, str) and text in ("True", "False") else text
