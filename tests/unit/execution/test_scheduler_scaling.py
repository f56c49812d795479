"""What dask-kubernetes' autoscaler is told by a scheduler with workers of several groups."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import dask
import pytest
from distributed import Client, Scheduler, SpecCluster, Worker

from tests.support.waiting import wait_until
from voxk8s.constants import ENV_WORKER_OFFERS, GROUP_MARK
from voxk8s.execution.scheduler_scaling import adaptive_target

MODULE = "voxk8s.execution.scheduler_scaling"
_SETTINGS = {
    "distributed.scheduler.http.routes": [MODULE, "distributed.http.scheduler.api"],
    "distributed.scheduler.worker-saturation": "inf",
    "distributed.scheduler.unknown-task-duration": "100s",
}
_go_on = threading.Event()


def _wait(_: int) -> bool:
    return _go_on.wait(30)


@pytest.fixture
def cluster() -> Iterator[SpecCluster]:
    """Two workers of the default group and one of a group with a GPU, with one thread each."""
    offers = {"a": {}, "b": {}, "gpu": {"GPU": 1, GROUP_MARK: 1}}
    workers = {
        name: {
            "cls": Worker,
            "options": {"name": name, "nthreads": 1, "resources": offer, "dashboard": False},
        }
        for name, offer in offers.items()
    }
    scheduler = {
        "cls": Scheduler,
        "options": {"dashboard_address": "127.0.0.1:0", "dashboard": False, "preload": [MODULE]},
    }
    _go_on.clear()
    with dask.config.set(_SETTINGS), SpecCluster(workers, scheduler) as cluster:
        yield cluster
        _go_on.set()


def _ask(cluster: SpecCluster, path: str, body: dict[str, int] | None = None) -> Any:
    scheduler: Any = cluster.scheduler
    url = f"http://127.0.0.1:{scheduler.http_server.port}/api/v1/{path}"
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(url, data, timeout=10) as answer:
        return json.load(answer)


def test_only_the_work_and_the_workers_of_the_default_group_count(cluster: SpecCluster) -> None:
    """Work for GPUs asks for no default workers, other work does, also if a GPU worker has it."""
    with Client(cluster) as client:
        client.wait_for_workers(3)
        waiting = client.map(_wait, range(6), resources={"GPU": 1})
        wait_until(lambda: sum(map(len, client.processing().values())) == 6)
        assert _ask(cluster, "adaptive_target") == {"workers": 0}
        others = client.map(_wait, range(10, 17))
        wait_until(lambda: sum(map(len, client.processing().values())) == 13)
        assert _ask(cluster, "adaptive_target") == {"workers": 7}
        retired = _ask(cluster, "retire_workers", {"n": 3})
        assert {worker["name"] for worker in retired.values()} == {"a", "b"}
        _go_on.set()
        assert all(client.gather([*waiting, *others]))


@dataclass(eq=False)
class _Task:
    resource_restrictions: dict[str, float]
    prefix: None = None


def test_work_for_gpus_of_the_default_group_gets_workers_when_there_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing else would bring them back; work that only other groups can do does not."""
    task = _Task({"GPU": 1.0})
    scheduler: Any = SimpleNamespace(
        workers={},
        queued=(),
        unrunnable={task: 0.0},
        _get_prefix_duration=lambda _: 1.0,
        workers_to_close=list,
    )
    assert adaptive_target(scheduler) == 0
    monkeypatch.setenv(ENV_WORKER_OFFERS, '[{"GPU": 1.0}]')
    assert adaptive_target(scheduler) == 1
    task.resource_restrictions = {"GPU": 2.0}
    assert adaptive_target(scheduler) == 0
