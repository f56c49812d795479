"""The operator as a whole: it leads, and leaves nothing behind when it is told to stop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.scripted_kube import ScriptedKube
from tests.support.waiting import until
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.resources import ApiResource
from voxk8s.controller.config import Config, StoreConfig
from voxk8s.controller.operator import Operator
from voxk8s.controller.resolve.process_pool import ProcessPool

CONFIG = Config(
    Defaults(engine_image="img:1", operator_namespace="system"),
    StoreConfig(),
    lease_name="lease",
    identity="op-1",
    health_port=0,
    metrics_port=0,
)


class DistantKube(ScriptedKube):
    """An API server whose answers take a while, in which others go on."""

    async def find(
        self, resource: ApiResource, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        """Read one object or None, later."""
        found = await super().find(resource, name, namespace)
        await asyncio.sleep(0.001)
        return found

    @property
    def holder(self) -> str:
        """Who holds the lease."""
        lease = self.objects.get(("Lease", "system", "lease"))
        return str(lease["spec"]["holderIdentity"]) if lease else ""


@pytest.fixture
def kube() -> DistantKube:
    """An API server that knows of nothing."""
    return DistantKube()


@pytest.fixture
def operator(kube: DistantKube, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator that renews its lease all the time, and whose look-ups are warm at once."""

    async def warm_up(_: ProcessPool) -> None:
        return

    monkeypatch.setattr(ProcessPool, "warm_up", warm_up)
    door: Any = kube
    made = Operator(door, CONFIG)
    made._elector.retry = 0.0
    return made


async def test_the_lease_is_free_after_a_stop(kube: DistantKube, operator: Operator) -> None:
    """An operator that is told to stop gives its lease up, and does not take it back."""
    stop = asyncio.Event()
    running = asyncio.create_task(operator.run(stop))
    await until(lambda: kube.calls["replace Lease"] > 3)
    assert kube.holder == "op-1"
    stop.set()
    assert await asyncio.wait_for(running, 10)
    assert kube.holder == ""


async def test_ready_when_look_ups_are(
    kube: DistantKube, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator that knows the cluster is not ready before its processes are."""
    warm, stop = asyncio.Event(), asyncio.Event()

    async def warm_up(_: ProcessPool) -> None:
        await warm.wait()

    monkeypatch.setattr(ProcessPool, "warm_up", warm_up)
    assert "informers" in operator.readiness_error()
    running = asyncio.create_task(operator.run(stop))
    await until(lambda: "processes" in operator.readiness_error())
    warm.set()
    await until(lambda: operator.readiness_error() == "")
    stop.set()
    assert await asyncio.wait_for(running, 10)
