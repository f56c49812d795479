"""The runner on a real Dask cluster in processes, with a store in a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from tests.support.html import Element, read_page
from tests.support.runner_scene import RunnerScene
from tests.support.waiting import wait_until
from voxk8s.api.runner_status import parse_finished
from voxk8s.errors import SchedulerLost, StoreUnreachable
from voxk8s.execution import ExecutionEngine
from voxk8s.failure import failure_of
from voxk8s.runner import run_report
from voxk8s.storage import ResultStore, open_store


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with one worker process; test kernels are on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOXK8S_TEST_KERNELS", "1")
        with LocalCluster(
            n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None
        ) as cluster:
            yield cluster.scheduler_address


@pytest.fixture
async def scene(scheduler: str, tmp_path: Path) -> RunnerScene:
    """A WorkPlan that asks for a sum."""
    return RunnerScene(scheduler, (tmp_path / "store").as_uri())


async def test_new_plan_is_computed(scene: RunnerScene) -> None:
    """The run ends with values, a file in the store, counts, and the outcome in one write."""
    await scene.run.run()
    status = scene.status
    assert status["outcome"]["state"] == "Succeeded"
    assert status["progress"] == "2/2"
    assert (status["operations"]["total"], status["operations"]["computed"]) == (2, 2)
    value, saved = status["results"]
    assert (value["goal"], value["value"]) == ("sum", 8)
    blob = open_store(scene.store).read_blob(saved["digest"].removeprefix("sha256:"))
    assert float(blob) == 8
    manager, last = scene.kube.applied[-1]
    assert manager == "voxk8s-runner"
    assert {"results", "outcome", "progress", "operations"} <= set(last)


async def test_what_the_workers_did_is_in_the_outcome(scene: RunnerScene) -> None:
    """What workers stored, and the work of their kernels; nothing is known the first time."""
    await scene.run.run()
    outcome = scene.status["outcome"]
    assert outcome["store"]["unknown"] == outcome["store"]["created"] == 2
    assert "known" not in outcome["store"]
    assert sum(work["computed"] for work in outcome["kernels"]) == 2
    assert all(work["bytes"] > 0 for work in outcome["kernels"])


async def test_a_value_that_is_not_as_expected(scheduler: str, tmp_path: Path) -> None:
    """The run fails by its reason, in the report too, and all results are delivered."""
    expect = [{"goal": "sum", "value": 9, "within": 0.5}]
    scene = RunnerScene(scheduler, (tmp_path / "store").as_uri(), expect=expect)
    await scene.run.run()
    outcome = scene.status["outcome"]
    assert (outcome["state"], outcome["reason"]) == ("Failed", "ExpectationFailed")
    assert "sum: expected 9 within 0.5, found 8" in outcome["message"]
    assert [each["goal"] for each in scene.status["results"]] == ["sum", "sum.json"]
    page = open_store(scene.store).read_run_file("ns/wp/u-1/report.html") or b""
    assert "sum: expected 9 within 0.5, found 8" in page.decode()


async def test_report_lies_in_the_folder_of_the_run(scene: RunnerScene) -> None:
    """All results are in the run's folder of the store."""
    await scene.run.run()
    assert scene.status["runURL"] == f"{scene.store}/runs/ns/wp/u-1"
    assert b'"sum"' in (open_store(scene.store).read_run_file("ns/wp/u-1/results.json") or b"")


async def test_report_is_stored_in_the_run_folder(scene: RunnerScene) -> None:
    """The status has its URL; it links to the files, and the timeline names the worker."""
    await scene.run.run()
    url = scene.status["report"]["url"]
    assert url == f"{scene.store}/runs/ns/wp/u-1/report.html"
    page = read_page(
        (open_store(scene.store).read_run_file("ns/wp/u-1/report.html") or b"").decode()
    )
    assert "ns/wp succeeded" in page.find("h1")[0].text
    assert page.find("svg", class_="timeline")[0].find("title")
    digest = scene.status["results"][1]["digest"].removeprefix("sha256:")
    (link,) = (each for each in page.find("a") if "download" in each.attributes)
    assert link.attributes["href"] == f"./../../../../cas/sha256/{digest[:2]}/{digest[2:]}"


@pytest.mark.parametrize("fault", ["make", "write"])
async def test_page_that_is_not_to_be_had_fails_no_run(
    scene: RunnerScene,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    """If the report fails, the results are complete, and the log has a warning."""
    real = ResultStore.write_run_file

    def write(self: ResultStore, path: str, data: bytes, media_type: str) -> str:
        if path.endswith(".html"):
            raise StoreUnreachable("away")
        return real(self, path, data, media_type)

    if fault == "make":
        monkeypatch.setattr("voxk8s.runner.run_report.report", None)
    else:
        monkeypatch.setattr(ResultStore, "write_run_file", write)
    await scene.run.run()
    status = scene.status
    assert status["outcome"]["state"] == "Succeeded"
    assert "report" not in status
    assert status["runURL"] == f"{scene.store}/runs/ns/wp/u-1"
    assert "report" in caplog.text


async def test_second_run_computes_nothing(scene: RunnerScene, scheduler: str) -> None:
    """What an earlier runner stored counts as cached."""
    await scene.run.run()
    again = RunnerScene(scheduler, scene.store)
    await again.run.run()
    assert again.status["operations"]["computed"] == 0
    assert again.status["results"] == scene.status["results"]


async def test_lost_scheduler(scene: RunnerScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler that is lost in the middle is waited for, and the run goes on."""
    attempts: list[int] = []
    real = ExecutionEngine.execute_workplan

    def execute(self: ExecutionEngine, plan: Any, **options: Any) -> Any:
        attempts.append(1)
        if len(attempts) == 1:
            raise SchedulerLost("gone")
        return real(self, plan, **options)

    monkeypatch.setattr(ExecutionEngine, "execute_workplan", execute)
    monkeypatch.setattr("voxk8s.runner.workplan_run.FIRST_PAUSE", 0.01)
    await scene.run.run()
    assert len(attempts) == 2
    assert scene.status["outcome"]["state"] == "Succeeded"


async def test_store_that_goes_away(scene: RunnerScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreachable store is reported in `waiting`, and the run continues when it is back."""
    real = ExecutionEngine.execute_workplan
    failures = [StoreUnreachable("no answer from s3")]
    probes: list[int] = []
    reported = asyncio.Event()
    loop = asyncio.get_running_loop()

    def execute(self: ExecutionEngine, plan: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(self, plan, **options)

    def probe(self: Any) -> None:
        if failures:
            return  # the first look-up, before there is anything to report
        probes.append(1)
        asyncio.run_coroutine_threadsafe(reported.wait(), loop).result(20)

    original = scene.kube.apply

    async def apply(*args: Any, **kwargs: Any) -> Any:
        if "waiting" in args[1]["status"]:
            reported.set()
        return await original(*args, **kwargs)

    monkeypatch.setattr(ExecutionEngine, "execute_workplan", execute)
    monkeypatch.setattr(type(scene.run._store), "probe", probe)
    monkeypatch.setattr(scene.kube, "apply", apply)
    monkeypatch.setattr("voxk8s.runner.workplan_run.FIRST_PAUSE", 0.01)
    await scene.run.run()
    waited = [part["waiting"] for _, part in scene.kube.applied if "waiting" in part]
    assert waited[0] == {"reason": "StoreUnreachable", "message": "no answer from s3"}
    assert "waiting" not in scene.status
    assert scene.status["outcome"]["state"] == "Succeeded"
    assert probes


async def test_store_that_goes_away_while_operations_run(
    scene: RunnerScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Operations that failed because the store was unreachable are computed again."""
    real = ExecutionEngine.execute_workplan
    attempts: list[int] = []

    def execute(self: ExecutionEngine, plan: Any, **options: Any) -> Any:
        attempts.append(1)
        result = real(self, plan, **options)
        if len(attempts) > 1:
            return result
        silent = failure_of(StoreUnreachable("away"), kernel="default.addition", attempts=4)
        return replace(result, failures=(silent,))

    monkeypatch.setattr(ExecutionEngine, "execute_workplan", execute)
    monkeypatch.setattr("voxk8s.runner.workplan_run.FIRST_PAUSE", 0.01)
    await scene.run.run()
    assert len(attempts) == 2
    assert scene.status["outcome"]["state"] == "Succeeded"


async def test_failures_of_a_program_name_its_lines(scheduler: str, tmp_path: Path) -> None:
    """Failures in the status begin with the program's line and column, in loops too."""
    program = 'print "a" 1 / 0\nprint "b" for i in $ITEMS do\n  [7][i]\n'
    scene = RunnerScene(
        scheduler,
        (tmp_path / "store").as_uri(),
        source={"program": program, "parameters": {"ITEMS": "range(0, 2)"}},
    )
    await scene.run.run()
    messages = sorted(failure["message"] for failure in scene.status["failures"])
    assert [message.split(": ")[0] for message in messages] == ["program:1:13", "program:3:6"]
    assert "division by zero" in messages[0]
    assert "program:1:13: " in scene.status["outcome"]["message"]


async def test_progress_of_an_earlier_attempt(scheduler: str, tmp_path: Path) -> None:
    """The progress of a second attempt never falls below that of the first."""
    scene = RunnerScene(scheduler, (tmp_path / "store").as_uri())
    scene.status["progress"] = "1/2"
    await scene.run.run()
    progress = [part["progress"] for _, part in scene.kube.applied if "progress" in part]
    assert all(parse_finished(each) >= 1 for each in progress)
    assert progress[-1] == "2/2"


def _chain(length: int, seconds: float) -> dict[str, Any]:
    first = {"id": "n0", "type": "constant", "value": seconds}
    nodes = [
        {
            "id": f"n{number + 1}",
            "type": "operation",
            "operator": "test.sleep",
            "arguments": {"0": f"n{number}"},
        }
        for number in range(length)
    ]
    goals = [
        {"operation": "print", "id": f"n{number}", "name": f"n{number}"}
        for number in range(1, length + 1)
    ]
    return {"nodes": [first, *nodes], "goals": goals}


async def test_stopped_run_is_resumed_by_the_next(scheduler: str, tmp_path: Path) -> None:
    """A terminated runner ends soon without an outcome; the next continues from the store."""
    source = {"plan": _chain(40, 0.1)}
    store = (tmp_path / "store").as_uri()
    first = RunnerScene(scheduler, store, source=source)
    work = asyncio.create_task(first.run.run())
    await asyncio.to_thread(
        wait_until, lambda: first.status.get("operations", {}).get("computed", 0) >= 2
    )
    assert first.run.stop()
    async with asyncio.timeout(5):
        assert not await work
    assert "outcome" not in first.status
    assert first.status["operations"]["running"] == 0
    reported = first.status["report"]["url"]
    partial = _report(store)
    assert partial.find("h1")[0].text.strip() == "ns/wp stopped"
    assert "This report is partial" in partial.text
    done = int(first.status["progress"].partition("/")[0])
    again = RunnerScene(scheduler, store, source=source)
    again.status.update(first.status)
    await again.run.run()
    counts = again.status["operations"]
    assert again.status["outcome"]["state"] == "Succeeded"
    assert counts["cached"] >= 2
    assert counts["cached"] + counts["computed"] == counts["total"] == 40
    assert len(again.status["results"]) == 40
    assert 0 < done < 40
    assert again.status["progress"] == "40/40"
    assert again.status["report"]["url"] == reported
    assert _report(store).find("h1")[0].text.strip() == "ns/wp succeeded"


async def test_run_whose_cluster_goes_with_it(tmp_path: Path) -> None:
    """Who suspends a run deletes its scheduler too: its report still has what was computed."""
    store = (tmp_path / "store").as_uri()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOXK8S_TEST_KERNELS", "1")
        cluster = await asyncio.to_thread(_one_worker)
    try:
        scene = RunnerScene(cluster.scheduler_address, store, source={"plan": _chain(40, 0.1)})
        work = asyncio.create_task(scene.run.run())
        await asyncio.to_thread(
            wait_until, lambda: scene.status.get("operations", {}).get("computed", 0) >= 2
        )
    finally:
        closing = asyncio.create_task(asyncio.to_thread(cluster.close))
    assert scene.run.stop()
    async with asyncio.timeout(5):
        assert not await work
    await closing
    page = _report(store)
    assert page.find("h1")[0].text.strip() == "ns/wp stopped"
    assert len(page.find("svg", class_="timeline")[0].find("title")) >= 2


@pytest.mark.parametrize("moment", ["reached", "reported"])
async def test_a_run_that_ends_while_it_is_stopped(
    scene: RunnerScene, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """What has reached every goal has its outcome, which is still delivered."""
    stops: list[bool] = []
    real = ExecutionEngine.execute_workplan

    def execute(self: ExecutionEngine, plan: Any, **options: Any) -> Any:
        result = real(self, plan, **options)
        if moment == "reached":
            stops.append(scene.run.stop())
        return result

    def build(*args: Any, **options: Any) -> str:
        if moment == "reported":
            stops.append(scene.run.stop())
        return "page"

    monkeypatch.setattr(ExecutionEngine, "execute_workplan", execute)
    monkeypatch.setattr(run_report, "build_report", build)
    assert await scene.run.run()
    assert stops == [True]
    assert scene.status["outcome"]["state"] == "Succeeded"
    assert [each["goal"] for each in scene.status["results"]] == ["sum", "sum.json"]


async def test_store_that_is_away_while_the_run_is_stopped(
    scene: RunnerScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing waits for it: the pod would be killed before it is back."""

    def execute(self: ExecutionEngine, plan: Any, **options: Any) -> Any:
        scene.run.stop()
        raise StoreUnreachable("away")

    monkeypatch.setattr(ExecutionEngine, "execute_workplan", execute)
    with pytest.raises(asyncio.CancelledError):
        await scene.run.run()
    assert "waiting" not in scene.status


async def test_pictures_come_after_the_partial_report(
    scene: RunnerScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status has the report before anything is drawn, for which there may be no time."""
    order: list[str] = []
    real = run_report.build_report

    def build(*args: Any, pictures: bool, **kwargs: Any) -> str:
        order.append(f"pictures={pictures}, report={'report' in scene.status}")
        return real(*args, pictures=pictures, **kwargs)

    def execute(self: ExecutionEngine, plan: Any, **options: Any) -> Any:
        scene.run.stop()
        return execute_really(self, plan, **options)

    execute_really = ExecutionEngine.execute_workplan
    monkeypatch.setattr(ExecutionEngine, "execute_workplan", execute)
    monkeypatch.setattr(run_report, "build_report", build)
    assert not await scene.run.run()
    assert order == ["pictures=False, report=False", "pictures=True, report=True"]


def _report(store: str) -> Element:
    return read_page((open_store(store).read_run_file("ns/wp/u-1/report.html") or b"").decode())


def _one_worker() -> LocalCluster:
    return LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=":0")
