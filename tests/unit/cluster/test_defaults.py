"""What the chart decides, read from the operator's environment."""

from __future__ import annotations

import pytest

from voxk8s.api.spec import Resources
from voxk8s.cluster.defaults import Defaults
from voxk8s.errors import InvalidUsage

IMAGE = {"VOXK8S_ENGINE_IMAGE": "engine:1"}


def test_only_the_image_is_needed() -> None:
    """Everything but the engine's image has a default."""
    assert Defaults.from_env(IMAGE) == Defaults(engine_image="engine:1")


def test_everything_is_read() -> None:
    """Each variable sets its field; lists, mappings and resources are JSON."""
    read = Defaults.from_env(
        IMAGE
        | {
            "VOXK8S_IMAGE_PULL_POLICY": "Never",
            "VOXK8S_IMAGE_PULL_SECRETS": '["a"]',
            "VOXK8S_WORKER_RESOURCES": '{"limits":{"memory":"1Gi","cpu":2}}',
            "VOXK8S_RUN_AS": "null",
            "VOXK8S_TEST_KERNELS": "true",
            "VOXK8S_ENGINE_ENV": '{"A":"1"}',
            "VOXK8S_API_PORTS": "[6443]",
            "VOXK8S_NETWORK_POLICIES": "false",
            "VOXK8S_RUNNER_RETRIES": "2",
            "VOXK8S_PRIORITY_CLASSES": '{"high":100,"low":-1000}',
        }
    )
    assert read.image_pull_policy == "Never"
    assert read.image_pull_secrets == ("a",)
    assert read.worker == Resources(limits={"memory": "1Gi", "cpu": 2})
    assert read.run_as is None
    assert read.test_kernels
    assert read.engine_env == {"A": "1"}
    assert read.api_ports == (6443,)
    assert not read.network_policies
    assert read.runner_retries == 2
    assert [read.priority_class(given) for given in (100, 99, -1000)] == ["high", "low", "low"]
    assert Defaults("engine:1").priority_class(1000) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VOXK8S_ENGINE_IMAGE", ""),
        ("VOXK8S_IMAGE_PULL_POLICY", "Sometimes"),
        ("VOXK8S_WORKER_RESOURCES", "{"),
        ("VOXK8S_WORKER_RESOURCES", '{"limits":[]}'),
        ("VOXK8S_RUN_AS", '"root"'),
        ("VOXK8S_API_PORTS", "443"),
        ("VOXK8S_POLICY", '{"limits":{"memory":"8GB"}}'),
        ("VOXK8S_RUNNER_RESOURCES", '{"limits":{"memory":"1e1000"}}'),
    ],
)
def test_wrong_value_names_its_variable(name: str, value: str) -> None:
    """An operator that is set up wrongly says by which variable."""
    with pytest.raises(InvalidUsage, match=name):
        Defaults.from_env(IMAGE | {name: value})
