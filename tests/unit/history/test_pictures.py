"""Pictures of saved files."""

from __future__ import annotations

import gzip
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from voxk8s.errors import StoreUnreachable
from voxk8s.execution.result import GoalOutcome
from voxk8s.formats.encode_file import encode_file
from voxk8s.history import from_files, from_store, pictures
from voxk8s.plan import Goal, OperationId
from voxk8s.report import Preview
from voxk8s.storage import ResultStore, open_store
from voxk8s.values import Image

VOLUME = Image(
    np.arange(3 * 20 * 30, dtype=np.float32).reshape(3, 20, 30),
    (1.0, 1.0, 2.0),
    (0.0, 0.0, 0.0),
    (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
)


def saved(folder: Path, suffix: str) -> GoalOutcome:
    """Save the volume as a file of a suffix."""
    file = encode_file(VOLUME, suffix)
    path = folder / f"x{suffix}"
    path.write_bytes(file.data)
    operation = OperationId("o" * 64)
    return GoalOutcome(
        Goal("save", operation, path.name), operation, media_type=file.media_type, path=path
    )


def size(preview: Preview | None) -> tuple[int, int]:
    """Return the points of a picture."""
    assert preview is not None
    return Pillow.open(BytesIO(preview.data)).size


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".nrrd", ".tif"])
def test_images_are_shown_small(tmp_path: Path, suffix: str) -> None:
    """Three planes of a volume, and a flat file as it is."""
    flat = suffix == ".tif"
    assert size(from_files()(saved(tmp_path, suffix))) == ((30, 20) if flat else (332, 80))


def test_small_pictures_are_shown_as_they_are(tmp_path: Path) -> None:
    """A PNG is in the page byte for byte."""
    outcome = saved(tmp_path, ".png")
    assert outcome.path is not None
    found = from_files()(outcome)
    assert found == Preview(outcome.path.read_bytes(), "image/png")


def test_other_files_are_not_shown(tmp_path: Path) -> None:
    """Neither a document nor a value that was printed, nor what is in no file."""
    image = saved(tmp_path, ".nii")
    path = tmp_path / "x.json"
    path.write_text("5")
    picture = from_files()
    assert picture(replace(image, path=path)) is None
    assert picture(replace(image, path=None)) is None
    assert picture(replace(image, goal=Goal("print", image.operation, "x"))) is None


def test_large_images_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor small files that become large when they are decompressed."""
    monkeypatch.setattr(pictures, "_READ", 5000)
    outcome = saved(tmp_path, ".nii.gz")
    assert outcome.path is not None
    outcome.path.write_bytes(gzip.compress(b"\0" * 1_000_000))
    assert outcome.path.stat().st_size < 5000
    monkeypatch.setattr("voxk8s.formats.decode_file.decode_file", None)
    assert from_files()(outcome) is None


def test_not_too_much_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many large images the first ones are shown."""
    monkeypatch.setattr(pictures, "_READ", 20_000)
    outcome = saved(tmp_path, ".nii")
    picture = from_files()
    assert [picture(outcome) is not None for _ in range(4)] == [True, True, False, False]


def test_files_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    """A file that is gone or broken by now is no reason to have no report."""
    picture = from_files()
    gone = saved(tmp_path, ".nii")
    assert gone.path is not None
    gone.path.write_bytes(b"broken")
    assert picture(gone) is None
    gone.path.unlink()
    assert picture(gone) is None


def test_few_files_are_read(tmp_path: Path) -> None:
    """Of many images the first ones are shown."""
    outcome = saved(tmp_path, ".png")
    picture = from_files()
    assert sum(picture(outcome) is not None for _ in range(50)) == 16


def test_pictures_in_a_store_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small PNG as they are, volumes drawn; a store that fails is no failure."""
    store = open_store(str(tmp_path / "store"))
    key = "a" * 64
    file = encode_file(VOLUME, ".png")
    digest = store.put(key, file).digest
    outcome = replace(saved(tmp_path, ".png"), path=None, digest=digest, size=len(file.data))
    assert from_store(store)(outcome) == Preview(file.data, "image/png")

    volume = encode_file(VOLUME, ".nii.gz")
    known = store.put("b" * 64, volume)
    drawn = replace(saved(tmp_path, ".nii.gz"), path=None, digest=known.digest, size=known.size)
    assert size(from_store(store)(drawn)) == (332, 80)

    def away(*_: Any) -> Any:
        raise StoreUnreachable("away")

    monkeypatch.setattr(ResultStore, "read_blob", away)
    assert from_store(store)(outcome) is None
    monkeypatch.setattr(ResultStore, "read_blob", None)
    assert from_store(store)(replace(outcome, size=300_000_000)) is None
    assert (
        from_store(store)(replace(outcome, goal=Goal("save", outcome.operation, "x.json"))) is None
    )
