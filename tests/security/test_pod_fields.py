"""A WorkPlan tries to get pods that the administrator did not mean to give.

Each attack is refused twice: by the API server at once, and by the operator where the API server
does not know the rule.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.support import api_server as servers
from tests.support.api_server import ApiServer
from tests.support.example_runs import work_plan
from tests.tools.helm import render
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import Invalid
from voxk8s.cluster.policy import Policy, violations
from voxk8s.cluster.resources import WORK_PLANS, ApiResource

GROUP = "admissionregistration.k8s.io"
KINDS = {
    "ValidatingAdmissionPolicy": ApiResource(
        GROUP, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False
    ),
    "ValidatingAdmissionPolicyBinding": ApiResource(
        GROUP, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding",
        namespaced=False,
    ),
}  # fmt: skip
ENGINE = "engine:1"
VALUES: dict[str, Any] = {
    "image": {"engine": ENGINE},
    "policy": {
        "images": ["registry.example/lab/*"],
        "labels": ["lab.example/*", "team"],
        "tolerations": ["gpu"],
        "priorityClasses": ["low"],
        "serviceAccounts": ["lab-*"],
        "envFrom": ["configmap/settings-*"],
        "runtimeClasses": ["gvisor"],
        "schedulers": ["volcano"],
        "hostAliases": ["pacs.example"],
        "topologyKeys": ["zone"],
        "volumes": ["images", "lab-*"],
        "maxWorkers": 8,
        "limits": {"cpu": 4, "memory": "8Gi", "lab.example/gpu": 0},
    },
}
POLICY = Policy(
    images=("registry.example/lab/*",),
    labels=("lab.example/*", "team"),
    tolerations=("gpu",),
    priority_classes=("low",),
    service_accounts=("lab-*",),
    env_from=("configmap/settings-*",),
    runtime_classes=("gvisor",),
    schedulers=("volcano",),
    host_aliases=("pacs.example",),
    topology_keys=("zone",),
    volumes=("images", "lab-*"),
    max_workers=8,
    limits={"cpu": 4, "memory": "8Gi", "lab.example/gpu": 0},
)
LIMITS: dict[str, int | str] = {"cpu": 1, "memory": "1Gi", "lab.example/gpu": 0}
ATTACKS: dict[str, dict[str, Any]] = {
    "own image": {"image": "registry.example/stranger/engine"},
    "image with a longer name": {"image": f"{ENGINE}0"},
    "preload": {"worker": {"env": [{"name": "DASK_DISTRIBUTED__WORKER__PRELOAD", "value": "x"}]}},
    "another S3 server": {"runner": {"env": [{"name": "AWS_ENDPOINT_URL_S3", "value": "x"}]}},
    "harmless beside harmful": {
        "scheduler": {"env": [{"name": "TZ"}, {"name": "LD_PRELOAD", "value": "/x"}]}
    },
    "label of a scheduler": {"worker": {"labels": {"dask.org/component": "scheduler"}}},
    "label of another Service": {"runner": {"labels": {"team": "a", "app": "database"}}},
    "injector": {"worker": {"annotations": {"sidecar.istio.io/inject": "true"}}},
    "control plane": {"worker": {"nodeSelector": {"node-role.kubernetes.io/control-plane": ""}}},
    "tolerate all": {"worker": {"tolerations": [{"operator": "Exists"}]}},
    "tolerate the control plane": {
        "worker": {"tolerations": [{"key": "node-role.kubernetes.io/control-plane"}]}
    },
    "critical": {"scheduler": {"priorityClassName": "system-node-critical"}},
    "secret of another": {"worker": {"envFrom": [{"secretRef": {"name": "settings-a"}}]}},
    "weaker runtime": {"worker": {"runtimeClassName": "host"}},
    "own scheduler": {"runner": {"schedulerName": "mine"}},
    "false S3 server": {
        "runner": {"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["s3.example"]}]}
    },
    "labels of nodes": {"worker": {"topologySpreadConstraints": [{"topologyKey": "customer"}]}},
    "claim of another": {"volumes": [{"claimName": "lab-a"}, {"claimName": "database"}]},
    "account of another": {"serviceAccountName": "voxk8s-operator"},
    "affinity": {"worker": {"affinity": {"podAffinity": {}}}},
    "too many workers": {"maxWorkers": 9},
    "too many workers of all groups": {
        "maxWorkers": 4,
        "workerGroups": [{"name": "gpu", "maxWorkers": 2}, {"name": "spot", "maxWorkers": 3}],
    },
    "own image of a group": {
        "maxWorkers": 4,
        "workerGroups": [{"name": "gpu", "image": "registry.example/stranger/engine"}],
    },
    "preload of a group": {
        "workerGroups": [{"name": "a"}, {"name": "b", "worker": {"env": [{"name": "LD_PRELOAD"}]}}]
    },
    "control plane by a group": {
        "workerGroups": [{"name": "a", "worker": {"nodeSelector": {"node-role": ""}}}]
    },
    "too many GPUs of a group": {
        "workerGroups": [
            {
                "name": "a",
                "worker": {"resources": {"limits": LIMITS | {"lab.example/gpu": 1}}},
            }
        ]
    },
    "too much memory": {"worker": {"resources": {"limits": LIMITS | {"memory": "8193Mi"}}}},
    "too much requested": {"worker": {"resources": {"requests": {"cpu": 5}, "limits": LIMITS}}},
    "a limit that is none": {"worker": {"resources": {"limits": LIMITS | {"cpu": "0"}}}},
    "no limit": {"worker": {"resources": {"requests": {"cpu": "1"}}}},
}
ALLOWED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "the engine image": {"image": ENGINE},
    "an allowed image": {"image": "registry.example/lab/engine:7"},
    "harmless variables": {"worker": {"env": [{"name": "TZ"}, {"name": "LC_ALL"}]}},
    "allowed labels": {"worker": {"labels": {"lab.example/a": "b", "team": "a"}}},
    "an allowed taint": {"worker": {"tolerations": [{"key": "gpu", "operator": "Exists"}]}},
    "low priority": {"worker": {"priorityClassName": "low"}},
    "all else that is allowed": {
        "worker": {
            "envFrom": [{"configMapRef": {"name": "settings-a"}, "prefix": "A_"}],
            "runtimeClassName": "gvisor",
            "schedulerName": "volcano",
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["pacs.example"]}],
            "topologySpreadConstraints": [{"topologyKey": "zone"}],
        }
    },
    "allowed claims": {"volumes": [{"claimName": "images"}, {"claimName": "lab-a"}]},
    "an allowed account": {"serviceAccountName": "lab-reader"},
    "eight workers": {"maxWorkers": 8},
    "groups within the lists": {
        "maxWorkers": 4,
        "workerGroups": [
            {
                "name": "gpu",
                "maxWorkers": 4,
                "image": "registry.example/lab/engine:7",
                "worker": {
                    "tolerations": [{"key": "gpu", "operator": "Exists"}],
                    "resources": {"limits": LIMITS},
                },
            }
        ],
    },
    "amounts": {
        "worker": {
            "resources": {
                "requests": {"cpu": "500m"},
                "limits": LIMITS | {"cpu": "4", "memory": "8Gi"},
            }
        }
    },
}


def _resource(*, store: dict[str, str] | None = None, **cluster: Any) -> dict[str, Any]:
    return {
        "apiVersion": "voxk8s.io/v1alpha1",
        "kind": "WorkPlan",
        "metadata": {"name": f"w-{secrets.token_hex(4)}"},
        "spec": {"source": {"program": 'print "x" 1'}, "cluster": cluster}
        | ({"store": store} if store else {}),
    }


@pytest.fixture(scope="module")
def api_server() -> Iterator[ApiServer]:
    """A real API server with the CRD and the policy of the chart."""

    async def install() -> None:
        async with await server.connect() as kube:
            await servers.install_crds(kube)
            for manifest in render(**VALUES):
                if resource := KINDS.get(manifest["kind"]):
                    await kube.create(resource, manifest)
            attack = ATTACKS["own image"]
            with suppress(Invalid):
                while True:  # Rules apply a moment after they are created.
                    await kube.create(WORK_PLANS, _resource(**attack), "default")
                    await asyncio.sleep(0.1)

    with servers.serve() as server:
        asyncio.run(install())
        yield server


@pytest.fixture
async def kube(api_server: ApiServer) -> AsyncIterator[KubeClient]:
    """A client of somebody who may create WorkPlans."""
    async with await api_server.connect() as client:
        yield client


@pytest.mark.parametrize("name", ATTACKS)
async def test_the_api_server_refuses(kube: KubeClient, name: str) -> None:
    """The answer names the chart's value that would have to allow it."""
    (found, *_) = violations(work_plan(cluster=ATTACKS[name]).spec, POLICY, ENGINE)
    with pytest.raises(Invalid, match=rf"policy\.{found.rule}\b"):
        await kube.create(WORK_PLANS, _resource(**ATTACKS[name]), "default")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("own image", "spec.cluster.image: the image registry.example"),
        ("own image of a group", "spec.cluster.workerGroups: the image registry.example"),
        ("too many workers", "at most 8 workers, got 9"),
        ("too many workers of all groups", "at most 8 workers in all worker groups, got 9"),
    ],
)
async def test_the_answer_names_the_field(kube: KubeClient, name: str, said: str) -> None:
    """Also where it is one of a worker group."""
    with pytest.raises(Invalid, match=said):
        await kube.create(WORK_PLANS, _resource(**ATTACKS[name]), "default")


@pytest.mark.parametrize("name", ATTACKS)
def test_the_operator_refuses(name: str) -> None:
    """The same rules hold where the API server has no ValidatingAdmissionPolicy."""
    assert violations(work_plan(cluster=ATTACKS[name]).spec, POLICY, ENGINE)


@pytest.mark.parametrize("name", ALLOWED)
async def test_what_is_allowed_passes_both(kube: KubeClient, name: str) -> None:
    """Neither refuses what the chart allows."""
    assert not violations(work_plan(cluster=ALLOWED[name]).spec, POLICY, ENGINE)
    await kube.create(WORK_PLANS, _resource(**ALLOWED[name]), "default")


@pytest.mark.parametrize("amount", ["1e4294967296", "1e-100", "9" * 31])
async def test_an_amount_without_end(kube: KubeClient, amount: str) -> None:
    """The API server stores no amount that it reads as another one, and that nobody can compare."""
    resources = {"limits": LIMITS | {"memory": amount}}
    with pytest.raises(Invalid, match="memory"):
        await kube.create(
            WORK_PLANS, _resource(worker={"resources": resources}, maxWorkers=1), "default"
        )


STRANGE = {"url": "s3://b", "endpoint": "https://s3.stranger.example"}


async def test_an_identity_at_the_server_of_an_author(kube: KubeClient) -> None:
    """An account with an identity does not go together with an S3 server that an author names."""
    account = {"serviceAccountName": "lab-reader"}
    spec = work_plan(cluster=account, store=STRANGE).spec
    (found,) = violations(spec, POLICY, ENGINE)
    assert found.field == "spec.cluster.serviceAccountName"
    with pytest.raises(Invalid, match=r"spec\.store\.endpoint"):
        await kube.create(WORK_PLANS, _resource(store=STRANGE, **account), "default")
    for cluster, store in ((account, {"url": "s3://b"}), ({}, STRANGE)):
        assert not violations(work_plan(cluster=cluster, store=store).spec, POLICY, ENGINE)
        await kube.create(WORK_PLANS, _resource(store=store, **cluster), "default")


async def test_an_edit_names_the_server_later(kube: KubeClient) -> None:
    """The store of a WorkPlan with an account cannot be changed to one at another server."""
    body = _resource(serviceAccountName="lab-reader")
    body["spec"]["suspend"] = True
    name = body["metadata"]["name"]
    await kube.create(WORK_PLANS, body, "default")
    with pytest.raises(Invalid, match=r"spec\.store\.endpoint"):
        await kube.patch(WORK_PLANS, name, {"spec": {"store": STRANGE}}, "default")


@pytest.mark.parametrize("region", ["stranger.example/", "a.b", "a#", "a\n"])
async def test_a_region_is_no_host(kube: KubeClient, region: str) -> None:
    """Clients make the address of the STS from it: a region is one label of a name."""
    with pytest.raises(Invalid, match="region"):
        await kube.create(
            WORK_PLANS, _resource(store={"url": "s3://b", "region": region}), "default"
        )


async def test_an_edit_asks_for_more(kube: KubeClient) -> None:
    """What creation refuses is refused to a later edit; other edits pass."""
    body = _resource(maxWorkers=2)
    body["spec"]["suspend"] = True  # Else the cluster cannot be changed at all.
    name = body["metadata"]["name"]
    await kube.create(WORK_PLANS, body, "default")
    with pytest.raises(Invalid, match=r"policy\.maxWorkers"):
        await kube.patch(WORK_PLANS, name, {"spec": {"cluster": {"maxWorkers": 9}}}, "default")
    await kube.patch(WORK_PLANS, name, {"spec": {"suspend": False}}, "default")
