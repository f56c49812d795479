"""A WorkPlan with its API server, its store and its runner, for tests of the runner."""

from __future__ import annotations

from typing import Any

from tests.support.scripted_kube import ScriptedKube
from voxk8s.inputs.input_options import InputOptions
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.runner.workplan_run import WorkPlanRun

SUM = {
    "nodes": [
        {"id": "a", "type": "constant", "value": 5},
        {"id": "b", "type": "constant", "value": 3},
        {"id": "s", "type": "operation", "operator": "addition", "arguments": {"0": "a", "1": "b"}},
    ],
    "goals": [
        {"operation": "print", "id": "s", "name": "sum"},
        {"operation": "save", "id": "s", "name": "sum.json"},
    ],
}


class RunnerScene:
    """One WorkPlan, its API server, its store and its runner."""

    def __init__(self, scheduler: str, store: str, **spec: Any) -> None:
        self.kube = ScriptedKube()
        self.store = store
        self.kube.put(
            {
                "apiVersion": "voxk8s.io/v1alpha1",
                "kind": "WorkPlan",
                "metadata": {"namespace": "ns", "name": "wp", "uid": "u-1", "generation": 1},
                "spec": {"source": {"plan": SUM}, **spec},
                "status": {"observedGeneration": 1},
            }
        )
        config = RunnerConfig(
            "ns", "wp", "u-1", scheduler, store, InputOptions(local_allowed=False)
        )
        kube: Any = self.kube
        self.run = WorkPlanRun(kube, config)

    @property
    def status(self) -> dict[str, Any]:
        """The status as the API server has it."""
        found: dict[str, Any] = self.kube.objects["WorkPlan", "ns", "wp"]["status"]
        return found
