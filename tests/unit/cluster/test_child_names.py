"""Names and labels of children."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.support.example_runs import PLAIN, STORE, work_plan
from voxk8s.cluster import child_names
from voxk8s.cluster.dask_cluster import build_dask_cluster

DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
subdomains = st.from_regex(
    r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?(\.[a-z0-9]{1,30}){0,4}", fullmatch=True
)


@given(subdomains)
def test_names_fit_every_limit(name: str) -> None:
    """Whatever a WorkPlan is called, its children's names are DNS labels that fit."""
    resource = work_plan(name)
    cluster = child_names.child_name(resource, {"any": "spec"})
    assert DNS_LABEL.fullmatch(cluster)
    assert len(cluster) <= 35
    assert len(f"{cluster}-default-worker-0123456789") <= 63
    assert len(child_names.runner_name(resource)) <= 52  # a Job's pods get eleven characters more


@given(st.one_of(subdomains, st.text("abc.-", min_size=1, max_size=250)))
def test_labels_fit_and_differ(name: str) -> None:
    """A label holds the name itself where it fits, else a cut one that is still its own."""
    label = child_names.label_value(name)
    assert len(label) <= 63
    if len(name) <= 63:
        assert label == name
    elif name[0].isalnum():
        assert LABEL_VALUE.fullmatch(label)
        assert label != child_names.label_value(f"{name[:-1]}z")


def test_names_belong_to_one_work_plan() -> None:
    """A WorkPlan that is made again under the same name has other children."""
    old, same = work_plan(), work_plan()
    again = structs.replace(old, metadata=structs.replace(old.metadata, uid="another"))
    assert child_names.child_name(old) == child_names.child_name(same)
    assert child_names.child_name(again) != child_names.child_name(old)


def test_cluster_is_named_by_its_spec_but_not_by_its_size() -> None:
    """dask-kubernetes ignores edits, so another shape is another cluster; more workers are not."""

    def name(workers: int, **cluster: object) -> str:
        manifest = build_dask_cluster(work_plan(cluster=cluster), PLAIN, STORE, workers=workers)
        given: str = manifest["metadata"]["name"]
        return given

    assert name(1) == name(5)
    assert name(1) != name(1, threadsPerWorker=2)
    assert name(1) != name(1, image="other")


@pytest.mark.parametrize("parts", [({"a": 1, "b": 2},), ({"b": 2, "a": 1},)])
def test_digest_does_not_depend_on_order(parts: tuple[object, ...]) -> None:
    """Equal data has one hash, in every process."""
    assert child_names.short_hash(*parts) == "44c7deead2ed"
