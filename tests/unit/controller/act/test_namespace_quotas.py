"""The ResourceQuota of each namespace with WorkPlans."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from voxk8s.cluster.kube_errors import Forbidden
from voxk8s.cluster.resources import RESOURCE_QUOTAS, ApiResource
from voxk8s.controller.act.namespace_quotas import NamespaceQuotas
from voxk8s.controller.observe.cluster_state import ClusterState

HARD: dict[str, int | str] = {"count/workplans.voxk8s.io": 5, "limits.memory": "10Gi"}


class Scene:
    """An operator's informers and a client that notes what is applied."""

    def __init__(self) -> None:
        self.state = ClusterState(lambda _: None, lambda _: None)
        self.applied: list[dict[str, Any]] = []
        self.errors: list[Exception] = []
        self.now = 0.0
        kube: Any = self
        self.quotas = NamespaceQuotas(kube, self.state, HARD, lambda: self.now)

    async def apply(
        self, resource: ApiResource, body: dict[str, Any], namespace: str, *, manager: str
    ) -> dict[str, Any]:
        """Note an object."""
        assert (resource, manager) == (RESOURCE_QUOTAS, "voxk8s-operator")
        assert body["metadata"]["namespace"] == namespace
        if self.errors:
            raise self.errors.pop()
        self.applied.append(body)
        return body

    def add(self, namespace: str, name: str = "wp") -> None:
        """Add a WorkPlan."""
        metadata = {"name": name, "namespace": namespace, "uid": f"{namespace}-{name}"}
        self.state.workplans.upsert(
            {"metadata": metadata, "spec": {"source": {"program": 'print "x" 1'}}}
        )

    async def write(self, now: float) -> list[str]:
        """Write at a time; return the namespaces whose quotas were written."""
        self.now, self.applied = now, []
        await self.quotas.write_due()
        return [body["metadata"]["namespace"] for body in self.applied]


async def test_each_namespace_gets_it_once() -> None:
    """And again after ten minutes: somebody may have deleted it."""
    scene = Scene()
    scene.add("a")
    scene.add("a", "other")
    assert await scene.write(0) == ["a"]
    (body,) = scene.applied
    assert body["metadata"]["name"] == "voxk8s"
    assert body["spec"] == {"hard": {"count/workplans.voxk8s.io": "5", "limits.memory": "10Gi"}}
    scene.add("b")
    assert await scene.write(1) == ["b"]
    assert await scene.write(599) == []
    assert await scene.write(600) == ["a"]


async def test_a_refusal_stops_no_other_namespace(caplog: pytest.LogCaptureFixture) -> None:
    """It is reported, and tried again after half a minute."""
    scene = Scene()
    scene.add("a")
    scene.add("b")
    scene.errors = [Forbidden("no", 403)]
    with caplog.at_level(logging.WARNING):
        assert await scene.write(0) == ["b"]
    assert "namespace a" in caplog.text
    assert await scene.write(29) == []
    assert await scene.write(31) == ["a"]


async def test_without_amounts_nothing_is_written() -> None:
    """The operator has no right to."""
    scene = Scene()
    scene.add("a")
    scene.quotas.hard = {}
    await scene.quotas.keep()
    assert scene.applied == []
