"""A WorkPlan with an identity names a server of its own, to be sent the token of that identity."""

from __future__ import annotations

import os

import botocore.session
import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.scripted_operator import CONFIG, STORE
from voxk8s.cluster.runner_job import build_runner_job
from voxk8s.controller.resolve.store_access import store_access
from voxk8s.inputs.input_options import InputOptions
from voxk8s.storage import StoreOptions

STRANGE = "https://s3.stranger.example"


def _address(service: str) -> str:
    session = botocore.session.Session()
    return str(session.create_client(service, region_name="eu-west-1").meta.endpoint_url)


def test_the_server_of_an_author_gets_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our clients find the author's S3 server, and the client of the STS that of AWS."""
    workplan = build.workplan(
        {
            "store": {"url": "s3://any/x", "endpoint": STRANGE, "region": "eu-west-1"},
            "cluster": {"maxWorkers": 1, "serviceAccountName": "data-reader"},
        }
    )
    target = store_access(workplan, STORE).target
    job = build_runner_job(workplan, CONFIG.defaults, target, cluster="c", keys="")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    given = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    assert StoreOptions().filled(given).endpoint == STRANGE
    assert InputOptions.from_env(given).endpoint == STRANGE
    assert _address("s3") == STRANGE
    assert _address("sts") == "https://sts.eu-west-1.amazonaws.com"
