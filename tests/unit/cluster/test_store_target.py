"""The result store as the pods of a run see it."""

from __future__ import annotations

import base64
from typing import Any

from tests.support.example_runs import (
    CREDENTIALS,
    GOLDEN,
    RUNNER,
    SCHEDULER,
    WORKER,
    container,
    env,
    only,
    work_plan,
)
from tests.support.example_runs import PLAIN as DEFAULTS
from voxk8s.cluster.store_target import build_credentials_secret


def test_scheduler_has_no_credentials() -> None:
    """Workers and runner get the credentials, the scheduler only the address of the store."""
    assert "AWS_SECRET_ACCESS_KEY" not in env(SCHEDULER)
    assert env(SCHEDULER)["VOXK8S_STORE"] == "s3://results/lab"
    for pod in (WORKER, RUNNER):
        assert env(pod)["AWS_SECRET_ACCESS_KEY"]["secretKeyRef"]["name"] == "credentials"
        assert env(pod)["AWS_SESSION_TOKEN"]["secretKeyRef"]["optional"] is True


def test_store_without_a_secret_needs_no_keys() -> None:
    """Without a Secret no variable refers to credentials."""
    worker = container(only(GOLDEN["shaped"], "DaskCluster"), "spec", "worker", "spec")
    assert not [name for name in env(worker) if name.startswith("AWS_")]


def test_credentials_are_named_by_their_content() -> None:
    """Changed credentials get a new Secret; keys that are no credentials are left out."""

    def secret(**more: str) -> dict[str, Any]:
        return build_credentials_secret(work_plan(), DEFAULTS, CREDENTIALS | more)

    made = secret()
    assert base64.b64decode(made["data"]["AWS_ACCESS_KEY_ID"]) == b"key"
    assert set(made["data"]) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert made["metadata"]["name"] == secret(OTHER="x")["metadata"]["name"]
    assert made["metadata"]["name"] != secret(AWS_ACCESS_KEY_ID="new")["metadata"]["name"]
