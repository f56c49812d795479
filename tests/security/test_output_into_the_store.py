"""Saved files are never written into the folders that the result store uses for itself."""

from __future__ import annotations

import random
import string

import msgspec
import pytest

from tests.support import workplans
from tests.unit.controller import observed_builders as build
from tests.unit.controller.scripted_operator import CONFIG
from tests.unit.controller.scripted_operator import STORE as STORE_CONFIG
from voxk8s.cluster.copy_files import SavedFile, copy_files
from voxk8s.cluster.output_url import STORE_FOLDERS, check_output
from voxk8s.cluster.plan_source import Document
from voxk8s.cluster.runner_job import build_runner_job
from voxk8s.controller.resolve.resolution_state import Invalid
from voxk8s.controller.resolve.resolve_plan import resolve_plan
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.controller.resolve.store_access import store_access
from voxk8s.errors import InputNotAllowed, InvalidPlan
from voxk8s.inputs.filesystems import file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate
from voxk8s.inputs.s3_target import s3_target
from voxk8s.kernels import registry
from voxk8s.plan import WorkPlan, decode
from voxk8s.runner.runner_config import RunnerConfig

STORE = "s3://results/lab"
OPTIONS = InputOptions(endpoint="http://127.0.0.1:1", key="a", secret="b", region="r")


_SAVES = {**workplans.addition(1, 2), "goals": [workplans.save("s", "x.json")]}


def _saving(name: str) -> WorkPlan:
    document = workplans.addition(1, 2)
    return decode({**document, "goals": [workplans.save("s", name)]}, index=registry())


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("s3://s3://results/lab/ac", "v1/x"),
        ("s3://s3://results", "lab/ac/v1/x"),
        ("s3::results/lab", "ac/v1/x"),
        ("s3://results//lab", "ac/v1/x"),
        ("s3://results/./lab/.", "./ac//v1/x"),
        ("s3://results/lab/%61c", "x"),
        (STORE, "%61c/v1/x"),
        (STORE, "%2561c/v1/x"),
        (STORE, "AC/v1/x"),
        (STORE, "ac?versionId=1"),
        (STORE, "ac/v1/x?versionId=y/../../free"),
        (STORE, "ac/v1/x?VersionId=1"),
        (STORE, "free/%2e%2e/ac/v1/x"),
        (STORE, "free\\..\\ac"),
        (STORE, "a\u0000b"),
        ("s3://results", "lab/lease/v1/x"),
        ("s3://results", "lab/domains/other/ac/v1/x"),
        ("s3://results", "lab/lock"),
        ("s3://arn:aws:s3:eu-west-1:1:accesspoint:ap", "x"),
        ("s3://", "results/lab/ac/x"),
    ],
)
def test_ways_into_the_store(folder: str, name: str) -> None:
    """However a folder of the store is written, the plan is invalid."""
    with pytest.raises(InvalidPlan):
        check_output(_saving(name), folder, STORE)


@pytest.mark.parametrize("folder", sorted(STORE_FOLDERS))
def test_every_folder_of_the_store(folder: str) -> None:
    """None is forgotten."""
    with pytest.raises(InvalidPlan, match="uses for itself"):
        check_output(_saving(f"{folder}/x"), STORE, STORE)


def test_the_store_of_the_chart_from_a_run_with_another() -> None:
    """The operator refuses at once; the runner knows the chart's store for plans behind a URL."""
    workplan = build.workplan(
        {"store": {"url": "s3://mine"}, "output": {"url": "s3://results/cas/sha256"}}
    )
    target = store_access(workplan, STORE_CONFIG).target
    request = ResolveRequest(
        Document(msgspec.json.encode(_SAVES), "json"), None, None, None, "Use",
        output_url="s3://results/cas/sha256", store_url=target.url, options=None,
        chart_store_url=target.chart_url,
    )  # fmt: skip
    found = resolve_plan(request)
    assert isinstance(found, Invalid)
    assert "uses for itself" in found.message
    job = build_runner_job(workplan, CONFIG.defaults, target, cluster="c", keys="")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    given = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    assert RunnerConfig.from_env(given).chart_store == "s3://results"


def test_who_writes_asks_the_same_function() -> None:
    """A name that is not checked, or changed afterwards, is refused again before it is written."""
    with pytest.raises(InputNotAllowed, match="versionId"):
        copy_files([SavedFile("ac/v1/x?versionId=1", lambda: b"x")], STORE, OPTIONS)


def test_the_client_writes_what_was_checked() -> None:
    """For random URLs, the S3 client's own bucket and key are those that were checked."""
    rng = random.Random(7)
    pieces = ["s3://", "s3::", "results", "lab", "ac", "/", "//", "..", ".", "%2e", "%61", "?", "#"]
    pieces += ["?versionId=", "@", ":", "arn:aws:s3:r:1:accesspoint/", " ", "\\", "ä", "AC", "*"]
    checked = 0
    for _ in range(20_000):
        folder = "s3://" + "".join(rng.choices(pieces, k=rng.randrange(4)))
        name = "".join(rng.choices([*pieces, *string.ascii_letters[:3]], k=rng.randrange(1, 6)))
        try:
            target = s3_target(folder, name)
        except ValueError:
            continue
        if not target.parts:
            continue
        checked += 1
        location = locate(f"s3://{target.path}", OPTIONS)
        bucket, key, version = file_system(location, OPTIONS).split_path(location.path)
        assert (bucket, key, version) == (target.bucket, "/".join(target.parts), None)
    assert checked > 500
