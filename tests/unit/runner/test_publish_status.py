"""Writing the runner's part of the status."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from tests.support.scripted_kube import ScriptedKube
from voxk8s.cluster.kube_errors import KubeUnreachable, Overloaded
from voxk8s.execution.events import Progress, ProgressChanged
from voxk8s.inputs.input_options import InputOptions
from voxk8s.runner.publish_status import StatusPublisher, WorkPlanGone
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.runner.status_reporter import StatusReporter

CONFIG = RunnerConfig("ns", "wp", "u-1", "tcp://s:8786", "memory://x", InputOptions())


@pytest.fixture
def kube() -> ScriptedKube:
    """An API server with the WorkPlan."""
    kube = ScriptedKube()
    kube.put({"kind": "WorkPlan", "metadata": {"namespace": "ns", "name": "wp", "uid": "u-1"}})
    return kube


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that every sleep advances."""
    moment = [100.0]
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        moment[0] += seconds
        await real(0)

    monkeypatch.setattr("voxk8s.runner.publish_status.asyncio.sleep", sleep)
    return moment


@pytest.fixture
def publisher(kube: ScriptedKube, now: list[float]) -> StatusPublisher:
    """A publisher with that clock."""
    return StatusPublisher(kube, CONFIG, lambda: now[0])  # type: ignore[arg-type]  # it has the methods that are used


async def test_writes_as_the_runner(kube: ScriptedKube, publisher: StatusPublisher) -> None:
    """Fields are applied by the runner's own field manager, for this WorkPlan and no other."""
    await publisher.publish({"progress": "1/2"})
    assert kube.applied == [("voxk8s-runner", {"progress": "1/2"})]
    assert kube.calls["apply in part"] == 1, "the response contained the plan"


async def test_transient_errors_are_retried(kube: ScriptedKube, publisher: StatusPublisher) -> None:
    """The outcome is written although the API server does not answer at first."""
    kube.fail("apply", KubeUnreachable("away"), Overloaded("busy", 429))
    await publisher.publish({"progress": "2/2"})
    assert kube.calls["apply"] == 3


async def test_long_outage_is_raised(kube: ScriptedKube, publisher: StatusPublisher) -> None:
    """A long outage of the API server ends the attempt, so that a new pod tries again."""
    kube.fail("apply", *[KubeUnreachable("away")] * 1000)
    with pytest.raises(KubeUnreachable):
        await publisher.publish({"progress": "2/2"})


@pytest.mark.parametrize("change", ["deleted", "replaced"])
async def test_workplan_is_gone(
    kube: ScriptedKube, publisher: StatusPublisher, change: str
) -> None:
    """A WorkPlan that was deleted, or replaced under its name, ends the run."""
    thing = kube.objects.pop(("WorkPlan", "ns", "wp"))
    if change == "replaced":
        thing["metadata"]["uid"] = "u-2"
        kube.put(thing)
    with pytest.raises(WorkPlanGone):
        await publisher.publish({"progress": "2/2"})


async def test_changes_are_written_at_most_once_a_second(
    kube: ScriptedKube, publisher: StatusPublisher, now: list[float]
) -> None:
    """Writes are at least a second apart, and unchanged fields are not written."""
    reporter = StatusReporter()
    times: list[float] = []
    original = kube.apply

    async def apply(*args: Any, **kwargs: Any) -> Any:
        times.append(now[0])
        return await original(*args, **kwargs)

    kube.apply = apply  # type: ignore[method-assign]  # the API server of this test
    task = asyncio.create_task(publisher.publish_changes(reporter))
    real = asyncio.get_running_loop().time()
    for done in range(40):
        reporter(ProgressChanged(Progress(total=40, computed=done)))
        for _ in range(8):
            await asyncio.tasks.sleep(0)
    written = []
    for end in (now[0] + 5, now[0] + 10):
        while now[0] < end:
            await asyncio.tasks.sleep(0)
            assert asyncio.get_running_loop().time() - real < 10
        written.append(len(times))
    task.cancel()
    assert written[0] == written[1]
    assert times[0] == 101.0
    assert all(b - a >= 0.999 for a, b in itertools.pairwise(times))
    assert kube.applied[-1][1]["operations"]["computed"] == 39
