"""Outcomes of goals: from the store, from reports, from the executor, and as files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.plans_and_runs import PlanMaker, fresh_store
from voxk8s.constants import REASON_OUTPUT_UNAVAILABLE
from voxk8s.errors import InvalidPlan
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.inline_values import encode_inline, encode_skeleton
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.result import GoalOutcome
from voxk8s.execution.run.goal_outcomes import GoalOutcomes, ResultVanished
from voxk8s.execution.run.run_state import RunState
from voxk8s.execution.run.run_tracker import RunTracker
from voxk8s.execution.run_config import RunConfig
from voxk8s.failure import NOT_REACHED, RESULT_GONE, Failure, failure_of
from voxk8s.kernels import registry
from voxk8s.plan import KeyNode, ResultKey, key_graph, resolve
from voxk8s.storage import ResultStore
from voxk8s.values import SavedFile, Value

NUMBERS: Value = [math.sin(number) for number in range(4000)]
"""A value that is too large for a report and for a record."""


class RemoteExecutor(SynchronousExecutor):
    """An executor whose tasks run elsewhere."""

    is_local = False


class Scene:
    """A run of one goal, whose end each test writes down."""

    def __init__(self, make: PlanMaker | None = None, **options: Any) -> None:
        if make is None:
            make = PlanMaker()
            make.show("x", make("addition", 1.0, 2.0))
        options.setdefault("write_files", False)
        self.store: ResultStore = fresh_store()
        self.config = RunConfig.from_options(self.store, SynchronousExecutor(), options)  # type: ignore[arg-type]
        self.state = RunState(key_graph(make.plan(), registry()))
        self.tracker = RunTracker("run")
        graph = self.state.graph
        self.tracker.set_resolution(graph.nodes, resolve(graph, lambda _: ()))
        self.fetched: list[ResultKey] = []
        self.outcomes = GoalOutcomes(self.config, self._fetch, None)

    def _fetch(self, key: ResultKey) -> Value:
        self.fetched.append(key)
        return "fetched"

    @property
    def key(self) -> ResultKey:
        """The key of the first target."""
        return self.state.targets()[0]

    def settle(self, report: Report | None) -> None:
        """End the first target."""
        self.state.settled[self.key] = report

    def collect(self, stopped: str | None = None) -> GoalOutcome:
        """Return the outcome of the first goal."""
        return self.outcomes.collect(self.state, self.tracker, stopped)[0]


def _saved(**options: Any) -> Scene:
    """Return a run of one save goal whose file is stored."""
    make = PlanMaker()
    make.save("deep/x.txt", make("addition", 1.0, 2.0))
    scene = Scene(make, **options)
    scene.store.put(scene.key, SavedFile(b"3.0\n", ".txt", "text/plain"))
    scene.settle(None)
    return scene


def test_a_small_known_value_comes_with_its_outcome() -> None:
    """It is in the record, which is read for the digest anyway."""
    scene = Scene()
    digest = scene.store.put(scene.key, 3.0).digest
    scene.settle(None)
    outcome = scene.collect()
    assert (outcome.value, outcome.has_value, outcome.text) == (3.0, True, "3.0")
    assert (outcome.cached, outcome.digest) == (True, digest)
    assert outcome.url == ""


def test_a_large_known_value_is_read_on_demand() -> None:
    """The outcome has the address of its blob."""
    scene = Scene()
    digest = scene.store.put(scene.key, NUMBERS).digest
    scene.settle(None)
    outcome = scene.collect()
    assert not outcome.has_value
    assert outcome.url == scene.store.url_of(digest)
    assert outcome.load() == NUMBERS


def test_a_known_result_that_is_gone_is_listed() -> None:
    """The run recomputes those; until then the goal has failed for now."""
    scene = Scene()
    scene.settle(None)
    outcome = scene.collect()
    assert outcome.failure is not None
    assert (outcome.failure.reason, outcome.failure.transient) == (RESULT_GONE, True)
    assert scene.outcomes.vanished == [scene.key]


def test_a_value_in_a_report_is_not_fetched() -> None:
    """Small values of goals come with their report."""
    scene = Scene()
    scene.settle(Report(scene.key, Status.COMPUTED, value=encode_inline(3.0), summary="3.0"))
    outcome = scene.collect()
    assert (outcome.value, outcome.text, outcome.cached) == (3.0, "3.0", False)
    assert not scene.fetched


def test_what_another_run_computed_is_cached() -> None:
    """This run has read it."""
    scene = Scene()
    scene.settle(Report(scene.key, Status.FOUND, value=encode_inline(3.0)))
    assert scene.collect().cached


def test_a_stored_value_is_left_in_the_store() -> None:
    """The executor need not hold it any more."""
    scene = Scene()
    put = scene.store.put(scene.key, NUMBERS)
    report = Report(scene.key, Status.COMPUTED, stored="created", digest=put.digest, size=100_000)
    scene.settle(report)
    outcome = scene.collect()
    assert outcome.url == scene.store.url_of(put.digest)
    assert outcome.load() == NUMBERS
    assert not scene.fetched


def test_a_value_that_is_only_with_the_executor_is_fetched() -> None:
    """A large value of a run that does not store it."""
    scene = Scene()
    scene.settle(Report(scene.key, Status.COMPUTED))
    assert scene.collect().load() == "fetched"
    assert scene.fetched == [scene.key]


def test_a_failed_goal_has_the_failure_of_its_operation() -> None:
    """It is the one that the tracker has."""
    scene = Scene()
    scene.settle(Report(scene.key, Status.FAILED, failure=failure_of(ValueError("no luck"))))
    outcome = scene.collect()
    assert outcome.failure is not None
    assert outcome.failure.cause == "ValueError: no luck"


def test_a_goal_of_a_stopped_run_says_why_it_stopped() -> None:
    """Another run may reach it."""
    outcome = Scene().collect("the run was cancelled")
    assert outcome.failure is not None
    assert (outcome.failure.message, outcome.failure.reason) == (
        "the run was cancelled",
        NOT_REACHED,
    )
    assert outcome.transient


def test_a_constant_is_its_own_outcome() -> None:
    """It is neither stored nor computed."""
    make = PlanMaker()
    make.show("one", make.constant(1.0))
    outcome = Scene(make).collect()
    assert (outcome.value, outcome.text, outcome.cached) == (1.0, "1.0", True)


def test_a_goal_above_an_unreadable_input_has_its_failure() -> None:
    """It has no key, and says why its input has no pin."""
    make = PlanMaker()
    make.show("file", make("sequence", make("load", "/nothing")))
    scene = Scene(make)
    [name] = scene.state.graph.unpinned
    scene.state.input_failures[name] = Failure("no such file", operation=name)
    outcome = scene.collect()
    assert outcome.failure is not None
    assert outcome.failure.message == "no such file"


def test_a_loop_above_a_failure_has_that_failure() -> None:
    """The goal has no key, since its pivot has no value."""
    make = PlanMaker()
    make.show("loop", make.loop(make("range", make("addition", 1.0, 1.0)), "sequence"))
    scene = Scene(make)
    pivot = scene.key
    failed = Report(pivot, Status.FAILED, origin=pivot, failure=failure_of(ValueError("no end")))
    list(scene.tracker.apply("run", [failed]))
    outcome = scene.collect()
    assert outcome.failure is not None
    assert outcome.failure.message == "no end"


def test_a_loop_that_was_not_reached_depends_on_a_value() -> None:
    """Nothing failed, but its sequence was not computed."""
    make = PlanMaker()
    make.show("loop", make.loop(make("range", make("addition", 1.0, 1.0)), "sequence"))
    outcome = Scene(make).collect()
    assert outcome.failure is not None
    assert "depends on a value that was not computed" in outcome.failure.message


def test_a_vanished_value_is_recomputed_when_it_is_read() -> None:
    """Without a way to recompute it the read fails."""
    scene = Scene()
    scene.store.put(scene.key, NUMBERS)
    scene.settle(None)
    asked: list[ResultKey] = []

    def recompute(nodes: Mapping[ResultKey, KeyNode], key: ResultKey) -> Value:
        assert key in nodes
        asked.append(key)
        return "recomputed"

    able = GoalOutcomes(scene.config, lambda _: None, recompute)
    [mended] = able.collect(scene.state, scene.tracker, None)
    lost = scene.collect()
    scene.store.delete([scene.key])
    assert mended.load() == "recomputed"
    assert asked == [mended.key]
    with pytest.raises(ResultVanished, match="has vanished from the store"):
        lost.load()


def test_a_saved_file_is_written(tmp_path: Path) -> None:
    """It lies below the output folder, although its result was known."""
    outcome = _saved(output=tmp_path, write_files=True).collect()
    assert outcome.path == tmp_path / "deep" / "x.txt"
    assert outcome.path.read_bytes() == b"3.0\n"


def test_no_file_is_written_without_an_output_folder() -> None:
    """The bytes are in the store."""
    outcome = _saved().collect()
    assert outcome.path is None
    assert isinstance(outcome.load(), SavedFile)


def test_a_file_that_cannot_be_written_fails_its_goal(tmp_path: Path) -> None:
    """A file stands where a folder is needed; the message names the goal."""
    (tmp_path / "deep").write_text("")
    outcome = _saved(output=tmp_path, write_files=True).collect()
    assert outcome.failure is not None
    assert outcome.failure.reason == REASON_OUTPUT_UNAVAILABLE
    assert outcome.failure.message.startswith("deep/x.txt cannot be written: ")


def test_a_file_cannot_leave_the_output_folder(tmp_path: Path) -> None:
    """Plans come from others."""
    make = PlanMaker()
    make.save("../x.txt", make("addition", 1.0, 2.0))
    scene = Scene(make, output=tmp_path / "out", write_files=True)
    scene.store.put(scene.key, SavedFile(b"", ".txt", "text/plain"))
    scene.settle(None)
    with pytest.raises(InvalidPlan, match="leaves the output folder"):
        scene.collect()
    assert not (tmp_path / "x.txt").exists()


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (Report("k", Status.COMPUTED, value=encode_inline([1.0, 2.0])), [1.0, 2.0]),
        (Report("k", Status.COMPUTED, skeleton=encode_skeleton([1.0, [2.0]])), [1.0, None]),
        (Report("k", Status.COMPUTED), "fetched"),
        (Report("k", Status.COMPUTED, stored="created"), [5.0]),
        (None, [5.0]),
    ],
    ids=["in the report", "skeleton", "with the executor", "stored", "known"],
)
def test_the_sequence_of_a_loop_is_read_where_it_is(report: Report | None, expected: Value) -> None:
    """A skeleton has the length and the scalars; images stay where they are."""
    scene = Scene()
    scene.store.put(scene.key, [5.0])
    assert scene.outcomes.pivot_value(scene.key, report) == expected


def test_a_sequence_that_vanished_is_an_error() -> None:
    """The submitter requeues it."""
    scene = Scene()
    with pytest.raises(ResultVanished):
        scene.outcomes.pivot_value(scene.key, None)


@pytest.mark.parametrize("change", [b"other", None])
def test_a_file_among_those_of_its_run_is_read_and_verified(change: bytes | None) -> None:
    """Workers elsewhere put it there where no result may be stored."""
    scene = Scene(cache="bypass")
    object.__setattr__(scene.config, "executor", RemoteExecutor())
    file = SavedFile(b"3.0\n", ".nii.gz", "application/gzip")
    path = f"ns/name/uid/files/{scene.key}.nii.gz"
    url = scene.store.write_run_file(path, file.data, file.media_type)
    digest = sha256(file.data).hexdigest()
    report = Report(
        scene.key, Status.COMPUTED, media_type=file.media_type, size=4, digest=digest, url=url
    )
    scene.settle(report)
    outcome = scene.collect()
    assert outcome.load() == file
    if change is None:
        scene.store._backend.delete(f"runs/{path}")
    else:
        scene.store.write_run_file(path, change, file.media_type)
    with pytest.raises(ResultVanished, match="vanished, or was changed"):
        outcome.load()
