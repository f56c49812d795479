"""Conversion of WorkPlans, on objects as API servers have stored them."""

from __future__ import annotations

import copy
import json
from typing import Any

import msgspec
import pytest

from tests.support.paths import ROOT
from voxk8s.api.conversion import V1BETA1, convert_workplan
from voxk8s.api.workplan import WorkPlanResource, decode_resource
from voxk8s.constants import API_VERSION
from voxk8s.errors import InvalidUsage

STORED = {
    path.stem: json.loads(path.read_text())
    for path in sorted((ROOT / "tests/data/workplans").glob("*.json"))
}
each_stored = pytest.mark.parametrize("stored", STORED.values(), ids=STORED)


def meaning(document: dict[str, Any]) -> tuple[WorkPlanResource, tuple[int | None, ...]]:
    """Return what the operator reads, and the time to live apart from how it is written."""
    resource = decode_resource(document)
    kept = tuple(resource.spec.time_to_live(succeeded) for succeeded in (True, False))
    spec = msgspec.structs.replace(resource.spec, ttl_seconds_after_finished=None)
    return msgspec.structs.replace(resource, spec=spec), kept


@each_stored
def test_there_and_back(stored: dict[str, Any]) -> None:
    """An object means the same after a conversion and back, and the argument is left alone."""
    before = copy.deepcopy(stored)
    back = convert_workplan(convert_workplan(stored, V1BETA1), API_VERSION)
    assert stored == before
    expected = copy.deepcopy(stored)
    if "completionTime" not in stored["status"]:
        del expected["status"]["duration"]  # It stood still while the run went on.
    assert meaning(back) == meaning(expected)


@each_stored
def test_nothing_else_is_lost(stored: dict[str, Any]) -> None:
    """Only the fields that v1beta1 has not are left out, unknown ones are kept."""
    unknown = copy.deepcopy(stored)
    unknown["spec"]["later"] = unknown["status"]["later"] = {"x": 1}
    new = convert_workplan(unknown, V1BETA1)
    assert new["apiVersion"] == "voxk8s.io/v1beta1"
    assert "duration" not in new["status"]
    assert "poolRef" not in new["spec"]["cluster"]
    assert isinstance(new["spec"].get("ttlSecondsAfterFinished", {}), dict)
    for part in ("metadata", "spec", "status"):
        assert set(unknown[part]) - set(new[part]) <= {"duration"}
    again = convert_workplan(new, V1BETA1)
    assert again == new


def test_odd_version() -> None:
    """A version that does not exist is named."""
    with pytest.raises(InvalidUsage, match="v7"):
        convert_workplan(STORED["done"], "voxk8s.io/v7")
