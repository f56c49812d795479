"""A real API server takes the objects that the pages show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tests.support.doc_pages import blocks, pages
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import WORK_PLANS, ApiResource

CRON_JOBS = ApiResource("batch", "v1", "cronjobs", "CronJob")
_KINDS = {"WorkPlan": WORK_PLANS, "CronJob": CRON_JOBS}


def objects() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of Kubernetes in all pages, with the names of the pages."""
    for page in pages():
        for block in blocks(page):
            if block.language == "yaml" and "values" not in block.words:
                for each in yaml.safe_load_all(block.text):
                    if isinstance(each, dict) and "apiVersion" in each:
                        yield page.name, each


async def test_objects_of_the_pages_are_accepted(direct: KubeClient, namespace: str) -> None:
    """All fields are known, and all values valid: nothing is created."""
    seen = set()
    for page, each in objects():
        each["metadata"]["namespace"] = namespace
        resource = _KINDS.get(each["kind"])
        if resource is None:
            continue  # of other projects: tests/chart/test_gitops.py
        await direct.apply(resource, each, namespace, manager="pages", dry_run=True)
        seen.add((page, each["kind"]))
    assert {kind for _, kind in seen} == set(_KINDS)
