"""Tests of values as files: deterministic bytes and their content."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.support.images import image, mask
from voxk8s.errors import KernelError
from voxk8s.formats.encode_file import encode_file, to_uint8
from voxk8s.values import Image, SavedFile, Value

SHEARED = Image(np.ones((2, 2)), (1.0, 1.0), (0.0, 0.0), (1.0, 0.5, 0.0, 1.0))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".png", ".jpg"])
def test_equal_images_give_equal_bytes(suffix: str) -> None:
    """Files do not depend on the time, the folder or the process."""
    array = np.random.default_rng(0).random((3, 8, 8)).astype(np.float32)
    first = encode_file(image(array), suffix)
    second = encode_file(image(array.copy(order="F")), suffix)
    assert first == second
    assert first.suffix == suffix


def test_gzip_names_no_file_and_no_time() -> None:
    """The gzip header has neither a time stamp nor a name."""
    data = encode_file(mask(np.ones((2, 2, 2))), ".nii.gz").data
    assert data[:4] == b"\x1f\x8b\x08\x00"
    assert data[4:8] == b"\0\0\0\0"


def _picture(value: Image) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(encode_file(value, ".png").data)), np.float64)


def test_pictures_show_the_middle_slice() -> None:
    """The slice at n // 2 of a volume is written; a mask is black and white."""
    volume = np.zeros((4, 3, 5), np.uint8)
    volume[2, 1, 2] = 1
    shown = _picture(mask(volume))
    assert shown.shape == (3, 5)
    assert shown[1, 2] == 255
    assert shown.sum() == 255


def test_pictures_lie_as_radiologists_look_at_them() -> None:
    """Anterior on top and the patient's right on the left, whatever the order in memory."""
    volume = np.zeros((3, 4, 5), np.uint8)
    volume[1, 0, 0] = 1
    body = mask(volume)
    right_front = _picture(body)
    assert np.argwhere(right_front == 255).tolist() == [[0, 0]]
    from_the_back = replace(body, direction=(-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0))
    assert np.argwhere(_picture(from_the_back) == 255).tolist() == [[3, 4]]
    sagittal = replace(body, direction=(0, 0, 1.0, 1.0, 0, 0, 0, -1.0, 0))
    assert _picture(sagittal).shape == (5, 3)


def test_pictures_have_square_pixels() -> None:
    """Rows that are three times as far apart as columns are written three times."""
    volume = np.zeros((1, 4, 5), np.uint8)
    volume[0, 1] = 1
    shown = _picture(replace(mask(volume), spacing=(1.0, 3.0, 9.0)))
    assert shown[:, 0].tolist() == [0.0] * 3 + [255.0] * 3 + [0.0] * 6


def test_eight_bits() -> None:
    """Masks are stretched, bytes kept, other ranges kept when they are bytes, else stretched."""
    cases: list[tuple[np.ndarray, list[int]]] = [
        (np.array([0, 1], np.uint8), [0, 255]),
        (np.array([0, 7], np.uint8), [0, 7]),
        (np.array([True, False]), [255, 0]),
        (np.array([0.0, 0.5, 1.0], np.float32), [0, 128, 255]),
        (np.array([0.5, 1.5, 200.0], np.float32), [0, 2, 200]),
        (np.array([-1.0, 1.0]), [0, 255]),
        (np.array([0, 1000], np.int16), [0, 255]),
        (np.array([5.0, 5.0]), [5, 5]),
        (np.array([0.3, 0.3]), [0, 0]),
        (np.array([math.nan, 0.0, 300.0, math.inf, -math.inf]), [0, 0, 255, 255, 0]),
    ]
    for array, expected in cases:
        before = array.copy()
        assert to_uint8(array).tolist() == expected
        np.testing.assert_array_equal(array, before)


def test_json_and_text() -> None:
    """Documents are indented by 2, anything else is what print shows and a line end."""
    value: Value = {"ä": [1, 2.5, True, None, np.arange(2)], "n": math.inf}
    saved = encode_file(value, ".json")
    assert saved.media_type == "application/json"
    assert json.loads(saved.data) == {"ä": [1, 2.5, True, None, [0, 1]], "n": "inf"}
    assert saved.data.startswith(b'{\n  "\xc3\xa4"')
    assert encode_file(3.0, ".txt").data == b"3.0\n"
    assert encode_file("hello", "").data == b"hello\n"


@pytest.mark.parametrize(
    ("value", "suffix", "data"),
    [
        (mask([[1]]), ".txt", b"image 1x1 uint8\n"),
        (mask([[1]]), "", b"image 1x1 uint8\n"),
        (mask([[1]]), ".json", b'"image 1x1 uint8"\n'),
        ([mask([[1]]), 2], ".json", b'[\n  "image 1x1 uint8",\n  2\n]\n'),
        ([mask([[1]]), 2], ".txt", b'["image 1x1 uint8",2]\n'),
    ],
)
def test_images_in_texts_are_told_by_what_they_are(value: Value, suffix: str, data: bytes) -> None:
    """Text and JSON have for an image what `print` shows of it."""
    assert encode_file(value, suffix).data == data


@pytest.mark.parametrize(
    ("value", "suffix", "words"),
    [
        (3.0, ".nii", r"the number 3\.0 cannot be saved as \.nii"),
        (mask([[1]]), ".xyz", r"image 1x1 uint8 cannot be saved as \.xyz.*\.nii\.gz"),
        (
            image(np.ones((2, 2, 5)), channels=5),
            ".png",
            r"5 channels, .* 1 or 2 or 3 or 4; use \.n",
        ),
        (image(np.ones((2, 2, 2)), channels=2), ".tif", r"2 channels, .* 1 or 3 or 4; use \.nii"),
        (image(np.ones((2, 2, 2)), channels=2), ".jpg", "2 channels"),
        (image(np.ones((1, 1, 40000))), ".nii.gz", r"as \.nii\.gz: an axis has more than 32767"),
        (image(np.ones((0, 4, 5))), ".png", "it has no voxels"),
        (image(np.ones((0, 4, 5))), ".mha", "it has no voxels"),
        (SHEARED, ".nii", r"axes are not at right angles; use \.mha or \.nrrd"),
    ],
)
def test_what_cannot_be_saved(value: Value, suffix: str, words: str) -> None:
    """A value that cannot be saved is a permanent error with the formats that would work."""
    with pytest.raises(KernelError, match=words):
        encode_file(value, suffix)


def test_a_saved_file_stays_what_it_is() -> None:
    """A saved file is returned unchanged."""
    saved = SavedFile(b"x", ".nii", "application/x-nifti")
    assert encode_file(saved, ".png") is saved


def test_too_little_memory_says_nothing_of_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry may succeed."""

    def fail(*_: object) -> object:
        raise RuntimeError("sitk::ERROR: std::bad_alloc")

    monkeypatch.setattr("voxk8s.formats.itk.to_itk", fail)
    with pytest.raises(MemoryError, match="bad_alloc"):
        encode_file(image(np.zeros((2, 3, 4), np.float32)), ".mha")
