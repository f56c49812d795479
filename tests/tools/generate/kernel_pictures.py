"""The pictures of docs/kernels.md: what the example of a kernel takes, and the image it returns."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

import voxk8s
from voxk8s.cli import kernel_examples
from voxk8s.cli.kernel_examples import Example, examples
from voxk8s.formats.encode_file import encode_file
from voxk8s.rendering.tones import grey, label_colours
from voxk8s.values import Image, Value

FOLDER = Path("docs/images/kernels")
_SCALE = 2
_GAP = 10
_MOST_LABELS = 16
_FLAT, _COLOUR = 2, 3
_DARKEST, _WHITE = 64, 255
_SHADE, _FRAME = 110, 170

Pixels = NDArray[np.uint8]


def run_all(folder: Path) -> dict[str, Value]:
    """Run all examples as one program in the current folder; return the values by their names.

    Of the definitions that they use, the values are there too. `folder` is the current one, in
    which the files are created that the examples load.
    """
    used = sorted({name for example in examples().values() for name in example.uses})
    shown = {name: example.expression for name, example in examples().items()}
    goals = [
        f'print "{name}" {what}' for name, what in (shown | {each: each for each in used}).items()
    ]
    (folder / "scans").mkdir()
    _write(folder / "scan.nii.gz")
    _write(folder / "scans" / "brain.nii.gz")
    imports = [line for line in kernel_examples.text().splitlines() if line.startswith("import")]
    return _run("\n".join([*imports, kernel_examples.definitions(), *goals]))


def _write(path: Path) -> None:
    scan = _run(kernel_examples.definitions() + 'print "scan" scan')["scan"]
    path.write_bytes(encode_file(scan, ".nii.gz").data)


def _run(program: str) -> dict[str, Value]:
    """Run a program whose goals all succeed; one operation may fail, which is recovered."""
    plan = voxk8s.compile_program(program)
    result = voxk8s.ExecutionEngine(voxk8s.open_store("memory://")).execute_workplan(plan)
    return {goal.name: result[goal.name] for goal in plan.goals}


def file_name(name: str) -> str:
    """Return the file of a picture; signs of operators are spelled."""
    safe = re.sub(r"[^\w.]", lambda sign: f"-{ord(sign[0]):x}", name)
    return f"{safe}.png"


def pictures(values: Mapping[str, Value]) -> dict[str, Picture.Image]:
    """Return the picture of each example whose result is an image, by the example's name."""
    return {
        name: _picture(example, values)
        for name, example in examples().items()
        if isinstance(values[name], Image)
    }


def encoded(picture: Picture.Image) -> bytes:
    """Return a small PNG."""
    with io.BytesIO() as buffer:
        picture.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()


def arguments(example: Example) -> list[str]:
    """Return the names of the images that stand in the expression of an example."""
    words = dict.fromkeys(re.findall(r"\w+", example.expression))
    return [name for name in words if name in example.uses and name != "page"]


def _picture(example: Example, values: Mapping[str, Value]) -> Picture.Image:
    name = re.findall(r'"(.+?)(?:\.nii\.gz|\.png)?"', example.command)[0]
    panels = [_panel(values[each]) for each in [*arguments(example), name]]
    height = max(panel.shape[0] for panel in panels)
    width = sum(panel.shape[1] for panel in panels) + _GAP * (len(panels) - 1)
    canvas = np.full((height, width, 3), _WHITE, np.uint8)
    left = 0
    for number, panel in enumerate(panels):
        canvas[: panel.shape[0], left : left + panel.shape[1]] = panel
        left += panel.shape[1] + _GAP
        if number == len(panels) - 2:  # a small arrow from the arguments to the result
            for column in range(6):
                reach, middle = 5 - column, height // 2
                canvas[middle - reach : middle + reach + 1, left - _GAP + 2 + column] = _SHADE
    return Picture.fromarray(canvas)


def _panel(value: Value) -> Pixels:
    """Return the pixels of an image, its middle slice or the length of its vectors, enlarged."""
    assert isinstance(value, Image)
    array = value.array
    if value.dimension != _FLAT:
        array = array[array.shape[0] // 2]
    if value.channels >= _COLOUR:
        pixels = np.clip(array[..., :_COLOUR], 0, _WHITE).astype(np.uint8)
    elif value.channels == _FLAT:
        pixels = _shades(np.hypot(array[..., 0], array[..., 1]))
    else:
        pixels = _shades(array)
    enlarged = pixels.repeat(_SCALE, axis=0).repeat(_SCALE, axis=1)
    return np.pad(enlarged, ((1, 1), (1, 1), (0, 0)), constant_values=_FRAME)


def _shades(array: NDArray[np.generic]) -> Pixels:
    """Return RGB: masks in black and white, few integers in colours, other values in grey."""
    few = array.size and 1 < array.max() < _MOST_LABELS and array.min() >= 0
    if few and np.issubdtype(array.dtype, np.integer):
        return label_colours(array)
    values = array.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0 and _DARKEST <= high <= _WHITE:
        low, high = 0.0, float(_WHITE)  # as the others, so that one sees what is lighter
    elif high == low:
        low, high = 0.0, max(high, 1.0)
    return np.repeat(grey(values, low, high)[..., None], 3, axis=-1)
