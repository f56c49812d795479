"""`voxk8s run --report FILE`: the report of a run in this process, as a file."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

from voxk8s.cli.input_file import Input, text_of
from voxk8s.cli.output_file import obstacle
from voxk8s.errors import InvalidUsage
from voxk8s.execution import ExecutionResult, GoalOutcome
from voxk8s.execution.files import write_file
from voxk8s.history import (
    Recorder,
    Scans,
    UsageRecorder,
    collect_run,
    from_files,
    input_files,
    known_since,
    show_goals,
)
from voxk8s.inputs.input_options import InputOptions
from voxk8s.redact import shown_parameter
from voxk8s.report import report
from voxk8s.settings import MOST_MEGABYTES, Settings
from voxk8s.storage import ResultStore
from voxk8s.viewer import LayerStack, insert_layers


class Reporter:
    """Records a run and writes its report."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Raise InvalidUsage if no file can be written at this path."""
        self.path = Path(arguments.report)
        if (reason := obstacle(self.path)) is not None:
            raise InvalidUsage(f"--report {arguments.report}: {reason}; name another file")
        self._voxels = _voxels(arguments.report_voxels)
        self.recorder = Recorder()
        self.usage = UsageRecorder()
        self._arguments = arguments

    def write(
        self,
        result: ExecutionResult,
        given: Input,
        inputs: InputOptions,
        store: ResultStore,
        unmet: Sequence[str] = (),
    ) -> bool:
        """Write the report; print an error and return False if that fails.

        `unmet` are values that are not as expected.
        """
        read = cache(text_of)
        scans = Scans(given.plan, inputs)
        layers = LayerStack(self._voxels)
        pictures = from_files(scans, layers.add)
        goals = show_goals(result.goals, self._link, known_since(store, result.goals), pictures)
        run = collect_run(
            result,
            self.recorder,
            title=self._arguments.file,
            goals=goals,
            problems=unmet,
            places=given.places,
            text_of=read,
            program=read(self._arguments.file) if given.places else "",
            facts=self._facts(store),
            inputs=input_files(result, store, scans),
            parameters=self._parameters(),
            repeat=self._command(),
            usage=self.usage.samples(),
            plan=given.plan,
        )
        try:
            write_file(self.path, report(run, insert_layers(layers)).encode("utf-8"))
        except OSError as error:
            reason = error.strerror or str(error)
            print(f"voxk8s: cannot write the report {self.path}: {reason}", file=sys.stderr)
            return False
        return True

    def _facts(self, store: ResultStore) -> list[tuple[str, str]]:
        arguments, settings = self._arguments, Settings.from_env(os.environ)
        return [
            ("store", "not used" if arguments.no_cache else store.url),
            ("known results", "computed again" if arguments.refresh else "used"),
            ("stored beside goals", settings.store_policy),
            ("after a failure", "stop" if arguments.fail_fast else "continue with the rest"),
            ("items of loops that fail", arguments.on_item_failure or "fail"),
            ("retries of an operation", str(settings.retry_limit)),
            ("threads", str(settings.dask_threads)),
        ]

    def _parameters(self) -> list[tuple[str, str]]:
        return [(name, shown_parameter(name, value)) for name, value in self._arguments.param]

    def _command(self) -> str:
        """Return the command that runs the program again."""
        words = ["voxk8s", "run", self._arguments.file]
        for name, value in self._parameters():
            words += ["--param", f"{name}={value}"]
        if self._arguments.on_item_failure:
            words += ["--on-item-failure", self._arguments.on_item_failure]
        return shlex.join(words)

    def _link(self, outcome: GoalOutcome) -> str:
        """Return the relative link from the report to a file."""
        if outcome.path is None:
            return ""
        way = os.path.relpath(outcome.path, self.path.parent)
        return f"./{quote(os.fsencode(way))}"


def _voxels(given: float | None) -> int:
    """Return the bytes of voxels that a report may have; raises InvalidUsage."""
    if given is None:
        given = Settings.from_env(os.environ).report_voxels
    if not 0 <= given <= MOST_MEGABYTES:
        raise InvalidUsage(
            f"--report-voxels: expected megabytes up to {MOST_MEGABYTES}, got {given}"
        )
    return int(given * 1e6)
