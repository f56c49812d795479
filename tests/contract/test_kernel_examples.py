"""The examples of kernels run, and give the values and pictures that are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import chdir

import numpy as np
import pytest
from PIL import Image as Picture

from tests.support.paths import ROOT
from tests.tools.generate.kernel_pictures import FOLDER, file_name, pictures, run_all
from voxk8s.cli.kernel_examples import examples
from voxk8s.describe import as_line
from voxk8s.values import Image, Value

_TOLERANCE = 4.0
"""Mean difference of grey values between processors; another result differs by far more."""


@pytest.fixture(scope="module", name="values")
def run_examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Value]]:
    """Return the values of all examples, computed once."""
    folder = tmp_path_factory.mktemp("examples")
    with chdir(folder):
        yield run_all(folder)


def _same(found: str, shown: str) -> bool:
    if found == shown:
        return True
    try:
        one, other = (np.asarray(json.loads(text), np.float64) for text in (found, shown))
    except ValueError:
        return False
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-6, atol=0)


def test_examples_give_the_values_that_are_shown(values: Mapping[str, Value]) -> None:
    """Images have none; numbers may differ in their last digits."""
    wrong: list[str] = []
    for name, example in examples().items():
        if isinstance(values[name], Image):
            wrong += [name] if example.value or not example.command.startswith("save") else []
            continue
        found = as_line(values[name], limit=100_000)
        if not _same(found, example.value):
            wrong.append(f"{name}: {found}")
    assert wrong == []


def test_pictures_are_those_of_the_examples(values: Mapping[str, Value]) -> None:
    """`make generate` would draw the same, but for what differs between processors."""
    drawn = {file_name(name): picture for name, picture in pictures(values).items()}
    folder = ROOT / FOLDER
    assert sorted(drawn) == sorted(path.name for path in folder.iterdir())
    differing = []
    for name, picture in drawn.items():
        shown = np.asarray(Picture.open(folder / name).convert("RGB"), np.float32)
        now = np.asarray(picture, np.float32)
        if shown.shape != now.shape or np.abs(shown - now).mean() > _TOLERANCE:
            differing.append(name)
    assert differing == []


def test_pictures_are_small() -> None:
    """All together are less than 1.5 MB."""
    assert sum(path.stat().st_size for path in (ROOT / FOLDER).iterdir()) < 1_500_000
