"""A real API server takes the objects of pages and samples for GitOps; nothing is created."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.api_server import install, resource_of_crd
from tests.support.doc_pages import blocks, pages
from tests.support.paths import ROOT
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import ApiError
from voxk8s.cluster.resources import WORK_PLANS, ApiResource

CRON_JOBS = ApiResource("batch", "v1", "cronjobs", "CronJob")
CRDS = [
    json.loads(path.read_text())
    for path in sorted((ROOT / "tests" / "data" / "crds").glob("*.json"))
    if path.name != "origins.json"
]
GITOPS = {resource.kind: resource for resource in map(resource_of_crd, CRDS)}
FILES = sorted((ROOT / "manifests" / "gitops").glob("*.yaml"))


def objects() -> Iterator[dict[str, Any]]:
    """Yield the objects of Kubernetes in all pages."""
    for page in pages():
        for block in blocks(page):
            if block.language == "yaml" and "values" not in block.words:
                documents = yaml.safe_load_all(block.text)
                yield from (each for each in documents if each and "apiVersion" in each)


async def test_objects_of_the_pages_are_accepted(direct: KubeClient, namespace: str) -> None:
    """All fields are known, and all values valid."""
    kinds = {"WorkPlan": WORK_PLANS, "CronJob": CRON_JOBS}
    seen = set()
    for each in objects():
        each["metadata"]["namespace"] = namespace
        resource = kinds[each["kind"]]
        await direct.apply(resource, each, namespace, manager="pages", dry_run=True)
        seen.add(each["kind"])
    assert seen == set(kinds)


async def test_manifests_for_gitops_fit_their_projects(direct: KubeClient, namespace: str) -> None:
    """Argo CD's and Flux's own CRDs take them, and do not take a field that they do not know."""
    await install(direct, CRDS)
    seen = set()
    for each in (each for path in FILES for each in yaml.safe_load_all(path.read_text())):
        each["metadata"]["namespace"] = namespace
        resource = GITOPS[each["kind"]]
        assert each["apiVersion"] == resource.api_version
        await direct.apply(resource, each, namespace, manager="gitops", dry_run=True)
        seen.add(each["kind"])
        each["spec"]["unheardOf"] = True
        with pytest.raises(ApiError, match="unheardOf"):
            await direct.apply(resource, each, namespace, manager="gitops", dry_run=True)
    assert seen == set(GITOPS)
