"""Runs ImgQL programs in this process, and writes and reads their images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray

from tests.support.plans_and_runs import fresh_store
from voxk8s.execution import ExecutionEngine, ExecutionResult
from voxk8s.inputs.input_options import InputOptions
from voxk8s.program import compile_with_places
from voxk8s.storage import ResultStore


def run_program(
    path: Path,
    parameters: Mapping[str, str],
    output: Path,
    *,
    store: ResultStore | None = None,
    executor: str = "synchronous",
    inputs: InputOptions | None = None,
) -> ExecutionResult:
    """Run a program, whose goals must all succeed; files go below `output`."""
    compiled = compile_with_places(
        path.read_text("utf-8"),
        name=str(path),
        parameters=parameters,
        read_file=lambda name: Path(name).read_text("utf-8"),
    )
    # Of a volume a picture shows one slice: said, and here what is wanted.
    assert not [each for each in compiled.warnings if "slice is written" not in str(each)]
    engine = ExecutionEngine(
        store or fresh_store(),
        executor=executor,
        output=output,
        write_files=True,
        inputs=inputs,
    )
    result = engine.execute_workplan(compiled.plan, places=compiled.origins)
    assert result.success, [goal.error for goal in result.goals]
    return result


def write(path: Path, array: ArrayLike, spacing: tuple[float, ...] | None = None) -> None:
    """Write an image with ITK; spacing in the order of the axes. A PNG's third axis is colour."""
    voxels = np.asarray(array)
    image = sitk.GetImageFromArray(voxels, isVector=path.suffix == ".png" and voxels.ndim == 3)
    if spacing is not None:
        image.SetSpacing(spacing[::-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def read(path: Path) -> NDArray[np.generic]:
    """Read an image with ITK."""
    voxels: NDArray[np.generic] = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    return voxels
