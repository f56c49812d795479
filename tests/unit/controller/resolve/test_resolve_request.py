"""What resolving a plan needs from the cluster, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tests.unit.controller.observed_builders import later
from tests.unit.controller.scripted_operator import (
    CONFIG,
    FULLY_CACHED,
    STORE,
    ScriptedOperator,
)
from voxk8s.api.workplan import decode_resource
from voxk8s.controller.observe.workplan_codec import decode_slim
from voxk8s.controller.resolve.resolve_request import ResolveRequest, make_request, stored_bytes
from voxk8s.controller.resolve.store_access import LookUpOptions
from voxk8s.storage import StoreOptions


async def test_denied_namespace(operator: ScriptedOperator) -> None:
    """A namespace that may not use the default store gets no resolution and no children."""
    object.__setattr__(STORE, "denied", ("ns",))
    try:
        operator.user_applies()
        await operator.reconcile(3)
    finally:
        object.__setattr__(STORE, "denied", ())
    assert operator.condition("StoreReady") == ("False", "StoreAccessDenied")
    assert operator.kube.created == []


@pytest.mark.parametrize(
    ("cluster", "libraries"),
    [
        ({}, {"SimpleITK": "2"}),
        ({"image": "img:1"}, {"SimpleITK": "2"}),
        ({"image": "own:3"}, {"SimpleITK": "3"}),
        ({"image": "other:1"}, {}),
    ],
    ids=["the default image", "the same", "another one of the chart", "an unknown one"],
)
async def test_libraries_are_those_of_the_image_of_the_run(
    operator: ScriptedOperator, cluster: dict[str, str], libraries: dict[str, str]
) -> None:
    """As the chart lists them."""
    listed = {"img:1": {"SimpleITK": "2"}, "own:3": {"SimpleITK": "3"}}
    config = replace(CONFIG, defaults=replace(CONFIG.defaults, engine_libraries=listed))
    operator.user_applies(cluster=cluster)
    kube: Any = operator.kube

    async def look_up_options(namespace: str) -> LookUpOptions:
        return LookUpOptions(StoreOptions(key=f"key-of-{namespace}", secret="s"), of_domain=True)

    request = await make_request(kube, config, decode_resource(operator.workplan), look_up_options)
    assert isinstance(request, ResolveRequest)
    assert request.libraries == libraries
    assert request.options == StoreOptions(key="key-of-ns", secret="s")


async def test_missing_secret_of_a_user_store(operator: ScriptedOperator) -> None:
    """A missing Secret is reported by name, even if the operator may not read the store."""
    operator.user_applies(
        store={
            "url": "s3://mine/x",
            "endpoint": "https://elsewhere",
            "credentialsSecretRef": {"name": "keys"},
        }
    )
    await operator.reconcile(2)
    assert operator.condition("StoreReady") == ("False", "StoreAccessDenied")
    assert "Secret keys" in operator.workplan["status"]["message"]
    assert operator.kube.created == []
    operator.kube.put(
        {
            "kind": "Secret",
            "metadata": {"namespace": "ns", "name": "keys"},
            "data": {"AWS_ACCESS_KEY_ID": "aw==", "AWS_SECRET_ACCESS_KEY": "cw=="},
        }
    )
    operator.now = later(30)
    await operator.reconcile(3)
    assert "DaskCluster" in operator.kube.created


async def test_inline_plan_too_large(operator: ScriptedOperator) -> None:
    """An inline plan that is too large for etcd is rejected, with alternatives."""
    operator.user_applies(source={"plan": {"nodes": ["x" * 1_250_000], "goals": []}})
    await operator.reconcile(2)
    assert operator.condition("Stalled") == ("True", "PlanTooLarge")
    message = operator.workplan["status"]["message"]
    assert "source.configMapRef" in message
    assert "source.url" in message


async def test_missing_config_map(operator: ScriptedOperator) -> None:
    """A missing ConfigMap is waited for; the WorkPlan continues once it exists."""
    operator.answers = [FULLY_CACHED]
    operator.user_applies(source={"configMapRef": {"name": "plans", "key": "p.json"}})
    await operator.reconcile(2)
    assert operator.condition("Ready") == ("False", "SourceUnavailable")
    operator.kube.put(
        {
            "kind": "ConfigMap",
            "metadata": {"namespace": "ns", "name": "plans"},
            "data": {"p.json": "{}"},
        }
    )
    operator.now = later(30)
    await operator.reconcile(2)
    assert operator.condition("Succeeded") == ("True", "AllGoalsReached")


@pytest.mark.parametrize(
    "spec",
    [
        {"source": {"program": "", "parameters": {f"P{n}": "x" * 65_536 for n in range(20)}}},
        {"expect": [{"goal": f"{n:02}" * 2048, "value": "v" * 40_000} for n in range(30)]},
    ],
    ids=["parameters", "expect"],
)
async def test_whatever_makes_it_large_counts(
    operator: ScriptedOperator, spec: dict[str, Any]
) -> None:
    """The API server stores the WorkPlan as a whole at each write of its status."""
    operator.answers = [FULLY_CACHED]
    operator.user_applies(**spec)
    raw = msgspec.Raw(msgspec.json.encode(operator.workplan))
    operator.state.workplans.upsert(decode_slim(raw))
    await operator.reconcile(2)
    assert operator.condition("Stalled") == ("True", "PlanTooLarge")


@pytest.mark.parametrize(
    ("program", "size"), [("abc", 5), ("a<b", 10), ("<>&", 20), ("a\nb", 6), ("", 2)]
)
def test_bytes_in_the_store_of_the_api_server(program: str, size: int) -> None:
    """Comparisons of a program take six bytes each, which leaves less room for the status."""
    around = len('{"spec":}')
    assert stored_bytes({"spec": program, "status": {"phase": "Running"}}) - around == size
