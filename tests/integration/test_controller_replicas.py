"""Two operators as processes of their own: one dies or is paused, the other one goes on."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support import kube_proxy, operator_process, operators
from tests.support.api_server import ApiServer
from tests.support.kube_proxy import KubeProxy
from tests.support.operator_process import OperatorProcess
from tests.support.operators import apply_workplans, eventually
from tests.support.scripted_cluster import Seen
from voxk8s import constants
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import LEASES, WORK_PLANS

Start = Callable[..., OperatorProcess]


@pytest.fixture
def start(api_server: ApiServer, namespace: str) -> Iterator[Start]:
    """Start operators of one lease; `proxy` is what one speaks through. They end with the test."""
    running: list[OperatorProcess] = []

    def one(name: str, proxy: KubeProxy | None = None, uid: str = "") -> OperatorProcess:
        env = {
            # An address where nothing listens: every plan waits for the store, and needs no child.
            constants.ENV_WATCH_NAMESPACES: f'["{namespace}"]',
            constants.ENV_STORE: "s3://results",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            constants.ENV_LEASE_NAME: f"lease-{namespace}",
            **({"KUBERNETES_SERVICE_PORT": str(proxy.port)} if proxy else {}),
            **({constants.ENV_OPERATOR_POD_UID: uid} if uid else {}),
        }
        running.append(operator_process.start(api_server, f"{name}-{namespace}", env))
        return running[-1]

    yield one
    for each in running:
        each.signal(signal.SIGKILL)
        each.process.wait()


@pytest.fixture
async def tls_proxy(api_server: ApiServer) -> AsyncIterator[KubeProxy]:
    """A proxy with the API server's own certificate, which sees what one operator asks for."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificates = api_server.folder / "certificates"
    context.load_cert_chain(certificates / "apiserver.crt", certificates / "apiserver.key")
    async with kube_proxy.proxied(api_server, tls=context) as proxy:
        yield proxy


async def holder(kube: KubeClient, namespace: str) -> str:
    """Return the pod that holds the lease."""
    found = await kube.find(LEASES, f"lease-{namespace}", "default")
    return str(found["spec"].get("holderIdentity", "")).partition("_")[0] if found else ""


async def leads(kube: KubeClient, namespace: str, name: str) -> None:
    """Wait until an operator holds the lease."""

    async def probe() -> bool:
        return await holder(kube, namespace) == f"{name}-{namespace}"

    await eventually(probe, f"{name} leads", 60)


async def reported(kube: KubeClient, namespace: str, names: list[str]) -> None:
    """Wait until WorkPlans have their conditions."""
    for name in names:
        await operators.wait_for_condition(kube, namespace, name, "Ready", "Store", 90)


async def test_paused_leader(
    direct: KubeClient, namespace: str, start: Start, tls_proxy: KubeProxy
) -> None:
    """A leader that is paused loses the lease; when it goes on it writes nothing, and ends."""
    first = start("a", tls_proxy)
    await leads(direct, namespace, "a")
    second = start("b")
    await reported(direct, namespace, await apply_workplans(direct, namespace, 3))
    first.signal(signal.SIGSTOP)
    await leads(direct, namespace, "b")
    for name in ("wp-00", "wp-01", "wp-02"):
        await direct.patch(WORK_PLANS, name, {"spec": {"suspend": True}}, namespace)
    resumed = asyncio.get_running_loop().time()
    first.signal(signal.SIGCONT)
    assert await asyncio.to_thread(first.process.wait, 60) == 1
    writes = [each.path for each in tls_proxy.asked if each.writes and each.at >= resumed]
    assert [path for path in writes if "leases" not in path] == []
    assert await holder(direct, namespace) == f"b-{namespace}"
    assert second.process.poll() is None


async def test_killed_leader_that_is_started_again(
    direct: KubeClient, namespace: str, start: Start
) -> None:
    """A leader whose container is started again leads at once, and another one does not."""
    first = start("a")
    await leads(direct, namespace, "a")
    start("b")
    await reported(direct, namespace, await apply_workplans(direct, namespace, 1))
    first.signal(signal.SIGKILL)
    first.process.wait()
    seen = Seen(direct, LEASES, "default")
    version = (await direct.list(LEASES, "default")).resource_version
    watching = asyncio.create_task(seen.run(version))
    again = start("a")
    await eventually(lambda: _renewed(seen, namespace), "the lease is renewed", 60)
    watching.cancel()
    mine = [s for s in seen.states if s["metadata"]["name"] == f"lease-{namespace}"]
    pods = {state["spec"]["holderIdentity"].partition("_")[0] for state in mine}
    assert pods == {f"a-{namespace}"}
    assert again.process.poll() is None


async def test_killed_leader_whose_pod_proves_it(
    direct: KubeClient, namespace: str, start: Start
) -> None:
    """Another one takes over long before the lease is over, but not before there is a proof."""
    name = f"a-{namespace}"
    uid = await operators.create_operator_pod(direct, name)
    first = start("a", uid=uid)
    await leads(direct, namespace, "a")
    start("b")
    await reported(direct, namespace, await apply_workplans(direct, namespace, 1))
    first.signal(signal.SIGKILL)
    first.process.wait()
    await operators.end_operator_pod(direct, name, "the process before")
    await operators.eventually(lambda: _is_overdue(direct, namespace), "the lease is overdue")
    assert await holder(direct, namespace) == name
    last = await _lease(direct, namespace)
    await operators.end_operator_pod(direct, name, last["holderIdentity"])
    await leads(direct, namespace, "b")
    taken = _time((await _lease(direct, namespace))["acquireTime"])
    assert (taken - _time(last["renewTime"])).total_seconds() < last["leaseDurationSeconds"]


async def _is_overdue(kube: KubeClient, namespace: str) -> bool:
    renewed = _time((await _lease(kube, namespace))["renewTime"])
    return datetime.now(UTC) - renewed > timedelta(seconds=4)


async def _lease(kube: KubeClient, namespace: str) -> dict[str, Any]:
    found = await kube.get(LEASES, f"lease-{namespace}", "default")
    return dict(found["spec"])


_time = datetime.fromisoformat


async def _renewed(seen: Seen, namespace: str) -> bool:
    return any(each["metadata"]["name"] == f"lease-{namespace}" for each in seen.states)
