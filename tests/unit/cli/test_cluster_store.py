"""Tests of the keys of a cluster's store."""

from __future__ import annotations

import pytest

from voxk8s import constants
from voxk8s.cli.cluster_store import _problem


@pytest.mark.parametrize(
    ("until", "problem"),
    [
        ("2999-01-01T00:00:00+00:00", ""),
        ("2999-01-01T00:00:00", ""),
        ("2020-01-01T00:00:00+00:00", "ended at 2020-01-01T00:00:00+00:00: is the operator"),
        ("soon", "keys-until of Secret voxk8s-store in namespace n is no time, but 'soon'"),
    ],
)
def test_keys_that_have_ended_are_a_problem(until: str, problem: str) -> None:
    """An annotation that is no time has a message of its own."""
    secret = {
        "metadata": {"annotations": {constants.ANNOTATION_KEYS_UNTIL: until}},
        "data": {constants.ENV_STORE: "", constants.ENV_S3_KEY: ""},
    }
    found = _problem(secret, "n")
    assert problem in found
    assert bool(found) == bool(problem)
