"""The configuration of the operator."""

from __future__ import annotations

import pytest

from voxk8s.controller.config import Config
from voxk8s.errors import InvalidUsage

ENV = {
    "VOXK8S_ENGINE_IMAGE": "img:1",
    "VOXK8S_STORE": "s3://results",
    "AWS_ENDPOINT_URL": "http://s3:8333",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "topsecret",
}


def test_defaults() -> None:
    """With an image and a store everything else has a default; secrets are not in the repr."""
    config = Config.from_env(ENV)
    assert config.store.prefixes == ("s3://results",)
    assert (config.store.allowed, config.store.denied) == (("*",), ())
    assert (config.health_port, config.metrics_port, config.leader_election) == (8080, 9090, True)
    assert config.store.options.secret == "topsecret"
    assert "topsecret" not in repr(config)


def test_settings_of_the_chart() -> None:
    """Lists are JSON, prefixes are separated by spaces, flags have the usual spellings."""
    config = Config.from_env(
        {
            **ENV,
            "VOXK8S_STORE_ALLOWED_NAMESPACES": '["lab", "ward"]',
            "VOXK8S_STORE_DENIED_NAMESPACES": '["x"]',
            "VOXK8S_INPUT_PREFIXES": "s3://results/ s3://data/",
            "VOXK8S_WATCH_NAMESPACES": '["lab"]',
            "VOXK8S_LEADER_ELECTION": "off",
            "VOXK8S_HEALTH_PORT": "8081",
            "VOXK8S_STORE_MAX_BYTES": "500Gi",
            "VOXK8S_OPERATOR_POD": "op-1",
        }
    )
    assert config.store.allowed == ("lab", "ward")
    assert config.store.prefixes == ("s3://results/", "s3://data/")
    assert config.store.max_bytes == 500 * 2**30
    assert (config.namespaces, config.identity) == (("lab",), "op-1")
    assert (config.leader_election, config.health_port) == (False, 8081)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VOXK8S_WATCH_NAMESPACES", "lab"),
        ("VOXK8S_STORE_ALLOWED_NAMESPACES", "{}"),
        ("VOXK8S_HEALTH_PORT", "http"),
        ("VOXK8S_RESOLVERS", "0"),
        ("VOXK8S_LEADER_ELECTION", "perhaps"),
        ("VOXK8S_STORE_MAX_BYTES", "much"),
        ("VOXK8S_STORE_MAX_BYTES", "0"),
        ("VOXK8S_ENGINE_IMAGE", ""),
    ],
)
def test_wrong_values(name: str, value: str) -> None:
    """The error for a wrong value names its variable."""
    with pytest.raises(InvalidUsage, match=name):
        Config.from_env({**ENV, name: value})


@pytest.mark.parametrize(
    ("limit", "megabytes"), [(None, 2048), (1024, 614), (128, 256), (65536, 2048)]
)
def test_memory_of_a_process(limit: int | None, megabytes: int) -> None:
    """One process may use most of the pod's memory, within fixed limits."""
    given = None if limit is None else limit * 1024**2
    assert Config.from_env(ENV, given).resolver_memory // 1024**2 == megabytes
