"""The operator does nothing for a WorkPlan that the WorkPlan's own domain may not do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec
import pytest

from tests.support import workplans
from tests.support.s3 import S3Server
from tests.support.scripted_kube import ScriptedKube
from tests.unit.controller.scripted_operator import CONFIG
from voxk8s.api.workplan import decode_resource
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.controller.act.run_credentials import RunCredentials
from voxk8s.controller.config import Config, StoreConfig
from voxk8s.controller.resolve.resolution_state import Resolved, ResolveResult
from voxk8s.controller.resolve.resolve_plan import resolve_plan
from voxk8s.controller.resolve.resolve_request import ResolveRequest, make_request
from voxk8s.controller.trust import Domain, SessionConfig, Trust
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.inputs.filesystems import file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate
from voxk8s.storage import open_store

pytestmark = pytest.mark.s3

PLAN = workplans.document(
    [workplans.constant("a", 5), workplans.operation("s", "addition", "a", "a")],
    [workplans.save("s", "scan.json")],
)
IDENTITY = Trust(
    domains={
        "team-a": Domain(namespaces=("a",), service_account="data"),
        "team-b": Domain(namespaces=("b",), service_account="data"),
    },
    service_account="data",
)
"""Runs have identities of their own, and the operator looks up with its own keys, good for all."""


@dataclass(frozen=True)
class Scene:
    """A store with results of the shared domain and of team-a, and files of team-b."""

    server: S3Server
    url: str
    config: Config

    def written(self, url: str) -> bool:
        """Whether a file exists."""
        options = InputOptions.from_env(self.server.env)
        place = locate(url, options)
        return bool(file_system(place, options).exists(place.path))

    async def resolve(self, namespace: str, **spec: Any) -> ResolveResult | None:
        """Resolve a WorkPlan as the operator does."""
        kube = cast("KubeClient", ScriptedKube())
        body = {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            "metadata": {"name": "wp", "namespace": namespace, "uid": "u"},
            "spec": {"source": {"plan": PLAN}, **spec},
        }
        cast("ScriptedKube", kube).put(body)
        credentials = RunCredentials(kube, self.config.store)
        found = await make_request(
            kube, self.config, decode_resource(body), credentials.look_up_options
        )
        assert isinstance(found, ResolveRequest)
        return resolve_plan(found)


@pytest.fixture
def scene(s3_server: S3Server) -> Scene:
    """A store in which the plan is known in two domains."""
    url = s3_server.url()
    for domain in ("shared", "team-a"):
        store = open_store(url, domain=domain, options=s3_server.options, env={})
        engine = ExecutionEngine(store, write_files=False)
        assert engine.execute_workplan(load_plan(PLAN)).success
    theirs = open_store(url, domain="team-b", options=s3_server.options, env={})
    theirs.write_run_file("b/wp/u/patients.json", b'{"Jane Doe": 1}', "application/json")
    theirs.write_run_file("b/wp/u/plan.json", msgspec.json.encode(PLAN), "application/json")
    config = StoreConfig(
        url=url,
        options=s3_server.options,
        prefixes=(f"{url}/",),
        trust=IDENTITY,
        session=SessionConfig(
            read_prefixes=(f"{url}/inputs/",), write_prefixes=(f"{url}/outputs/{{domain}}/",)
        ),
    )
    return Scene(s3_server, url, replace(CONFIG, store=config))


@pytest.mark.parametrize("namespace", ["a", "other"])
@pytest.mark.parametrize("folder", ["outputs/team-b", "inputs", "free"])
async def test_it_writes_no_files_that_the_domain_may_not_write(
    scene: Scene, namespace: str, folder: str
) -> None:
    """Known results would be copied with the operator's keys; the runner has its own."""
    found = await scene.resolve(namespace, output={"url": f"{scene.url}/{folder}"})
    assert isinstance(found, Resolved)
    assert found.final_status is None
    assert not scene.written(f"{scene.url}/{folder}/scan.json")


@pytest.mark.parametrize("namespace", ["a", "other"])
@pytest.mark.parametrize("name", ["patients", "plan"])
async def test_it_reads_no_source_of_another_domain(
    scene: Scene, namespace: str, name: str
) -> None:
    """Errors of what is no plan would show what is in it, and a plan its results."""
    url = f"{scene.url}/domains/team-b/runs/b/wp/u/{name}.json"
    found = await scene.resolve(namespace, source={"url": url})
    assert "Jane" not in str(found)
    assert isinstance(found, Resolved)
    assert found.source_digest is None


async def test_with_credentials_of_the_domain_it_spares_the_runner(scene: Scene) -> None:
    """A session of the chart's STS may write in the outputs of its domain, and nowhere else."""
    trust = Trust(per_namespace=True)
    session = msgspec.structs.replace(
        scene.config.store.session, role_arn="arn:aws:iam::role/runs", confine_listing=True
    )
    store = replace(scene.config.store, trust=trust, session=session)
    divided = replace(scene, config=replace(scene.config, store=store))
    for folder, may in (("outputs/team-a", True), ("outputs/team-b", False), ("inputs", False)):
        found = await divided.resolve("team-a", output={"url": f"{scene.url}/{folder}"})
        assert isinstance(found, Resolved)
        assert (found.final_status is not None) is may
        assert scene.written(f"{scene.url}/{folder}/scan.json") is may
