"""The result store as the pods of a run see it."""

from __future__ import annotations

import base64

import pytest

from tests.support.example_runs import (
    CREDENTIALS,
    GOLDEN,
    RUNNER,
    SCHEDULER,
    WORKER,
    container,
    env,
    only,
)
from voxk8s.cluster.store_target import StoreTarget, build_credentials_secret, store_env
from voxk8s.storage import TrustDomains


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


def test_credentials_of_a_namespace_have_one_name() -> None:
    """The Secret has a fixed name, and only what there is of keys and address."""
    target = StoreTarget("s3://results", domains=TrustDomains("team-a"))
    made = build_credentials_secret(target, "lab", CREDENTIALS)
    assert (made["metadata"]["namespace"], made["metadata"]["name"]) == ("lab", "voxk8s-store")
    assert base64.b64decode(made["data"]["AWS_ACCESS_KEY_ID"]) == b"key"
    assert base64.b64decode(made["data"]["VOXK8S_STORE_DOMAIN"]) == b"team-a"
    assert set(made["data"]) == {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "VOXK8S_STORE",
        "VOXK8S_STORE_DOMAIN",
    }
    assert "annotations" not in made["metadata"]


def test_pods_know_their_trust_domain() -> None:
    """A run writes in its own domain and reads from those that it trusts."""
    target = StoreTarget("s3://results", domains=TrustDomains("team-a", ("team-b", "shared")))
    found = dict(item for item in store_env(target, credentials=True) if isinstance(item, tuple))
    assert found["VOXK8S_STORE_DOMAIN"] == "team-a"
    assert found["VOXK8S_STORE_TRUSTS"] == "team-b,shared"


@pytest.mark.parametrize(
    ("default", "name"), [(True, "AWS_ENDPOINT_URL"), (False, "AWS_ENDPOINT_URL_S3")]
)
def test_the_endpoint_of_an_author_is_for_s3_only(default: bool, name: str) -> None:
    """Clients of AWS send tokens of accounts to the general endpoint: only the chart names one."""
    target = StoreTarget("s3://results", "https://s3.example", default=default)
    found = [item[0] for item in store_env(target, credentials=True) if isinstance(item, tuple)]
    assert [each for each in found if each.startswith("AWS_")] == [name]
