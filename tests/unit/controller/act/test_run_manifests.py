"""Manifests of a run, as what exists of it determines them."""

from __future__ import annotations

from dataclasses import replace as replace_fields
from typing import Any

import pytest

from tests.unit.controller.observed_builders import START, applied, cluster, replace
from tests.unit.controller.scripted_operator import CONFIG
from voxk8s.cluster.rbac import account_reference
from voxk8s.controller.act.run_manifests import RunManifests

_MANIFESTS = RunManifests(CONFIG)
_ACCOUNT = account_reference("runner", "a-1")


def _mounted(job: dict[str, Any]) -> set[str]:
    volumes = job["spec"]["template"]["spec"].get("volumes") or ()
    return {each["secret"]["secretName"] for each in volumes if "secret" in each}


def test_the_keys_of_a_run_are_those_of_its_account() -> None:
    """The Secret that is made is the one that the runner mounts."""
    observed = applied()

    made = _MANIFESTS.access(observed, _ACCOUNT, START)

    (keys,) = (each["metadata"]["name"] for each in made if each["kind"] == "Secret")
    assert keys in _mounted(_MANIFESTS.runner(observed, _ACCOUNT.uid))


def test_a_runner_joins_the_cluster_that_exists() -> None:
    """With its name and its keys, whoever made it; one that is being deleted is no longer it."""
    plain = applied()
    existing = cluster(name="other", keys="other-keys")
    observed = replace(plain, cluster=existing)

    assert _MANIFESTS.cluster_name(observed) == "other"
    assert "other-keys" in _mounted(_MANIFESTS.runner(observed, _ACCOUNT.uid))

    leaving = replace(plain, cluster=replace_fields(existing, deleting=START))
    assert _MANIFESTS.cluster_name(leaving) == _MANIFESTS.cluster_name(plain)
    assert _MANIFESTS.autoscaler(leaving, 1)["spec"]["cluster"] != "other"


@pytest.mark.parametrize("tls", [True, False])
def test_a_run_without_tls_has_no_keys(tls: bool) -> None:
    """The chart's value decides."""
    config = replace_fields(CONFIG, defaults=replace_fields(CONFIG.defaults, tls=tls))

    made = RunManifests(config).access(applied(), _ACCOUNT, START)

    assert ("Secret" in [each["kind"] for each in made]) is tls


def test_access_goes_with_the_account() -> None:
    """The account of the workers alone stays: it belongs to the namespace."""
    made = _MANIFESTS.access(applied(), _ACCOUNT, START)

    owned = [each for each in made if each["metadata"].get("ownerReferences")]
    assert {each["kind"] for each in made if each not in owned} == {"ServiceAccount"}
    assert {each["metadata"]["ownerReferences"][0]["uid"] for each in owned} == {"a-1"}
