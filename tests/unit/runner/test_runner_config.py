"""Configuration of the runner."""

from __future__ import annotations

import pytest

from voxk8s.errors import InvalidUsage
from voxk8s.runner.runner_config import RunnerConfig

ENV = {
    "VOXK8S_WORKPLAN_NAMESPACE": "ns",
    "VOXK8S_WORKPLAN_NAME": "wp",
    "VOXK8S_WORKPLAN_UID": "u-1",
    "VOXK8S_SCHEDULER_ADDRESS": "tcp://s:8786",
    "VOXK8S_STORE": "s3://b",
    "VOXK8S_LOCAL_INPUTS": "true",
}


def test_configuration_is_read_from_the_environment() -> None:
    """The run's folder follows from the WorkPlan; local inputs are never allowed."""
    config = RunnerConfig.from_env(ENV | {"VOXK8S_LOG_LEVEL": "debug"})
    assert (config.scheduler, config.store) == ("tcp://s:8786", "s3://b")
    assert config.run_folder == "ns/wp/u-1"
    assert config.log_level == "DEBUG"
    assert not config.inputs.local_allowed


def test_missing_variables_are_named() -> None:
    """The error names all missing variables."""
    with pytest.raises(InvalidUsage, match=r"VOXK8S_WORKPLAN_NAMESPACE, .*, VOXK8S_STORE"):
        RunnerConfig.from_env({})
