"""The demo's three WorkPlans over the real MRI, with ranks of their own so that they are new."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from tests.e2e.conftest import Watch, succeeded
from tests.support import reference_white_matter, workplans
from tests.support.kubectl import Kubectl
from tests.tools.demo import scan

pytestmark = pytest.mark.cluster


def with_rank(name: str, bright: float) -> dict[str, Any]:
    """Read a sample and give the rank of bright voxels another value."""
    thing = workplans.sample(name)
    for node in thing["spec"]["source"]["plan"]["nodes"]:
        if node["id"] == "bright-rank":
            node["value"] = bright
    return thing


def mask_of(thing: dict[str, Any]) -> Any:
    """Read the mask that a WorkPlan saved."""
    (url,) = (r["url"] for r in thing["status"]["results"] if r["kind"] == "save")
    with tempfile.NamedTemporaryFile(suffix=".nii.gz") as file:
        Path(file.name).write_bytes(scan.read(url))
        return sitk.GetArrayFromImage(sitk.ReadImage(file.name))


@pytest.mark.timeout(400)
def test_three_questions_about_one_mri(
    make_namespace: Callable[[], Kubectl],
    watch: Callable[[Kubectl, str], Watch],
    salt: float,
) -> None:
    """The first is computed and right, the second needs no pod, the third only what is new."""
    scan.upload()
    bright = 0.6 + salt / 10
    here, there = make_namespace(), make_namespace()

    here.apply(with_rank("white-matter.yaml", bright))
    one = succeeded(here, "white-matter")
    image = sitk.GetArrayFromImage(sitk.ReadImage(str(scan.local_path())))
    found = reference_white_matter.find(image, bright, 0.8)
    values = workplans.results(one)
    assert values["volume"] == found.region.sum()
    assert values["share of the head"] == pytest.approx(found.region.sum() / found.head.sum())
    assert values["mean intensity"] == pytest.approx(image[found.region].mean(), rel=1e-6)
    assert np.array_equal(mask_of(one), found.region)

    pods, clusters = watch(there, "pods"), watch(there, "daskclusters")
    there.apply({**with_rank("white-matter.yaml", bright), "metadata": {"name": "same-question"}})
    two = succeeded(there, "same-question")
    assert two["status"]["operations"]["computed"] == 0
    assert workplans.results(two) == values
    assert pods.stop() == []
    assert clusters.stop() == []

    here.apply(with_rank("white-matter-margin.yaml", bright))
    three = succeeded(here, "white-matter-margin")
    assert workplans.results(three)["volume of the margin"] == found.margin.sum()
    assert np.array_equal(mask_of(three), found.margin)
    third = three["status"]["operations"]
    assert third["cached"] > 0
    # Six around the known region, and the scan, which is read again for its intensities.
    assert third["computed"] <= 8


@pytest.mark.timeout(400)
def test_samples(kube: Kubectl) -> None:
    """Samples run as they stand, with the inputs that the demo uploads."""
    scan.upload()
    names = ("folder-statistics", "white-matter-program", "sum")
    kube.apply(*(workplans.sample(f"{name}.yaml") for name in names))
    found = {name: workplans.results(succeeded(kube, name)) for name in names}
    assert len(found["folder-statistics"]["volumes"]) == len(scan.FOLDER)
    assert found["white-matter-program"]["volume"] > 0
    assert found["sum"] == {"sum": 5}
