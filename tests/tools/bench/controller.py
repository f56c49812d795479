"""The operator's own speed: decisions, whole reconciliations, and huge plans beside small ones.

Run with `make bench`, or `python -m tests.tools.bench.controller`. No cluster is needed: the
API server is a scripted one in memory, so what is measured is the operator.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec

from tests.support.scripted_kube import ScriptedKube
from tests.tools.bench.table import Row, median, show
from tests.unit.controller import observed_builders as build
from voxk8s.cluster.defaults import Defaults
from voxk8s.controller.act.action_executor import ActionExecutor
from voxk8s.controller.act.children import Children
from voxk8s.controller.act.event_recorder import EventRecorder
from voxk8s.controller.act.quota_writer import QuotaWriter
from voxk8s.controller.act.status_writer import StatusWriter
from voxk8s.controller.config import Config, StoreConfig
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.metrics import Metrics
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.reconciler import Reconciler
from voxk8s.controller.resolve.process_pool import ProcessPool
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.controller.start_queue import StartQueue
from voxk8s.controller.work_queue import WorkQueue
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.storage import open_store

COUNT = 500
HUGE = 50_000


def add(first: float) -> dict[str, Any]:
    """Return a plan of one addition."""
    return {
        "nodes": [
            {"id": "a", "type": "constant", "value": first},
            {"id": "s", "type": "operation", "operator": "addition",
             "arguments": {"0": "a", "1": "a"}},
        ],
        "goals": [{"operation": "print", "id": "s", "name": "sum"}],
    }  # fmt: skip


def chain(length: int) -> dict[str, Any]:
    """Return a plan of a long chain of additions."""
    nodes: list[dict[str, Any]] = [{"id": "n0", "type": "constant", "value": 1}]
    for number in range(1, length + 1):
        before = f"n{number - 1}"
        nodes.append(
            {"id": f"n{number}", "type": "operation", "operator": "addition",
             "arguments": {"0": before, "1": before}}
        )  # fmt: skip
    return {"nodes": nodes, "goals": [{"operation": "print", "id": f"n{length}", "name": "x"}]}


class Bench:
    """An operator on a scripted API server, with a store in a folder."""

    def __init__(self, store: str) -> None:
        self.kube = ScriptedKube()
        kube: Any = self.kube
        config = Config(
            Defaults(engine_image="img:1"),
            StoreConfig(url=store, prefixes=(store,)),
            identity="bench",
        )
        self.queue = WorkQueue(time.monotonic)
        self.state = ClusterState(self.queue.add, lambda plan: self.reconciler.forget(plan))
        # Confined processes reach stores on servers only, not a folder.
        context = get_context("spawn")
        pool = ProcessPool(
            config.resolvers,
            config.resolver_memory,
            executor=lambda: ProcessPoolExecutor(1, mp_context=context),
        )
        self.resolver = Resolver(pool, now)
        children = Children(kube, config, self.state)
        recorder = EventRecorder(kube, "bench", now)
        for informer in self.state.informers:
            informer.replace([])
        status = StatusWriter(kube, self.state)
        quota = QuotaWriter(kube, self.state, now)
        actor = ActionExecutor(
            kube, config, self.state, self.resolver, children, status, recorder, quota
        )
        self.reconciler = Reconciler(
            kube,
            self.queue,
            self.state,
            self.resolver,
            actor,
            Metrics(),
            now,
            StartQueue(config.limits, self.queue.add),
        )

    def apply(self, name: str, plan: dict[str, Any]) -> None:
        """Apply a WorkPlan."""
        thing = {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            "metadata": {"namespace": "ns", "name": name, "uid": f"u-{name}", "generation": 1},
            "spec": {"source": {"plan": plan}},
            "status": {"observedGeneration": -1},
        }
        self.state.workplans.upsert(self.kube.put(thing))

    def phase(self, name: str) -> str | None:
        """Return the phase of a WorkPlan."""
        found = self.state.workplans.get("ns", name)
        return found.status.phase if found else None


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


async def run_known(store: str) -> tuple[float, float]:
    """Return the seconds for many known plans, and for one of them beside a huge plan."""
    bench = Bench(store)
    await bench.resolver.pool.warm_up()
    running = asyncio.create_task(bench.reconciler.run(16, 3600))
    bench.apply("first", add(0.5))
    await until(lambda: bench.phase("first") == "Succeeded")
    start = time.perf_counter()
    for number in range(COUNT):
        bench.apply(f"w{number}", add(0.5))
    await until(lambda: all(bench.phase(f"w{n}") == "Succeeded" for n in range(COUNT)))
    many = time.perf_counter() - start
    bench.apply("huge", chain(HUGE))
    await asyncio.sleep(0.2)
    start = time.perf_counter()
    bench.apply("beside", add(0.5))
    await until(lambda: bench.phase("beside") == "Succeeded")
    beside = time.perf_counter() - start
    bench.queue.close()
    await running
    await bench.resolver.close()
    return many, beside


async def until(condition: Any) -> None:
    """Wait until a condition holds."""
    while not condition():  # noqa: ASYNC110 - the operator under test offers nothing to wait on
        await asyncio.sleep(0.005)


def main() -> None:
    """Measure and print the table."""
    observed = build.running()
    moment = build.later(3)
    one = median(lambda: [decide(observed, moment) for _ in range(1000)]) / 1000
    body = msgspec.json.encode(add(0.5))
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder).as_uri()
        engine = ExecutionEngine(open_store(store), write_files=False)
        engine.execute_workplan(load_plan(body))
        many, beside = asyncio.run(run_known(store))
    show(
        f"the operator without a cluster; {COUNT} known plans at once",
        [
            Row("one decision", one),
            Row(f"known plan, apply -> Succeeded, of {COUNT}", many / COUNT),
            Row(f"known plan beside one of {HUGE:,} operations", beside, mark=1.0),
        ],
    )


if __name__ == "__main__":
    main()
