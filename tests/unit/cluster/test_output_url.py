"""Copies of saved files stay below their folder, and out of the store's own."""

from __future__ import annotations

import pytest

from tests.support import workplans
from voxk8s.cluster.output_url import check_output, leaves_folder
from voxk8s.errors import InvalidPlan
from voxk8s.kernels import registry
from voxk8s.plan import WorkPlan, decode

STORE = "s3://results/lab"


def saving(name: str) -> WorkPlan:
    """A plan that saves one file."""
    document = workplans.addition(1, 2)
    return decode({**document, "goals": [workplans.save("s", name)]}, index=registry())


@pytest.mark.parametrize(
    ("name", "leaves"),
    [
        ("a.nii.gz", False), ("a/b.png", False), ("a..b.png", False), ("..a/b", False),
        ("../a", True), ("a/../../b", True), ("/a", True), ("s3://b/a", True), ("", True),
    ],
)  # fmt: skip
def test_names_of_saved_files(name: str, leaves: bool) -> None:
    """Names that leave the folder are found; dots within names are fine."""
    assert leaves_folder(name) == leaves


def test_saved_file_that_leaves_is_named_by_its_path() -> None:
    """A file name that leaves the output makes the plan invalid, at its path."""
    with pytest.raises(InvalidPlan) as caught:
        check_output(saving("../x.json"), "s3://out", STORE)
    assert caught.value.path == "$.goals[0].name"


@pytest.mark.parametrize(
    ("folder", "name", "path"),
    [
        (f"{STORE}/ac", "x.json", "spec.output.url"),
        (f"{STORE}/cas/sha256/", "x.json", "spec.output.url"),
        (f"{STORE}//runs", "x.json", "spec.output.url"),
        (f"{STORE}/mine/../ac", "x.json", "spec.output.url"),
        (STORE, "ac/v1/x.json", "$.goals[0].name"),
        (f"{STORE}/.", "pins/x.json", "$.goals[0].name"),
    ],
)
def test_folders_of_the_store(folder: str, name: str, path: str) -> None:
    """Nothing is copied into the folders where the store keeps its records and blobs."""
    with pytest.raises(InvalidPlan) as caught:
        check_output(saving(name), folder, STORE)
    assert caught.value.path == path


@pytest.mark.parametrize("folder", [STORE, f"{STORE}/acts", "s3://results/ac", "s3://other/lab/ac"])
def test_folders_beside_those_of_the_store(folder: str) -> None:
    """Any other place will do, also within the store's bucket."""
    check_output(saving("x.json"), folder, STORE)


def test_folders_of_the_store_of_the_chart() -> None:
    """A run with a store of its own copies nothing into the folders of the chart's."""
    for mine in ("s3://mine", "redis://mine"):
        with pytest.raises(InvalidPlan, match="uses for itself"):
            check_output(saving("x.json"), f"{STORE}/ac/v1", mine, STORE)
        check_output(saving("x.json"), f"{STORE}/acts", mine, STORE)
        check_output(saving("x.json"), "s3://out", mine, None)
