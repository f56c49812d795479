"""A real API server takes the CRD, keeps its rules, and serves our door.

All of it is done in namespaces of our own, and most of it dry.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support import example_runs
from tests.support.paths import ROOT
from tests.tools.helm import render
from voxk8s.api import crd
from voxk8s.cluster import kube_client
from voxk8s.cluster.kube_client import KubeClient, KubeObject, ListPage, WatchEvent
from voxk8s.cluster.kube_errors import AlreadyExists, Conflict, Invalid, KindMissing, NotFound
from voxk8s.cluster.reflector import list_and_watch
from voxk8s.cluster.resources import (
    CONFIG_MAPS,
    CRDS,
    NAMESPACES,
    PODS,
    WORK_PLANS,
    ApiResource,
    resource_of,
)

pytestmark = pytest.mark.cluster

KUBECONFIG = ROOT / ".cluster" / "kubeconfig"
MANAGER = "chart-tests"
PLAN: dict[str, Any] = {
    "nodes": [{"id": "one", "type": "constant", "value": 1, "deep": {"er": [1, 2]}}],
    "goals": [{"operation": "print", "id": "one", "name": "one"}],
}


@pytest.fixture
async def door() -> AsyncIterator[KubeClient]:
    """Connect to the cluster, which has our CRD since `make install`."""
    async with await KubeClient.connect({"KUBECONFIG": str(KUBECONFIG)}) as opened:
        yield opened


@pytest.fixture
async def namespace(door: KubeClient) -> AsyncIterator[str]:
    """Make a namespace that enforces Pod Security "restricted", and remove it."""
    name = f"chart-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    }
    await door.create(NAMESPACES, body)
    yield name
    await door.delete(NAMESPACES, name)


def work_plan(name: str = "w", **spec: Any) -> KubeObject:
    """Return a WorkPlan that waits: no operator starts a suspended one."""
    return {
        "apiVersion": "voxk8s.io/v1alpha1",
        "kind": "WorkPlan",
        "metadata": {"name": name},
        "spec": {"source": {"plan": PLAN}, "suspend": True, **spec},
    }


async def dry(door: KubeClient, namespace: str, body: KubeObject) -> KubeObject:
    """Let the API server check an object and fill in defaults."""
    return await door.apply(WORK_PLANS, body, namespace, manager=MANAGER, dry_run=True)


ACCEPTED: dict[str, dict[str, Any]] = {
    "ttl number": {"ttlSecondsAfterFinished": 5},
    "ttl by outcome": {"ttlSecondsAfterFinished": {"succeeded": 5, "failed": 0}},
    "program": {"source": {"program": "print 'x' 1", "parameters": {"CASE": "1"}}},
    "config map": {"source": {"configMapRef": {"name": "a", "key": "b.imgql"}}},
    "url": {"source": {"url": "s3://b/p.json", "digest": "sha256:" + "0" * 64}},
    "local url, which the operator refuses in words": {"source": {"url": "file:///p.json"}},
    "unknown field, which the operator refuses in words": {
        "source": {"plan": {**PLAN, "extra": [1]}}
    },
    "shapes": {
        "cluster": {
            "minWorkers": 2,
            "maxWorkers": 2,
            "worker": {
                "resources": {"limits": {"memory": "1Gi", "cpu": 2, "nvidia.com/gpu": 1}},
                "affinity": {"nodeAffinity": {"x": [1]}},
                "tolerations": [{"key": "gpu", "operator": "Exists"}],
                "env": [{"name": "TZ"}],
            },
        }
    },
    "worker groups": {
        "cluster": {
            "workerGroups": [
                {
                    "name": "gpu",
                    "minWorkers": 2,
                    "maxWorkers": 2,
                    "threadsPerWorker": 1,
                    "provides": {"MEMORY": 64},
                    "worker": {"resources": {"limits": {"nvidia.com/gpu": 1}}},
                },
                {"name": "spot-2", "minWorkers": 0, "maxWorkers": 20},
            ]
        }
    },
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no source": ({"source": {}}, "exactly one of"),
    "two sources": ({"source": {"plan": PLAN, "program": "x"}}, "exactly one of"),
    "digest alone": ({"source": {"plan": PLAN, "digest": "sha256:" + "0" * 64}}, "digest goes"),
    "odd digest": ({"source": {"url": "s3://b/p", "digest": "sha256:" + "g" * 64}}, "hexadecimal"),
    "odd key": ({"source": {"configMapRef": {"name": "a", "key": "b.txt"}}}, "key must end in"),
    "min above max": ({"cluster": {"minWorkers": 3, "maxWorkers": 2}}, "larger than maxWorkers"),
    "min above default max": ({"cluster": {"minWorkers": 9}}, "larger than maxWorkers"),
    "min above max of a group": (
        {"cluster": {"workerGroups": [{"name": "a"}, {"name": "b", "minWorkers": 2}]}},
        "larger than maxWorkers",
    ),
    "no workers": ({"cluster": {"maxWorkers": 0}}, "maxWorkers"),
    "no threads": ({"cluster": {"threadsPerWorker": 0}}, "threadsPerWorker"),
    "priority": ({"priority": 1001}, "priority"),
    "cache": ({"cache": "Sometimes"}, "cache"),
    "local store": ({"store": {"url": "file:///data"}}, "s3://"),
    "endpoint that is none": (
        {"store": {"url": "s3://b", "endpoint": "nonsense"}},
        "endpoint must be",
    ),
    "local output": ({"output": {"url": "/data"}}, "s3://"),
    "negative ttl": ({"ttlSecondsAfterFinished": -1}, "ttlSecondsAfterFinished"),
    "negative ttl of a failure": ({"ttlSecondsAfterFinished": {"failed": -1}}, "failed"),
    "ttl as a list": ({"ttlSecondsAfterFinished": [5]}, "ttlSecondsAfterFinished"),
    "ttl as a flag": ({"ttlSecondsAfterFinished": True}, "ttlSecondsAfterFinished"),
    "ttl as text": ({"ttlSecondsAfterFinished": "5m"}, "a number of seconds"),
    "half a second": ({"ttlSecondsAfterFinished": 0.5}, "multiple of 1"),
    "a group named default": ({"cluster": {"workerGroups": [{"name": "default"}]}}, "default is"),
    "a group without a name": ({"cluster": {"workerGroups": [{"maxWorkers": 1}]}}, "name"),
    "an odd name of a group": ({"cluster": {"workerGroups": [{"name": "GPU_1"}]}}, "name"),
    "two groups of one name": (
        {"cluster": {"workerGroups": [{"name": "a"}, {"name": "a"}]}},
        "duplicate",
    ),
    "an odd resource": (
        {"cluster": {"workerGroups": [{"name": "a", "provides": {"a/b": 1}}]}},
        "names in provides",
    ),
    "nothing provided": (
        {"cluster": {"workerGroups": [{"name": "a", "provides": {"GPU": 0}}]}},
        "GPU",
    ),
    "two sources of variables in a group": (
        {"cluster": {"workerGroups": [{"name": "a", "worker": {"envFrom": [{"prefix": "A"}]}}]}},
        "one of configMapRef and secretRef",
    ),
    "odd env": ({"cluster": {"worker": {"env": [{"value": "x"}]}}}, "env: element 0"),
}


async def test_crd_is_accepted(door: KubeClient) -> None:
    """The API server finds the schema structural and the rules cheap enough."""
    made = await door.apply(CRDS, crd.crd(), manager="helm", dry_run=True)
    assert made["spec"]["names"]["shortNames"] == ["wp"]


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED)
async def test_spec_is_accepted(door: KubeClient, spec: dict[str, Any]) -> None:
    """What the documentation promises passes the schema and the rules, and nothing is cut away."""
    made = await dry(door, "default", work_plan(f"w-{uuid.uuid4().hex[:8]}", **spec))
    for field, value in spec.items():
        for key, inner in value.items() if isinstance(value, dict) else ():
            if key != "worker":
                assert made["spec"][field][key] == inner
    assert made["status"] == {"observedGeneration": -1}


@pytest.mark.parametrize(("spec", "words"), REFUSED.values(), ids=REFUSED)
async def test_spec_is_refused(door: KubeClient, spec: dict[str, Any], words: str) -> None:
    """What cannot work is refused before it is stored, in words a user understands."""
    with pytest.raises(Invalid) as caught:
        await dry(door, "default", work_plan(**spec))
    assert words in str(caught.value)


async def test_long_names(door: KubeClient) -> None:
    """A name of 200 characters is fine, a longer one is refused."""
    await dry(door, "default", work_plan("x" * 200))
    with pytest.raises(Invalid, match="200"):
        await dry(door, "default", work_plan("x" * 201))


async def test_source_cannot_change(door: KubeClient, namespace: str) -> None:
    """Not even one number inside an inline plan, also while it is suspended."""
    made = await door.apply(WORK_PLANS, work_plan(), namespace, manager=MANAGER)
    assert made["spec"]["source"]["plan"] == PLAN
    other = {**PLAN, "nodes": [{**PLAN["nodes"][0], "deep": {"er": [1, 3]}}]}
    with pytest.raises(Invalid, match="source cannot be changed"):
        await dry(door, namespace, work_plan(source={"plan": other}))
    with pytest.raises(Invalid, match="source cannot be changed"):
        await dry(door, namespace, work_plan(source={"program": "print 'x' 1"}))
    await dry(door, namespace, work_plan(priority=3))


async def test_large_plan_fits(door: KubeClient, namespace: str) -> None:
    """An inline plan of 5,500 nodes and more than a megabyte is stored whole."""
    nodes = [
        {"id": f"{number:064x}", "type": "operation", "operator": "default.+",
         "arguments": {"0": f"{number - 1:064x}", "1": f"{number - 2:064x}"}}
        for number in range(5_500)
    ]  # fmt: skip
    plan = {"nodes": nodes, "goals": [{"operation": "print", "id": nodes[-1]["id"], "name": "x"}]}
    before = await door.list(WORK_PLANS, namespace)
    made = await door.apply(
        WORK_PLANS, work_plan("large", source={"plan": plan}), namespace, manager=MANAGER
    )
    assert made["spec"]["source"]["plan"] == plan
    seen = await door.list(WORK_PLANS, namespace)
    assert seen.items[0]["spec"]["source"]["plan"] == plan
    version = before.resource_version
    async for notice in door.watch(WORK_PLANS, namespace, resource_version=version):
        assert isinstance(notice, WatchEvent)
        assert notice.object["spec"]["source"]["plan"] == plan
        break


async def test_two_managers_share_a_status(door: KubeClient, namespace: str) -> None:
    """Operator and runner apply their own fields and conditions and leave the other's alone."""
    await door.apply(WORK_PLANS, work_plan(), namespace, manager=MANAGER)

    async def write(manager: str, status: KubeObject) -> KubeObject:
        body = work_plan() | {"status": status}
        del body["spec"]
        found = await door.apply(
            WORK_PLANS, body, namespace, manager=manager, subresource="status", force=False
        )
        written: KubeObject = found["status"]
        return written

    def condition(kind: str) -> KubeObject:
        stamp = {"lastTransitionTime": "2026-01-02T03:04:05Z", "reason": "R", "message": ""}
        return {"type": kind, "status": "False", **stamp}

    one = {"conditions": [condition("One")], "report": {"url": "s3://b/r"}}
    await write("one", {**one, "failuresOmitted": 1})
    failure = {"operation": "a", "kernel": "k", "message": "m"}
    await write("two", {"conditions": [condition("Two")], "failures": [failure]})
    after = await write("one", one)
    assert {"One", "Two"} <= {given["type"] for given in after["conditions"]}
    assert after["failures"] == [failure]
    assert "failuresOmitted" not in after
    with pytest.raises(Conflict, match="conflict"):
        await write("one", {**one, "failures": []})


async def test_children_are_accepted(door: KubeClient, namespace: str) -> None:
    """Every object of a run passes the API server's checks, Pod Security included."""
    owner = await door.apply(WORK_PLANS, work_plan("brain"), namespace, manager=MANAGER)
    for child in example_runs.GOLDEN["plain"]:
        body = {**child, "metadata": {**child["metadata"], "namespace": namespace}}
        if "ownerReferences" in body["metadata"]:
            reference = body["metadata"]["ownerReferences"][0]
            body["metadata"]["ownerReferences"] = [{**reference, "uid": owner["metadata"]["uid"]}]
        if child["kind"] == "RoleBinding":
            subject = {**child["subjects"][0], "namespace": namespace}
            body["subjects"] = [subject]
        try:
            made = await door.apply(
                resource_of(body), body, namespace, manager=MANAGER, dry_run=True
            )
        except KindMissing:
            pytest.fail(f"{child['kind']}: the dask-kubernetes operator is not installed")
        if child["kind"] == "DaskCluster":  # its old pod schema cuts away what it does not know
            assert _common(body["spec"], made["spec"]) == body["spec"]
    for _, pod in _pods(namespace):
        await door.apply(PODS, pod, namespace, manager=MANAGER, dry_run=True)


def _pods(namespace: str) -> list[tuple[str, KubeObject]]:
    """Return the pods of a run as dask-kubernetes and the Job controller would make them."""
    found = []
    for child in example_runs.GOLDEN["plain"]:
        spec = child.get("spec") or {}
        for name, inner in (
            ("scheduler", (spec.get("scheduler") or {}).get("spec")),
            ("worker", (spec.get("worker") or {}).get("spec")),
            ("runner", (spec.get("template") or {}).get("spec")),
        ):
            if inner:
                pod = {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {"name": name, "namespace": namespace},
                    "spec": {**inner, "serviceAccountName": "default"},
                }
                found.append((name, pod))
    assert len(found) == 3
    return found


def _common(wanted: Any, made: Any) -> Any:
    """Return the part of what was made that was wanted: what is cut away is missing in it."""
    if isinstance(wanted, dict) and isinstance(made, dict):
        return {key: _common(value, made[key]) for key, value in wanted.items() if key in made}
    if isinstance(wanted, list) and isinstance(made, list) and len(wanted) == len(made):
        return [_common(one, other) for one, other in zip(wanted, made, strict=True)]
    return made


async def test_release_is_accepted(door: KubeClient, namespace: str) -> None:
    """Every object of the chart passes the API server's checks."""
    for thing in render(crds={"install": False}, s3={"enabled": True}):
        kind = ApiResource(*_group(thing))
        body = {**thing, "metadata": {**thing["metadata"]}}
        place = None
        if "namespace" in body["metadata"]:
            place = body["metadata"]["namespace"] = namespace
        made = await door.apply(kind, body, place, manager=MANAGER, dry_run=True)
        assert made["metadata"]["name"] == thing["metadata"]["name"]


def _group(thing: KubeObject) -> tuple[str, str, str, str]:
    group, _, version = thing["apiVersion"].rpartition("/")
    name = thing["kind"].lower()
    plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
    return group, version, plural, thing["kind"]


async def test_door_reads_and_writes(door: KubeClient, namespace: str) -> None:
    """Create, read, patch, replace, delete: each with the error that its misuse deserves."""
    body: KubeObject = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "labels": {"x": "1"}},
        "data": {"k": "v"},
    }
    made = await door.create(CONFIG_MAPS, body, namespace)
    with pytest.raises(AlreadyExists):
        await door.create(CONFIG_MAPS, body, namespace)
    patched = await door.patch(CONFIG_MAPS, "a", {"data": {"k": None, "l": "w"}}, namespace)
    assert patched["data"] == {"l": "w"}
    with pytest.raises(Conflict):
        await door.replace(CONFIG_MAPS, made, namespace)
    listed = await door.list(CONFIG_MAPS, namespace, label_selector="x=1")
    assert [(item["kind"], item["metadata"]["name"]) for item in listed.items] == [
        ("ConfigMap", "a")
    ]
    with pytest.raises(Conflict):
        await door.delete(CONFIG_MAPS, "a", namespace, uid="00000000-0000-0000-0000-000000000000")
    assert await door.delete(CONFIG_MAPS, "a", namespace, uid=made["metadata"]["uid"])
    assert not await door.delete(CONFIG_MAPS, "a", namespace)
    assert await door.find(CONFIG_MAPS, "a", namespace) is None
    with pytest.raises(NotFound):
        await door.get(CONFIG_MAPS, "a", namespace)
    with pytest.raises(KindMissing):
        await door.list(ApiResource("unknown.example", "v1", "things", "Thing"))


async def test_a_status_can_be_written_without_its_plan_coming_back(
    door: KubeClient, namespace: str
) -> None:
    """Who writes a status often is answered with metadata, while the status is written whole."""
    made = await door.create(WORK_PLANS, work_plan(), namespace)
    body = {
        "apiVersion": made["apiVersion"],
        "kind": made["kind"],
        "metadata": {"name": "w", "namespace": namespace, "uid": made["metadata"]["uid"]},
        "status": {"progress": "1/2"},
    }
    answer = await door.apply(
        WORK_PLANS, body, namespace, manager=MANAGER, subresource="status", metadata_only=True
    )
    assert answer["kind"] == "PartialObjectMetadata"
    assert "spec" not in answer
    found = await door.get(WORK_PLANS, "w", namespace)
    assert found["status"]["progress"] == "1/2"


async def test_door_pages_and_follows(
    door: KubeClient, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing of several pages is whole, and what happens after it is seen in order."""
    monkeypatch.setattr(kube_client, "_FIRST_PAGE", 2)
    monkeypatch.setattr(kube_client, "_PAGE_BYTES", 1)
    for number in range(5):
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"c{number}", "labels": {"of": "mine"}},
        }
        await door.create(CONFIG_MAPS, body, namespace)
    stream = list_and_watch(door, CONFIG_MAPS, namespace, label_selector="of=mine")
    listed: list[str] = []
    async for notice in stream:
        if isinstance(notice, ListPage):
            assert len(notice.items) <= 2
            listed += [item["metadata"]["name"] for item in notice.items]
            if notice.last:
                break
    assert listed == [f"c{n}" for n in range(5)]
    await door.patch(CONFIG_MAPS, "c1", {"data": {"a": "b"}}, namespace)
    await door.delete(CONFIG_MAPS, "c2", namespace)
    seen: list[tuple[str, str]] = []
    while len(seen) < 2:
        notice = await asyncio.wait_for(anext(stream), 10)
        if isinstance(notice, WatchEvent):
            seen.append((notice.type, notice.object["metadata"]["name"]))
    assert seen == [("MODIFIED", "c1"), ("DELETED", "c2")]
    await stream.aclose()
