"""Compiles ImgQL programs with the kernels of this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from voxk8s import imgql
from voxk8s.imgql import CompiledProgram
from voxk8s.kernels import registry, symbols
from voxk8s.plan import WorkPlan
from voxk8s.plan.signature import KernelIndex


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
) -> CompiledProgram:
    """Compile an ImgQL program to its plan, the places of its operations, and warnings.

    `parameters` are the values of `$NAME`. `read_file` returns the text of an imported file, by its
    path relative to the folder of `name`; without it, no files can be imported. `index` finds the
    kernels, by default the registry of this process. Raises InvalidProgram with all errors.
    """
    return imgql.compile_program(
        text,
        index=registry() if index is None else index,
        symbols=symbols,
        name=name,
        parameters=parameters,
        read_file=read_file,
    )
