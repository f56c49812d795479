"""Names and labels of the children of a WorkPlan."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.support.example_runs import work_plan
from voxk8s.cluster import child_names

DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
subdomains = st.from_regex(
    r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?(\.[a-z0-9]{1,30}){0,4}", fullmatch=True
)


@given(subdomains)
def test_names_fit_every_limit(name: str) -> None:
    """For any name of a WorkPlan, the names of its children are DNS labels within the limits."""
    workplan = work_plan(name)
    cluster = child_names.child_name(workplan, {"any": "spec"})
    assert DNS_LABEL.fullmatch(cluster)
    assert len(cluster) <= 35
    assert len(f"{cluster}-default-worker-0123456789") <= 63
    assert len(child_names.runner_name(workplan)) <= 52  # a Job's pods get eleven characters more


@given(st.one_of(subdomains, st.text("abc.-", min_size=1, max_size=250)))
def test_labels_fit_and_differ(name: str) -> None:
    """A label value is the name itself if it fits, else a cut name that stays distinct."""
    label = child_names.label_value(name)
    assert len(label) <= 63
    if len(name) <= 63:
        assert label == name
    elif name[0].isalnum():
        assert LABEL_VALUE.fullmatch(label)
        other = "y" if name.endswith("z") else "z"
        assert label != child_names.label_value(f"{name[:-1]}{other}")


def test_names_belong_to_one_work_plan() -> None:
    """The children of a WorkPlan that was created again under its name have other names."""
    old, same = work_plan(), work_plan()
    again = structs.replace(old, metadata=structs.replace(old.metadata, uid="another"))
    assert child_names.child_name(old) == child_names.child_name(same)
    assert child_names.child_name(again) != child_names.child_name(old)


@pytest.mark.parametrize("parts", [({"a": 1, "b": 2},), ({"b": 2, "a": 1},)])
def test_hash_does_not_depend_on_order(parts: tuple[object, ...]) -> None:
    """Equal data has the same hash in every process."""
    assert child_names.short_hash(*parts) == "44c7deead2ed"
