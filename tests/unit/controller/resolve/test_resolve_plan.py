"""Resolution of one plan: what the store leaves to compute, and what can never run."""

from __future__ import annotations

import dataclasses
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.slow_refresh import hold_refreshes
from voxk8s.api.spec import Expected
from voxk8s.cluster import plan_source
from voxk8s.cluster.plan_source import Document
from voxk8s.controller.resolve.resolution_state import (
    Invalid,
    Resolved,
    ResolveResult,
    TransientFailure,
)
from voxk8s.controller.resolve.resolve_plan import resolve_plan
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.controller.resolve.store_usage import StoreUsage
from voxk8s.costs.group_workers import RunWorkers, WorkerKind
from voxk8s.errors import InputNotAllowed, StoreAccessDenied, StoreUnreachable
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.kernels import kernel
from voxk8s.plan import WorkPlan
from voxk8s.program import compile_program
from voxk8s.storage import ResultStore, StoreOptions, open_store
from voxk8s.storage.backend import ObjectInfo
from voxk8s.storage.cost_store import CostStore
from voxk8s.storage.kernel_costs import Cost, KernelCosts


def constant(name: str, value: Any) -> dict[str, Any]:
    """Make a constant's node."""
    return {"id": name, "type": "constant", "value": value}


def operation(name: str, operator: str, *arguments: str) -> dict[str, Any]:
    """Make an operation's node."""
    given = {str(place): argument for place, argument in enumerate(arguments)}
    return {"id": name, "type": "operation", "operator": operator, "arguments": given}


def plan(nodes: list[dict[str, Any]], *goals: tuple[str, str, str]) -> dict[str, Any]:
    """Make a document; goals are (print or save, node, name)."""
    made = [{"operation": kind, "id": node, "name": name} for kind, node, name in goals]
    return {"nodes": nodes, "goals": made}


SUM = plan(
    [constant("a", 5), constant("b", 3), operation("s", "addition", "a", "b")], ("print", "s", "n")
)


@kernel("resolve.segment", version=1, resources={"GPU": 1})
def segment(x: float) -> float:
    """Return the argument."""
    return x


ON_GPUS = plan(
    [
        *(constant(f"c{number}", float(number)) for number in range(3)),
        *(operation(f"g{number}", "resolve.segment", f"c{number}") for number in range(3)),
        operation("s", "addition", "g0", "g1"),
        operation("t", "addition", "s", "g2"),
    ],
    ("print", "t", "n"),
)
ONE_GROUP = RunWorkers(WorkerKind("default", 8, 4), (WorkerKind("gpu", 2, 1, {"GPU": 1}),))


BY_ITK = plan(
    [operation("i", "simpleitk.GaussianSource"), operation("m", "vox1.max", "i")],
    ("print", "m", "largest"),
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a store."""
    return (tmp_path / "store").as_uri()


def ask(url: str, document: dict[str, Any] | bytes | None = None, **parts: Any) -> ResolveResult:
    """Resolve a plan."""
    data = document if isinstance(document, bytes) else msgspec.json.encode(document or SUM)
    request = ResolveRequest(
        document=parts.pop("source", Document(data, "json", inline=True)),
        url=parts.pop("behind", None),
        digest=parts.pop("digest", None),
        parameters=parts.pop("parameters", None),
        cache=parts.pop("cache", "Use"),
        output_url=parts.pop("output_url", None),
        store_url=url,
        run_folder="ns/wp/u-1",
        options=parts.pop("options", StoreOptions()),
        prefixes=("s3://none/",),
        libraries=parts.pop("libraries", {}),
        expect=parts.pop("expect", ()),
        max_bytes=parts.pop("max_bytes", None),
        workers=parts.pop("workers", None),
    )
    found = resolve_plan(request)
    assert found is not None
    return found


def compute(url: str, document: dict[str, Any] | WorkPlan) -> None:
    """Run a plan in this process, into the store."""
    engine = ExecutionEngine(open_store(url), write_files=False)
    plan = document if isinstance(document, WorkPlan) else load_plan(document)
    assert engine.execute_workplan(plan).success


def test_worker_groups_follow_from_what_is_left(url: str) -> None:
    """Three operations need a GPU, which two workers may have; they keep no default worker busy."""
    found = ask(url, ON_GPUS, workers=ONE_GROUP)
    assert isinstance(found, Resolved)
    assert (found.groups, found.threads) == ({"gpu": 2}, 1)
    one = plan([constant("c", 1.0), operation("g", "resolve.segment", "c")], ("print", "g", "n"))
    compute(url, one)
    known = ask(url, one, workers=ONE_GROUP)
    assert isinstance(known, Resolved)
    assert (known.final_status is not None, known.groups) == (True, {})
    left = ask(
        url,
        plan(
            [
                constant("c", 1.0),
                operation("g", "resolve.segment", "c"),
                operation("a", "addition", "g", "c"),
            ],
            ("print", "a", "n"),
        ),
        workers=ONE_GROUP,
    )
    assert isinstance(left, Resolved)
    assert left.groups == {}


def test_the_least_workers_of_a_group_are_for_runs_that_compute(url: str) -> None:
    """Not for one whose runner only copies known files to another place."""
    group = dataclasses.replace(ONE_GROUP.others[0], min_workers=1)
    run = dataclasses.replace(ONE_GROUP, others=(group,))
    nodes = [constant("a", 5), constant("b", 3), operation("s", "addition", "a", "b")]
    document = plan(nodes, ("save", "s", "n.json"))
    for known, groups in ((False, {"gpu": 1}), (True, {})):
        if known:
            compute(url, document)
        found = ask(url, document, output_url="s3://out", workers=run)
        assert isinstance(found, Resolved)
        assert (found.final_status, found.groups) == (None, groups)


def test_a_resource_that_no_group_offers_is_refused(url: str) -> None:
    """Before anything is started, also where the operator may not read the store."""
    none = RunWorkers(WorkerKind("default", 8, 4))
    for options in (StoreOptions(), None):
        found = ask(url, ON_GPUS, workers=none, options=options)
        assert isinstance(found, Invalid)
        assert found.reason == "ResourcesNotOffered"
        assert found.message.startswith("resolve.segment needs a worker that offers GPU=1")


def test_groups_of_a_plan_that_only_the_runner_reads(url: str) -> None:
    """All of them, since their number of workers does not change during a run."""
    found = ask(url, source=None, behind="https://example.org/p.json", workers=ONE_GROUP)
    assert isinstance(found, Resolved)
    assert found.groups == {"gpu": 2}


def test_new_plan(url: str) -> None:
    """All operations of a new plan are left to compute."""
    found = ask(url)
    assert isinstance(found, Resolved)
    assert (found.final_status, found.threads, found.store_checked) == (None, 1, True)
    assert found.counts is not None
    assert (found.counts.total, found.counts.cached, found.counts.pending) == (1, 0, 1)
    assert (found.source_digest or "").startswith("sha256:")


def test_fully_cached_plan(url: str) -> None:
    """A fully cached plan has its results, typed and with digests."""
    compute(url, SUM)
    found = ask(url)
    assert isinstance(found, Resolved)
    assert found.final_status is not None
    assert found.final_status["progress"] == "1/1"
    results: Any = found.final_status["results"]
    assert (results[0]["goal"], results[0]["value"], results[0]["kind"]) == ("n", 8, "print")
    assert results[0]["digest"].startswith("sha256:")


@pytest.mark.parametrize(
    ("document", "expect", "unmet"),
    [
        (SUM, (Expected(goal="n", value=8),), ""),
        (SUM, (Expected(goal="n", value=9, within=0.5),), "n: expected 9 within 0.5, found 8.0"),
        (b'print "n" 5 / 2\nexpect "n" 2', (), "n: expected 2.0, found 2.5"),
    ],
    ids=["as expected", "another value", "in a program"],
)
def test_known_results_are_compared_with_what_is_expected(
    url: str, document: Any, expect: Any, unmet: str
) -> None:
    """By the values that the store has, as a runner does; the results are delivered anyway."""
    is_program = isinstance(document, bytes)
    compute(url, SUM if not is_program else compile_program(document.decode()))
    source = Document(document, "imgql", "program") if is_program else None
    found = ask(url, document, expect=expect, **({"source": source} if source else {}))
    assert isinstance(found, Resolved)
    assert found.final_status is not None
    assert found.unmet.endswith(unmet)
    assert bool(found.unmet) is bool(unmet)


def test_a_value_that_is_expected_of_nothing_makes_a_plan_invalid(url: str) -> None:
    """The message has the place in the resource and the nearest name."""
    found = ask(url, expect=(Expected(goal="nn", value=8),))
    assert isinstance(found, Invalid)
    assert "spec.expect[0]" in found.message
    assert "did you mean 'n'?" in found.message


@pytest.mark.parametrize(
    ("libraries", "is_known"),
    [({}, False), ({"SimpleITK": "0.1"}, False), ({"SimpleITK": version("SimpleITK")}, True)],
    ids=["not known", "another version", "the version of the results"],
)
def test_results_of_libraries_are_known_for_the_libraries_of_the_image(
    url: str, libraries: dict[str, str], is_known: bool
) -> None:
    """What is installed beside the operator does not matter; the runner looks the others up."""
    compute(url, BY_ITK)
    found = ask(url, BY_ITK, libraries=libraries)
    assert isinstance(found, Resolved)
    assert (found.final_status is not None) is is_known


def test_without_the_version_of_a_library_the_operator_counts_nothing(url: str) -> None:
    """The runner does, which knows it."""
    found = ask(url, BY_ITK)
    assert isinstance(found, Resolved)
    assert (found.counts, found.final_status, found.threads) == (None, None, 1)


@kernel("resolved.work", version=1)
def work(x: float) -> float:
    """Return the argument."""
    return x


WORK = plan(
    [
        *[constant(f"r{number}", float(number)) for number in range(40)],
        *[operation(f"o{number}", "resolved.work", f"r{number}") for number in range(40)],
    ],
    *[("print", f"o{number}", f"n{number}") for number in range(40)],
)


@pytest.mark.parametrize(
    ("seconds", "threads"),
    [(None, 40), (10.0, 40), (0.5, 4), (0.001, 1)],
    ids=["never measured", "long", "short", "very short"],
)
def test_recorded_costs_decide_how_many_threads_a_plan_keeps_busy(
    url: str, seconds: float | None, threads: int
) -> None:
    """40 operations need 40 threads, unless they would be idle most of the time."""
    if seconds is not None:
        open_store(url).costs.add(KernelCosts({"resolved.work": {0: Cost(64, seconds)}}))
    found = ask(url, WORK)
    assert isinstance(found, Resolved)
    assert found.threads == threads


def test_costs_are_read_once_and_never_for_known_plans(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plans that need nothing, and sums of numbers, cost no request more than before."""
    reads: list[CostStore] = []
    read = CostStore._read

    def count(costs: CostStore) -> tuple[KernelCosts, ObjectInfo | None]:
        reads.append(costs)
        return read(costs)

    monkeypatch.setattr(CostStore, "_read", count)
    ask(url, SUM)
    compute(url, SUM)
    ask(url, SUM)
    assert not reads
    ask(url, WORK)
    ask(url, WORK)
    assert len(reads) == 1


def test_partly_cached_plan(url: str) -> None:
    """Only operations that the store does not have are left to compute."""
    compute(url, SUM)
    more = plan(
        [*SUM["nodes"], operation("p", "multiplication", "s", "b")],
        ("print", "s", "n"),
        ("print", "p", "m"),
    )
    found = ask(url, more)
    assert isinstance(found, Resolved)
    assert found.final_status is None
    assert found.counts is not None
    assert (found.counts.total, found.counts.cached, found.counts.pending) == (2, 1, 1)


def test_cached_loop_has_the_counts_of_its_run(url: str) -> None:
    """Run and resolution count the same operations, also with a loop over a computed sequence."""
    loop = plan(
        [
            *[constant(f"c{number}", float(number)) for number in range(3)],
            operation("s", "sequence", "c2", "c0", "c1"),
            operation("o", "argsort", "s"),
            {
                "id": "f",
                "type": "closure",
                "variable": "k",
                "captures": {},
                "nodes": [
                    {"id": "k", "type": "parameter", "name": "k"},
                    operation("d", "addition", "k", "k"),
                ],
                "result": "d",
            },
            operation("m", "map", "f", "o"),
        ],
        ("print", "m", "v"),
    )
    engine = ExecutionEngine(open_store(url), write_files=False)
    ran = engine.execute_workplan(load_plan(loop)).progress
    found = ask(url, loop)
    assert isinstance(found, Resolved)
    assert found.final_status is not None
    assert found.counts is not None
    assert ran.total == ran.computed == found.counts.total == 6
    assert found.counts.cached == 2


def test_constant_goals_are_cached(url: str) -> None:
    """A plan whose goals are constants is fully cached."""
    found = ask(url, plan([constant("a", "hi")], ("print", "a", "greeting")))
    assert isinstance(found, Resolved)
    assert found.final_status is not None
    results: Any = found.final_status["results"]
    assert results[0]["value"] == "hi"


def test_results_that_do_not_fit_the_status(url: str) -> None:
    """Results that are truncated in the status or omitted are in the run's folder."""
    text = "x" * 3000
    nodes = [constant("short", 1), constant("text", text), constant("long", text * 3)]
    goals = [("print", "short", "a"), ("print", "long", "b")]
    goals += [("print", "text", f"t{at}") for at in range(80)]
    found = ask(url, plan(nodes, *goals))
    assert isinstance(found, Resolved)
    part: Any = found.final_status
    shown = part["results"]
    assert shown[1]["truncated"] is True
    assert part["resultsOmitted"] + len(shown) == 82
    assert part["resultsOmitted"] > 0
    assert part["runURL"].endswith("/runs/ns/wp/u-1")
    report = open_store(url).read_run_file("ns/wp/u-1/results.json")
    assert report is not None
    whole = msgspec.json.decode(report)["results"]
    assert [one["goal"] for one in whole] == [name for _, _, name in goals]
    assert whole[1]["value"] == text * 3
    short: Any = ask(url, plan(nodes, goals[0]))
    assert "runURL" not in short.final_status, "nothing is written that the status says"


@pytest.mark.parametrize("cache", ["Refresh", "Bypass"])
def test_cache_modes_that_compute_anew(url: str, cache: Any) -> None:
    """With Refresh and Bypass nothing is cached."""
    compute(url, SUM)
    found = ask(url, cache=cache)
    assert isinstance(found, Resolved)
    assert found.final_status is None


@pytest.mark.parametrize(
    ("document", "part"),
    [
        (b"{", "$"),
        (plan([operation("s", "additoin", "s", "s")], ("print", "s", "n")), "additoin"),
        (plan([], ("print", "s", "n")), "$.goals[0]"),
    ],
)
def test_invalid_plans(url: str, document: Any, part: str) -> None:
    """An invalid document is reported with its path, even if the store is not read."""
    for options in (StoreOptions(), None):
        found = ask(url, document, options=options)
        assert isinstance(found, Invalid)
        assert found.reason == "InvalidPlan"
        assert part in found.message


@pytest.mark.parametrize("address", ["/data/x.nii", "file:///data/x.nii", "x.nii"])
def test_local_inputs(url: str, address: str) -> None:
    """Inputs on local paths are rejected, and the message has the path."""
    nodes = [
        constant("u", address),
        operation("i", "load", "u"),
        operation("v", "vox1.volume", "i"),
    ]
    found = ask(url, plan(nodes, ("print", "v", "n")))
    assert isinstance(found, Invalid)
    assert found.reason == "InputNotAllowed"
    assert address in found.message


def test_inputs_that_the_operator_may_not_read(url: str) -> None:
    """A plan with an input that the operator may not read has work left, not counted yet."""
    nodes = [
        constant("u", "s3://elsewhere/x.nii"),
        operation("i", "load", "u"),
        operation("v", "vox1.volume", "i"),
    ]
    found = ask(url, plan(nodes, ("print", "v", "n")))
    assert isinstance(found, Resolved)
    assert (found.final_status, found.counts) == (None, None)
    assert (found.threads or 0) >= 1


def test_names_that_leave_the_output_folder(url: str) -> None:
    """A saved file whose name leaves the output folder makes the plan invalid."""
    nodes = [constant("a", 5), constant("b", 3), operation("s", "addition", "a", "b")]
    for name in ("../x.json", "/x.json", "a/../../x.json", "s3://other/x.json"):
        found = ask(url, plan(nodes, ("save", "s", name)), output_url="s3://out")
        assert isinstance(found, Invalid), name
        assert (found.reason, "$.goals[0].name" in found.message) == ("InvalidPlan", True)


def test_digest_of_the_source(url: str) -> None:
    """A document with a digest other than the given one is invalid."""
    found = ask(url, digest=f"sha256:{'0' * 64}")
    assert isinstance(found, Invalid)
    assert found.reason == "SourceDigestMismatch"


def test_plan_behind_a_url_that_the_operator_may_not_read(url: str) -> None:
    """A document that the operator may not read is left to the runner."""
    found = ask(url, source=None, behind="s3://elsewhere/plan.json")
    assert isinstance(found, Resolved)
    assert (found.threads, found.final_status) == (None, None)


@pytest.mark.parametrize("options", [None, StoreOptions()])
@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("file:///etc/passwd.json", "InputNotAllowed"),
        ("/data/plan.json", "InputNotAllowed"),
        ("gs://bucket/plan.json", "InputNotAllowed"),
        ("s3://elsewhere/plan.txt", "InvalidPlan"),
        ("s3://", "InvalidPlan"),
    ],
)
def test_invalid_urls(url: str, address: str, reason: str, options: Any) -> None:
    """A URL that no pod can read is invalid: no cluster is started for it."""
    found = ask(url, source=None, behind=address, options=options)
    assert isinstance(found, Invalid)
    assert found.reason == reason
    assert address in found.message


def test_store_that_the_operator_may_not_read(url: str) -> None:
    """Without credentials the store is left to the runner; the plan is checked anyway."""
    found = ask(url, options=None)
    assert isinstance(found, Resolved)
    assert (found.store_checked, found.threads) == (False, 1)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StoreUnreachable("no answer"), "StoreUnreachable"),
        (StoreAccessDenied("wrong key"), "StoreAccessDenied"),
    ],
)
def test_store_that_does_not_answer(
    url: str, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    """A store that is unreachable or denies access is a transient failure."""

    def probe(self: ResultStore) -> None:
        raise error

    monkeypatch.setattr(ResultStore, "probe", probe)
    assert ask(url) == TransientFailure(reason, str(error))


@pytest.mark.parametrize("error", [MemoryError(), RecursionError()])
def test_plan_that_needs_too_much(
    url: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Where memory is short there is no answer; a plan that is nested too deeply is invalid."""

    def read_plan(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("voxk8s.cluster.plan_source.read_source_plan", read_plan)
    if isinstance(error, MemoryError):
        with pytest.raises(AssertionError):
            ask(url)
        return
    found = ask(url)
    assert isinstance(found, Invalid)
    assert found.reason == "PlanTooLarge"


def test_fully_cached_plan_takes_one_look_up(url: str) -> None:
    """A fully cached plan costs one look-up per goal."""
    compute(url, SUM)
    asked: list[int] = []
    real = ResultStore.contains

    def contains(self: ResultStore, keys: Any) -> set[str]:
        keys = list(keys)
        asked.append(len(keys))
        return real(self, keys)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResultStore, "contains", contains)
        ask(url)
    assert max(asked) == 1
    assert len(asked) <= 2


def test_deep_plan_takes_few_look_ups(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain of 1,000 operations takes few requests to the store."""
    nodes = [constant("n0", 1), *(operation(f"n{n}", "addition", f"n{n - 1}", "n0")
                                  for n in range(1, 1001))]  # fmt: skip
    asked: list[int] = []

    def contains(self: ResultStore, keys: Any) -> set[str]:
        asked.append(len(list(keys)))
        return set()

    monkeypatch.setattr(ResultStore, "contains", contains)
    found = ask(url, plan(nodes, ("print", "n1000", "x")))
    assert isinstance(found, Resolved)
    assert found.counts is not None
    assert found.counts.pending == 1000
    assert len(asked) < 25


def test_few_cheap_operations_are_looked_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only some of many cheap operations are looked up: computing them costs less."""
    rows = [
        [operation(f"n{row}x{at}", "addition", f"n{row - 1}x{at}" if row else "a", f"c{at}")
         for at in range(500)]
        for row in range(40)
    ]  # fmt: skip
    nodes = [constant("a", 1), *(constant(f"c{at}", at) for at in range(500))]
    nodes += [node for row in rows for node in row]
    asked: list[int] = []

    def contains(self: ResultStore, keys: Any) -> set[str]:
        asked.append(len(list(keys)))
        return set()

    monkeypatch.setattr(ResultStore, "contains", contains)
    found = ask(url, plan(nodes, *(("print", f"n39x{at}", f"x{at}") for at in range(500))))
    assert isinstance(found, Resolved)
    assert found.counts is not None
    assert found.counts.pending == 20_000
    assert sum(asked) < 10_000


def test_files_for_another_place_need_a_runner(url: str) -> None:
    """A fully cached plan whose files are copied out of the store needs a runner."""
    nodes = [constant("a", 5), constant("b", 3), operation("s", "addition", "a", "b")]
    document = plan(nodes, ("save", "s", "n.json"))
    compute(url, document)
    known = ask(url, document)
    assert isinstance(known, Resolved)
    assert known.final_status is not None
    results: Any = known.final_status["results"]
    assert results[0]["url"].startswith(url)
    copied = ask(url, document, output_url="s3://out")
    assert isinstance(copied, Resolved)
    assert copied.final_status is None


def test_a_plan_that_needs_no_runner_marks_its_results_as_used(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise results that only the operator reads would be collected."""
    ExecutionEngine(open_store(url)).execute_workplan(load_plan(SUM))
    [record] = [path for path in (tmp_path / "store" / "ac").rglob("*") if path.is_file()]
    os.utime(record, (0, 0))
    hold_refreshes(monkeypatch)
    found = ask(url)
    assert isinstance(found, Resolved)
    assert found.final_status is not None
    assert record.stat().st_mtime > 0


def test_a_full_domain_gets_known_results_and_nothing_new(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond its bytes, what is not known waits with the reason."""

    def refuse(*_: object) -> None:
        raise InputNotAllowed("not for the operator")

    assert isinstance(ask(url, max_bytes=10**9), Resolved), "there is room"
    compute(url, SUM)
    new = plan([constant("a", 5), operation("s", "subtraction", "a", "a")], ("print", "s", "n"))
    known = ask(url, max_bytes=1)
    assert isinstance(known, Resolved)
    assert known.final_status is not None
    monkeypatch.setattr("voxk8s.controller.resolve.resolve_plan.store_usage", StoreUsage())
    waits = ask(url, new, max_bytes=1)
    assert isinstance(waits, TransientFailure)
    assert waits.reason == "StoreFull"
    monkeypatch.setattr(plan_source, "fetch_document", refuse)
    behind = ask(url, source=None, behind="s3://none/plan.json", max_bytes=1)
    assert isinstance(behind, TransientFailure), "it may have anything to compute"
