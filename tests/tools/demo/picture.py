"""The picture of the demo: the MRI with the masks that the WorkPlans found drawn over it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from tests.tools.demo import scan

matplotlib.use("agg")
from matplotlib import pyplot as plt

REGION, MARGIN = "#e4572e", "#17becf"


def draw(region: Mapping[str, Any], margin: Mapping[str, Any], path: Path) -> None:
    """Draw three planes through the middle of the region and write a PNG."""
    image = sitk.GetArrayFromImage(sitk.ReadImage(str(scan.local_path())))
    masks = [_mask(thing) for thing in (region, margin)]
    centre = [int(np.median(axis)) for axis in np.nonzero(masks[0])]
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.8), facecolor="black")
    for axis, (plane, where) in enumerate(zip(axes, centre, strict=True)):
        plane.imshow(np.take(image, where, axis), cmap="gray", origin="lower")
        found, around = (np.take(mask, where, axis) for mask in masks)
        plane.contourf(found, [0.5, 1.5], colors=[REGION], alpha=0.4)
        plane.contour(np.maximum(found, around), [0.5], colors=[MARGIN], linewidths=1.2)
        plane.axis("off")
    figure.suptitle(
        "MNI152 T1: white matter (red) and what lies within 5 mm of it (blue line)",
        color="white",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, bbox_inches="tight", facecolor="black")
    plt.close(figure)


def _mask(thing: Mapping[str, Any]) -> NDArray[np.generic]:
    url = next(r["url"] for r in thing["status"]["results"] if r["kind"] == "save")
    with tempfile.NamedTemporaryFile(suffix=".nii.gz") as file:
        file.write(scan.read(url))
        file.flush()
        mask: NDArray[np.generic] = sitk.GetArrayFromImage(sitk.ReadImage(file.name))
    return mask
