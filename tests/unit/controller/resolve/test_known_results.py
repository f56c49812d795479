"""Results that the store already has."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support import workplans
from voxk8s.api.status import GoalResult
from voxk8s.controller.resolve import known_results
from voxk8s.controller.resolve.resolve_keys import resolve_keys
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.inputs.input_options import InputOptions
from voxk8s.kernels import registry
from voxk8s.plan import KeyGraph, Resolution
from voxk8s.program import compile_program
from voxk8s.storage import ResultStore, open_store
from voxk8s.storage.backend import Backend

OPTIONS = InputOptions(local_allowed=True)
PLAN = workplans.document(
    [workplans.constant("a", 5), workplans.operation("s", "addition", "a", "a")],
    [workplans.show("s"), workplans.save("s", "sum.json")],
)


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    """A store in a folder."""
    return open_store((tmp_path / "store").as_uri())


def resolved(store: ResultStore) -> tuple[KeyGraph, Resolution]:
    """Resolve the plan's keys."""
    return resolve_keys(load_plan(PLAN), store, "Use", OPTIONS, registry())


def run(store: ResultStore) -> list[GoalResult]:
    """Run the plan and return its known results."""
    assert ExecutionEngine(store, write_files=False).execute_workplan(load_plan(PLAN)).success
    found = known_results.known_results(*resolved(store), store)
    assert found is not None
    return found


def test_results_are_known_after_a_run(store: ResultStore) -> None:
    """Before the run there are none; after it each goal has its value or file."""
    assert known_results.known_results(*resolved(store), store) is None
    printed, saved = run(store)
    assert (printed.kind, printed.value) == ("print", 10)
    assert (saved.kind, saved.goal) == ("save", "sum.json")
    assert saved.digest is not None
    assert store.read_blob(saved.digest.removeprefix("sha256:")).strip() == b"10.0"


def test_a_small_value_is_read_once(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record that says that a result exists has its value; each look-up is a request less."""
    run(store)
    read: list[str] = []
    plain = Backend.read

    def counted(backend: Backend, path: str, *given: Any, **more: Any) -> Any:
        read.append(path)
        return plain(backend, path, *given, **more)

    monkeypatch.setattr(Backend, "read", counted)
    fresh = open_store(store.url)
    since = time.monotonic()
    found = known_results.known_results(*resolved(fresh), fresh, since)
    assert found is not None
    assert found[0].value == 10
    records = [path for path in read if path.startswith("ac/")]
    assert records
    assert len(records) == len(set(records))


def test_what_is_not_finite_is_said_of_known_results(store: ResultStore) -> None:
    """By what the run that computed them has found out."""
    text = 'let b = blank(2, 2, 0)\nprint "m" max(b / b)\nsave "b.nii" b / b\n'
    plan = compile_program(text)
    ExecutionEngine(store, write_files=False).execute_workplan(plan)
    found = known_results.known_results(
        *resolve_keys(plan, store, "Use", OPTIONS, registry()), store
    )
    assert found is not None
    for result in found:
        assert f"{result.goal} has NaN in it, which began in default.division" in str(
            result.not_finite
        )


def test_initial_counts(store: ResultStore) -> None:
    """Before a run operations are cached or pending."""
    counts = known_results.initial_counts(resolved(store)[1])
    assert (counts.total, counts.cached, counts.pending) == (2, 0, 2)
    assert (counts.computed, counts.running, counts.failed) == (0, 0, 0)


def test_files_are_copied_within_the_store(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small files are copied to a folder that may be written, and to no other place."""
    results = run(store)
    (tmp_path / "store" / "out").mkdir()
    inside, outside = f"{store.url}/out", tmp_path.as_uri()
    options = replace(OPTIONS, allowed_prefixes=(f"{store.url}/",))
    assert known_results.copy_saved_files(results, store, inside, options)
    assert (tmp_path / "store" / "out" / "sum.json").read_text().strip() == "10.0"
    assert not known_results.copy_saved_files(results, store, outside, options)
    assert not (tmp_path / "sum.json").exists()
    monkeypatch.setattr(known_results, "MAX_COPIED_BYTES", 1)
    assert not known_results.copy_saved_files(results, store, inside, options)


def test_truncated_results_are_in_the_run_folder(store: ResultStore) -> None:
    """A value that the status truncates is written whole to the run's folder."""
    found = resolved(store)[1]
    long = GoalResult(goal="long", kind="print", value="x" * 9000)
    part = known_results.final_status([long], found, store, "ns/wp/u")
    assert str(part["runURL"]).endswith("/runs/ns/wp/u")
    report = store.read_run_file("ns/wp/u/results.json")
    assert report is not None
    assert msgspec.json.decode(report)["results"][0]["value"] == "x" * 9000
    short = msgspec.structs.replace(long, value="x")
    assert "runURL" not in known_results.final_status([short], found, store, "ns/wp/u")
