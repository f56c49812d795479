"""Saved files are never written into the folders that the result store uses for itself."""

from __future__ import annotations

import random
import string

import pytest

from tests.support import workplans
from voxk8s.cluster.copy_files import SavedFile, copy_files
from voxk8s.cluster.output_url import STORE_FOLDERS, check_output
from voxk8s.errors import InputNotAllowed, InvalidPlan
from voxk8s.inputs.filesystems import file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate
from voxk8s.inputs.s3_target import s3_target
from voxk8s.kernels import registry
from voxk8s.plan import WorkPlan, decode

STORE = "s3://results/lab"
OPTIONS = InputOptions(endpoint="http://127.0.0.1:1", key="a", secret="b", region="r")


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
