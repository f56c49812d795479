"""A run of a WorkPlan that ends before it needs a scheduler."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.runner_scene import RunnerScene
from voxk8s.runner.publish_status import WorkPlanGone

NO_SCHEDULER = "tcp://127.0.0.1:1"


async def test_an_invalid_plan_ends_the_run(tmp_path: Path) -> None:
    """A plan that the operator could not check is refused by the runner, with its path."""
    store = (tmp_path / "store").as_uri()
    scene = RunnerScene(NO_SCHEDULER, store, source={"plan": {"nodes": [], "goals": [{"x": 1}]}})
    await scene.run.run()
    assert scene.status["outcome"]["reason"] == "InvalidPlan"
    assert "$.goals[0]" in scene.status["outcome"]["message"]


async def test_an_invalid_program_ends_the_run(tmp_path: Path) -> None:
    """A program with an error ends the run with the line of the error."""
    store = (tmp_path / "store").as_uri()
    scene = RunnerScene(NO_SCHEDULER, store, source={"program": 'print "a" unknown(1)'})
    await scene.run.run()
    assert scene.status["outcome"]["reason"] == "InvalidProgram"
    assert "1:11" in scene.status["outcome"]["message"]


async def test_a_deleted_workplan_ends_the_runner(tmp_path: Path) -> None:
    """A runner without its WorkPlan ends."""
    scene = RunnerScene(NO_SCHEDULER, (tmp_path / "store").as_uri())
    scene.kube.objects.clear()
    with pytest.raises(WorkPlanGone):
        await scene.run.run()
