"""The operator as a whole: leading, readiness and shutdown."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
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


class SlowKube(ScriptedKube):
    """An API server with slow responses, so that other tasks run meanwhile."""

    async def find(
        self, resource: ApiResource, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        """Read one object or None, with a delay."""
        found = await super().find(resource, name, namespace)
        await asyncio.sleep(0.001)
        return found

    @property
    def holder(self) -> str:
        """The holder of the lease."""
        lease = self.objects.get(("Lease", "system", "lease"))
        return str(lease["spec"]["holderIdentity"]) if lease else ""

    @property
    def holders_pod(self) -> str:
        """The pod of the process that holds the lease."""
        return self.holder.partition("_")[0]


@pytest.fixture
def kube() -> SlowKube:
    """An API server without objects."""
    return SlowKube()


@pytest.fixture
def operator(kube: SlowKube, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator that renews its lease without pauses and needs no warm-up."""

    async def warm_up(_: ProcessPool) -> None:
        return

    monkeypatch.setattr(ProcessPool, "warm_up", warm_up)
    client: Any = kube
    made = Operator(client, CONFIG)
    made._elector.retry = 0.0
    return made


async def test_stop_releases_the_lease(kube: SlowKube, operator: Operator) -> None:
    """An operator that is stopped releases its lease, and does not take it back."""
    stop = asyncio.Event()
    running = asyncio.create_task(operator.run(stop))
    await until(lambda: kube.calls["replace Lease"] > 3)
    assert kube.holders_pod == "op-1"
    stop.set()
    assert await asyncio.wait_for(running, 10)
    assert kube.holder == ""


async def test_termination_message_names_the_leader(
    kube: SlowKube, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, operator: Operator
) -> None:
    """A process that leads has announced the identity in the lease as its termination message."""
    log = tmp_path / "termination-log"
    log.touch()
    operator._config = replace(CONFIG, termination_log=log)
    stop = asyncio.Event()
    running = asyncio.create_task(operator.run(stop))
    await until(lambda: kube.holder != "")
    assert log.read_text() == kube.holder
    stop.set()
    assert await asyncio.wait_for(running, 10)


async def test_ready_after_the_warm_up(
    kube: SlowKube, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A synced operator is not ready before its processes are warm."""
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
