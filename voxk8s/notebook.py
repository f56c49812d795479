"""Programs in notebooks: `voxk8s.run(…)`, `%load_ext voxk8s`, `%%imgql`; images show themselves."""

from __future__ import annotations

import os
import shlex
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from voxk8s.errors import InvalidUsage, Voxk8sError
from voxk8s.execution import ExecutionEngine, ExecutionResult, GoalOutcome
from voxk8s.history import Scans, from_store
from voxk8s.inputs.input_options import InputOptions
from voxk8s.notebook_progress import progress_bar
from voxk8s.plan import WorkPlan
from voxk8s.program import compile_given
from voxk8s.storage import ResultStore, get_storage
from voxk8s.values import Image, Value

if TYPE_CHECKING:
    from voxk8s.history import Pictures

_SIDE: Final = 320
_BEFORE: Final = 0.5
"""Seconds of a run that needs no bar: a known one is over by then."""


@dataclass(frozen=True, eq=False, repr=False)
class ProgramRun(Mapping[str, Value]):
    """What a program gave: values of goals by name, failed ones absent.

    `result` has failures, counts and metrics. A notebook shows it as a table with pictures.
    """

    plan: WorkPlan
    result: ExecutionResult
    store: ResultStore

    def __getitem__(self, name: str) -> Value:
        return self.result[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.result)

    def __len__(self) -> int:
        return len(self.result)

    def __repr__(self) -> str:
        """Return a line for each goal, large values by a description, and for skipped items."""
        lines = [f"{each.goal.name}: {each.error or each.line()}" for each in self.goals]
        return "\n".join([*lines, *map(str, self.result.skipped)])

    @property
    def goals(self) -> tuple[GoalOutcome, ...]:
        """The goals with their values or failures, in the order of the program."""
        return self.result.goals

    def _repr_html_(self) -> str:
        """Return a table of all goals, saved images with their pictures."""
        pictures = from_store(self.store, Scans(self.plan, InputOptions.from_env(os.environ)))
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(each.goal.name)}</th>"
            f"<td style='text-align:left'>{_cell(each, pictures)}</td></tr>"
            for each in self.goals
        )
        skipped = "".join(f"<div>{escape(str(each))}</div>" for each in self.result.skipped)
        counts = self.result.progress
        return (
            f"<table>{rows}</table>{skipped}<small>{counts.done}/{counts.total} operations:"
            f" {counts.computed} computed, {counts.cached} known, {counts.failed} failed"
            f" in {self.result.execution_time:.2f} s</small>"
        )


def run(
    program: str | os.PathLike[str],
    given: Mapping[str, object] | None = None,
    /,
    *,
    store: ResultStore | None = None,
    on_item_failure: str = "fail",
    **parameters: object,
) -> ProgramRun:
    """Run an ImgQL program in this process: its text, or the path of an .imgql file.

    `parameters` are the values of `$NAME`; a mapping after the program may have them as well, and
    has those that are called as an argument of this function. With `on_item_failure="skip"`, loops
    go on without the items that fail, which are in `result.skipped`. Saved files are written to the
    current folder. Results go to the store, by default that of the process, and are found there
    again. Failures of operations are part of the result. Raises InvalidProgram with all errors of
    the program, InvalidUsage for a file that cannot be read and other words for `on_item_failure`,
    and transient errors of the store.
    """
    return _run(program, store, {**(given or {}), **parameters}, on_item_failure)


def _run(
    program: str | os.PathLike[str],
    store: ResultStore | None,
    parameters: Mapping[str, object],
    on_item_failure: str = "fail",
) -> ProgramRun:
    _, _, compiled = compile_given(program, parameters, skips=on_item_failure == "skip")
    used = get_storage() if store is None else store
    with progress_bar(sys.stderr, before=_BEFORE) as bar:
        engine = ExecutionEngine(
            used, executor="threads", listeners=[bar], on_item_failure=on_item_failure
        )
        result = engine.execute_workplan(compiled.plan, places=compiled.origins)
    _show_images()
    return ProgramRun(compiled.plan, result, used)


def load_ipython_extension(shell: Any) -> None:
    """Add the cell magic `%%imgql [NAME=VALUE …]`, and show images as pictures."""

    def imgql(line: str, cell: str) -> ProgramRun:
        try:
            return _run(cell, None, _assignments(line))
        except Voxk8sError as error:
            message = f"{type(error).__name__}: {error}"
            # What IPython shows instead of a traceback through the compiler.
            error._render_traceback_ = lambda: [message]  # type: ignore[attr-defined]
            raise

    shell.register_magic_function(imgql, magic_kind="cell", magic_name="imgql")
    _show_images(shell)


def _assignments(line: str) -> dict[str, str]:
    """Return the parameters of a cell; raises InvalidUsage. Values with spaces are in quotes."""
    try:
        words = [word.partition("=") for word in shlex.split(line)]
    except ValueError as error:
        raise InvalidUsage(f"expected %%imgql NAME=VALUE …: {error}") from error
    wrong = [name for name, sign, _ in words if not (sign and name.isidentifier())]
    if wrong:
        raise InvalidUsage(f"expected %%imgql NAME=VALUE …, got {wrong[0]!r}")
    return {name: value for name, _, value in words}


def _show_images(shell: Any = None) -> None:
    """Have images drawn by the notebook, if there is one."""
    if shell is None and "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
    if shell is not None:
        formatter = shell.display_formatter.formatters["text/html"]
        formatter.for_type(Image, image_html)


def image_html(image: Image) -> str:
    """Return a picture of an image: a volume in three planes by the radiological convention."""
    # Imported here: most programs have no pictures.
    from voxk8s.rendering import MEDIA_TYPE, describe_picture, draw

    picture = draw(image, None, _SIDE)
    words = escape(describe_picture(image))
    return words if picture is None else _figure(picture, MEDIA_TYPE, words)


def _cell(outcome: GoalOutcome, pictures: Pictures) -> str:
    if outcome.failure is not None:
        return f"<b>failed</b>: {escape(str(outcome.failure))}"
    found = pictures(outcome)
    if found is not None:
        return _figure(found.data, found.media_type, "")
    if outcome.goal.operation == "print" and not outcome.has_value:
        value = outcome.load()
        if isinstance(value, Image):
            return image_html(value)
    return f"<pre style='margin:0'>{escape(outcome.line())}</pre>"


def _figure(data: bytes, media_type: str, words: str) -> str:
    url = f"data:{media_type};base64,{b64encode(data).decode()}"
    return f"<img alt='{words}' src='{url}' style='max-width:100%'><br><small>{words}</small>"
