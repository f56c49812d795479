"""All manifests of the example runs together."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.support.example_runs import GOLDEN
from tests.support.paths import DATA
from voxk8s.cluster.child_names import label_value
from voxk8s.cluster.rbac import COMPUTE_ACCOUNT
from voxk8s.cluster.resources import resource_of
from voxk8s.constants import STORE_SECRET

FOLDER = DATA / "manifests"


@pytest.mark.parametrize("name", GOLDEN)
def test_manifests_are_the_golden_ones(name: str) -> None:
    """The manifests equal the golden files, which `make generate` writes."""
    golden = list(yaml.safe_load_all((FOLDER / f"run-{name}.yaml").read_text()))
    assert json.loads(json.dumps(GOLDEN[name])) == golden


def test_children_are_owned_by_the_workplan() -> None:
    """Only the account and the Secret that the runs of a namespace share have no owner."""
    without = [
        thing["metadata"]["name"]
        for thing in GOLDEN["plain"]
        if "ownerReferences" not in thing["metadata"]
    ]
    assert without == [COMPUTE_ACCOUNT, STORE_SECRET]


def test_children_have_the_label_of_the_workplan() -> None:
    """Each child has the label of its WorkPlan, also if the name is long."""
    for run in GOLDEN.values():
        owner = run[-1]["metadata"]["ownerReferences"][0]["name"]
        for thing in run:
            assert resource_of(thing).kind == thing["kind"]
            if "ownerReferences" in thing["metadata"]:
                labels = thing["metadata"]["labels"]
                assert labels["voxk8s.io/workplan"] == label_value(owner)
                assert all(len(value) <= 63 for value in labels.values())
