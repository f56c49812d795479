"""The operator's process on a real API server and a real S3 server: rates, latencies, rest, load.

Run with `make bench BENCH=operator_load`, or
`python -m tests.tools.bench.operator_load [--known 500] [--rest 5000] [--running 1000]`. There is
no node: a script does what dask-kubernetes would. All share the machine's cores; CPU seconds are
those of the operator and the processes that resolve plans for it. Writes are what the API server
counts, without leases.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import secrets
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.support import api_server, operator_process, s3, workplans
from tests.support.api_server import ApiServer
from tests.support.operator_process import OperatorProcess
from tests.support.operators import (
    DaskOperator,
    create_operator_pod,
    end_operator_pod,
    eventually,
    follow_objects,
)
from voxk8s import constants
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.resources import (
    DASK_AUTOSCALERS,
    LEASES,
    NAMESPACES,
    WORK_PLANS,
    ApiResource,
)
from voxk8s.controller.observe.workplan_codec import decode_slim
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.storage import ResultStore

PLAN: Final = workplans.addition(0.5, 0.5)
REST_SECONDS: Final = 30.0
_REQUESTS: Final = re.compile(
    r'apiserver_request_total\{[^}]*[,{]resource="(?P<resource>[^"]*)"[^}]*verb="(?P<verb>[^"]*)"'
    r"[^}]*\} (?P<count>\S+)"
)
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE"})


class Bench:
    """An API server, a store with the result of one plan, and operators that are started on it."""

    def __init__(self, server: ApiServer, kube: KubeClient, store: ResultStore, env: Any) -> None:
        self.server, self.kube, self.store, self.env = server, kube, store, env
        self.namespace = ""

    async def new_namespace(self) -> None:
        """Take a namespace for what follows."""
        self.namespace = await api_server.make_namespace(self.kube)

    def start(self, profile: str = "") -> OperatorProcess:
        """Start an operator."""
        env = {
            **self.env,
            constants.ENV_STORE: self.store.url,
            constants.ENV_LOG_LEVEL: "WARNING",
            **({operator_process.PROFILE: profile} if profile else {}),
        }
        return operator_process.start(self.server, "bench", env)

    def server_cpu(self) -> float:
        """Return the CPU seconds of API server and etcd."""
        return sum(operator_process.cpu_of(each.pid) for each in self.server.processes)

    async def leads(self) -> None:
        """Wait until an operator leads."""

        async def probe() -> bool:
            found = await self.kube.find(LEASES, "voxk8s-operator", "default")
            return bool(found and found["spec"].get("holderIdentity"))

        await eventually(probe, "the operator leads", 120, 0.01)

    async def apply(self, names: Iterable[str], plan: Any = PLAN, **spec: Any) -> None:
        """Create WorkPlans, 16 at a time."""
        await each(
            names,
            lambda name: self.kube.create(
                WORK_PLANS, workplans.workplan(name, plan, **spec), self.namespace
            ),
        )

    async def requests(self) -> dict[tuple[str, str], float]:
        """Return the writes that the API server has counted, by verb and resource."""
        response = await self.kube._call("GET", "/metrics", accept="text/plain")
        found: dict[tuple[str, str], float] = {}
        for match in _REQUESTS.finditer((await response.read()).decode()):
            key = match["verb"], match["resource"]
            if match["verb"] in _WRITES and match["resource"] not in ("leases", ""):
                found[key] = found.get(key, 0.0) + float(match["count"])
        return found


async def each(items: Iterable[Any], do: Callable[[Any], Awaitable[Any]]) -> None:
    """Do something with all items, 16 at a time."""
    slots = asyncio.Semaphore(16)

    async def one(item: Any) -> None:
        async with slots:
            await do(item)

    await asyncio.gather(*(one(item) for item in items))


class Seen:
    """Watches a namespace for objects of a kind that are, or become, as somebody waits for."""

    def __init__(
        self,
        kube: KubeClient,
        namespace: str,
        resource: ApiResource,
        wanted: Callable[[KubeObject], bool],
    ) -> None:
        self._kube, self._namespace = kube, namespace
        self._resource, self._wanted = resource, wanted
        self._uids: set[str] = set()
        self._more = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def watching(
        cls, bench: Bench, resource: ApiResource, wanted: Callable[[KubeObject], bool]
    ) -> AsyncIterator[Seen]:
        """Watch until the block ends."""
        seen = cls(bench.kube, bench.namespace, resource, wanted)
        task = asyncio.create_task(seen.run())
        try:
            yield seen
        finally:
            task.cancel()

    async def run(self) -> None:
        """Watch until cancelled."""
        decode = decode_slim if self._resource == WORK_PLANS else msgspec.json.decode
        async for body in follow_objects(self._kube, self._resource, self._namespace, decode):
            if self._wanted(body):
                self._uids.add(body["metadata"]["uid"])
                self._more.set()

    async def reach(self, count: int, seconds: float = 300) -> None:
        """Wait until there were so many."""
        async with asyncio.timeout(seconds):
            while len(self._uids) < count:
                self._more.clear()
                await self._more.wait()


def has_ended(workplan: KubeObject) -> bool:
    """Whether a WorkPlan has its completion time."""
    return bool((workplan.get("status") or {}).get("completionTime"))


def row(what: str, value: str, goal: str = "") -> None:
    """Print a row."""
    print(f"{what:<64} {value:>16}  {goal}", flush=True)


def per_plan(before: Mapping[Any, float], after: Mapping[Any, float], count: int, own: int) -> str:
    """Return the writes for each WorkPlan, without the creations of this benchmark itself."""
    spent = {key: after[key] - before.get(key, 0.0) for key in after}
    spent["POST", "workplans"] = spent.get(("POST", "workplans"), 0.0) - own
    named = ", ".join(
        f"{verb} {resource} {number / count:.2f}"
        for (verb, resource), number in sorted(spent.items()) if number / count >= 0.01
    )  # fmt: skip
    return f"{sum(spent.values()) / count:.2f} ({named})"


async def known(bench: Bench, count: int, profile: str) -> None:
    """Measure known plans: many at once, and one after the other."""
    await bench.new_namespace()
    stack = AsyncExitStack()
    operator = bench.start(profile)
    try:
        await bench.leads()
        watching = Seen.watching(bench, WORK_PLANS, has_ended)
        ends = await stack.enter_async_context(watching)
        waits, before = [], await bench.requests()
        for number in range(60):
            began = time.perf_counter()
            await bench.apply([f"one-{number}"])
            await ends.reach(number + 1)
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)  # what it writes after the end belongs to this plan
        waits = sorted(waits[10:])
        row("one known plan, apply -> Succeeded: median", f"{waits[25] * 1000:.0f} ms", "60 ms")
        row("one known plan, apply -> Succeeded: worst of 50", f"{waits[-1] * 1000:.0f} ms")
        await asyncio.sleep(1)
        row("  writes", per_plan(before, await bench.requests(), 60, 60), "3")
        before, cpu, own = await bench.requests(), operator.cpu(), operator.cpu(own=True)
        server, client = bench.server_cpu(), time.process_time()
        began = time.perf_counter()
        await bench.apply([f"many-{number}" for number in range(count)])
        created = time.perf_counter() - began
        await ends.reach(60 + count)
        seconds = time.perf_counter() - began
        await asyncio.sleep(3)  # events are written in the background
        cpu, own = operator.cpu() - cpu, operator.cpu(own=True) - own
        row(f"known plans a second, of {count} at once", f"{count / seconds:.0f}", "100")
        row("  of them created a second", f"{count / created:.0f}")
        row("CPU for each: operator", f"{own / count * 1000:.1f} ms")
        row("CPU for each: processes that resolve", f"{(cpu - own) / count * 1000:.1f} ms")
        row("  by the side: API server and etcd",
            f"{(bench.server_cpu() - server) / count * 1000:.1f} ms")  # fmt: skip
        row("  by the side: this client", f"{(time.process_time() - client) / count * 1000:.1f} ms")
        row("memory of the operator", f"{operator.memory(own=True) / 2**20:.0f} MiB")
        row("memory with the processes that resolve", f"{operator.memory() / 2**20:.0f} MiB")
        row("writes for each", per_plan(before, await bench.requests(), count, count), "3")
    finally:
        await stack.aclose()
        operator.end()


async def rest(bench: Bench, count: int) -> None:
    """Measure a start beside many WorkPlans that have ended, and then nothing happening."""
    await bench.new_namespace()
    names = [f"old-{number}" for number in range(count)]
    status = await _ended_status(bench)
    await bench.apply(names)

    async def end(name: str) -> None:
        await bench.kube.apply(
            WORK_PLANS,
            {**workplans.workplan(name), "spec": None, "status": status} | {"spec": {}},
            bench.namespace, manager="voxk8s-operator", subresource="status",
        )  # fmt: skip

    await each(names, end)
    await bench.kube.delete(LEASES, "voxk8s-operator", "default")
    before = await bench.requests()
    began = time.perf_counter()
    operator = bench.start()
    try:
        await bench.leads()
        row(f"start beside {count} WorkPlans until it leads",
            f"{time.perf_counter() - began:.1f} s")  # fmt: skip
        await _quiet(operator)
        row("  CPU until it is at rest", f"{operator.cpu():.1f} s")
        cpu, began = operator.cpu(), time.perf_counter()
        await asyncio.sleep(REST_SECONDS)
        share = (operator.cpu() - cpu) / (time.perf_counter() - began)
        row(f"{count} WorkPlans at rest: CPU", f"{share * 100:.1f} %", "2 %")
        row("  memory of the operator", f"{operator.memory(own=True) / 2**20:.0f} MiB", "200 MB")
        row("  writes in all", per_plan(before, await bench.requests(), 1, 0), "0")
    finally:
        operator.end()


async def _ended_status(bench: Bench) -> dict[str, Any]:
    """Return the status of a known plan as an operator writes it."""
    operator = bench.start()
    await bench.apply(["first"])

    async def probe() -> dict[str, Any]:
        status = (await bench.kube.get(WORK_PLANS, "first", bench.namespace)).get("status") or {}
        return status if "completionTime" in status else {}

    status: dict[str, Any] = await eventually(probe, "a known plan ends", 120)
    await _quiet(operator)
    operator.end()
    return status


async def running(bench: Bench, count: int) -> None:
    """Measure new WorkPlans until each has its children, and then all of them running."""
    await bench.new_namespace()
    operator = bench.start()
    dask = DaskOperator(bench.kube, bench.namespace)
    following = asyncio.create_task(dask.follow())
    try:
        await bench.leads()
        before, cpu, began = await bench.requests(), operator.cpu(), time.perf_counter()
        server, client = bench.server_cpu(), time.process_time()
        plans = [workplans.addition(0.5, 1.0 + number) for number in range(count)]

        async def create(number: int) -> None:
            await bench.apply([f"run-{number}"], plans[number])

        async with Seen.watching(bench, DASK_AUTOSCALERS, lambda _: True) as autoscalers:
            await each(range(count), create)
            await autoscalers.reach(count, 900)
        seconds, cpu = time.perf_counter() - began, operator.cpu() - cpu
        row(f"{count} new WorkPlans until they have their children: a second",
            f"{count / seconds:.1f}")  # fmt: skip
        row("  CPU for each", f"{cpu / count * 1000:.0f} ms")
        row("  by the side: API server and etcd",
            f"{(bench.server_cpu() - server) / count * 1000:.0f} ms")  # fmt: skip
        row("  by the side: this client", f"{(time.process_time() - client) / count * 1000:.0f} ms")
        writes = per_plan(before, await bench.requests(), count, count)
        row("  writes for each, dask-kubernetes' 4 included", writes)
        await each(range(count), lambda number: _run(bench, f"run-{number}"))
        await _quiet(operator)
        before, cpu, began = await bench.requests(), operator.cpu(), time.perf_counter()
        await asyncio.sleep(REST_SECONDS)
        share = (operator.cpu() - cpu) / (time.perf_counter() - began)
        row(f"{count} WorkPlans running: CPU", f"{share * 100:.1f} %")
        row("  memory of the operator", f"{operator.memory(own=True) / 2**20:.0f} MiB")
        writes = per_plan(before, await bench.requests(), count, 0)
        row(f"  writes for each within {REST_SECONDS:.0f} s", writes)
    finally:
        following.cancel()
        operator.end()


async def _run(bench: Bench, name: str) -> None:
    """Write the status of a runner that computes."""
    counts = {"total": 3, "cached": 2, "running": 1, "computed": 0, "failed": 0, "pending": 0}
    await bench.kube.apply(
        WORK_PLANS,
        {**workplans.workplan(name), "spec": {}, "status": {"operations": counts}},
        bench.namespace, manager=constants.MANAGER_RUNNER, subresource="status",
    )  # fmt: skip


async def failover(bench: Bench) -> None:
    """Measure how long nobody leads after the leader of two operators ends, dies or is paused."""
    row("nobody leads after a leader was asked to end", await _without_leader(bench, "TERM"), "5 s")
    again = await _without_leader(bench, "KILL", again=True)
    row("  was killed, its container started again", again, "5 s")
    proved = await _without_leader(bench, "KILL", proved=True)
    row("  was killed, which the status of its pod says at once", proved, "5 s")
    row("  was killed, and nothing says so", await _without_leader(bench, "KILL"), "15 s")
    row("  was paused", await _without_leader(bench, "STOP"), "15 s")


async def _without_leader(
    bench: Bench, name: str, *, again: bool = False, proved: bool = False
) -> str:
    """Send a signal to the leader of two; return the time until another process leads."""
    lease = f"lease-{secrets.token_hex(4)}"
    env = {**bench.env, constants.ENV_STORE: bench.store.url, constants.ENV_LEASE_NAME: lease}
    uid = await create_operator_pod(bench.kube, "a") if proved else "uid-a"
    of_pod = {constants.ENV_OPERATOR_POD_UID: uid}
    first = operator_process.start(bench.server, "a", env | of_pod)
    running = [first]
    try:
        await _renewed(bench, lease, "a", "")
        running.append(operator_process.start(bench.server, "b", env))
        await _quiet(running[1])
        number = signal.Signals[f"SIG{name}"]
        if number is signal.SIGSTOP:
            await _renewed(bench, lease, "a", await _renewed(bench, lease, "a", ""))
        first.signal(number)
        began = time.perf_counter()
        if again:
            first.process.wait()
            last = await _renewed(bench, lease, "a", "")
            running.append(operator_process.start(bench.server, "a", env))
            await _renewed(bench, lease, "a", last)
        else:
            if proved:
                held = await bench.kube.get(LEASES, lease, "default")
                await end_operator_pod(bench.kube, "a", held["spec"]["holderIdentity"])
            await _renewed(bench, lease, "b", "")
        return f"{time.perf_counter() - began:.1f} s"
    finally:
        for each in running:
            each.signal(signal.SIGKILL)
            each.process.wait()


async def _renewed(bench: Bench, lease: str, holder: str, after: str) -> str:
    """Wait until a holder has renewed a lease after a time, and return the time."""

    async def probe() -> str:
        found = await bench.kube.find(LEASES, lease, "default")
        spec = found["spec"] if found else {}
        time = str(spec.get("renewTime") or "")
        pod = str(spec.get("holderIdentity")).partition("_")[0]
        return time if pod == holder and time > after else ""

    return str(await eventually(probe, f"{holder} leads", 120, 0.02))


async def _quiet(operator: OperatorProcess) -> None:
    """Wait until the operator uses little CPU for some seconds."""
    still = 0
    while still < 3:
        cpu = operator.cpu()
        await asyncio.sleep(1)
        still = still + 1 if operator.cpu() - cpu < 0.2 else 0


async def measure(options: argparse.Namespace, server: ApiServer, store: s3.S3Server) -> None:
    """Measure everything that was asked for."""
    opened = store.store("bench")
    engine = ExecutionEngine(opened, write_files=False)
    engine.execute_workplan(load_plan(msgspec.json.encode(PLAN)))
    async with await server.connect() as kube:
        await api_server.install_crds(kube)
        bench = Bench(server, kube, opened, store.env)
        if options.known:
            await known(bench, options.known, options.profile)
        if options.running:
            await running(bench, options.running)
            await kube.delete(NAMESPACES, bench.namespace)
            await _empty(bench)
        if options.failover:
            await failover(bench)
        if options.rest:
            await rest(bench, options.rest)


async def _empty(bench: Bench) -> None:
    """Delete all WorkPlans: no controller does it for a namespace here."""
    items = (await bench.kube.list(WORK_PLANS, bench.namespace)).items
    await each(
        items,
        lambda item: bench.kube.delete(WORK_PLANS, item["metadata"]["name"], bench.namespace),
    )


def main() -> None:
    """Start the servers, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--known", type=int, default=500)
    parser.add_argument("--rest", type=int, default=5000)
    parser.add_argument("--running", type=int, default=1000)
    parser.add_argument("--failover", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--profile", default="", help="file for a profile of the known plans")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        s3.serve(Path(folder)) as store,
        api_server.serve() as server,
    ):
        print(f"\n{'the operator on a real API server':<64} {'here':>16}  goal")
        asyncio.run(measure(options, server, store))


if __name__ == "__main__":
    main()
