"""Tests of values as text."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.images import image, mask
from voxk8s.constants import INLINE_VALUE_BYTES
from voxk8s.describe import (
    as_json,
    as_line,
    as_text,
    describe,
    describe_geometry,
    one_line,
    summary,
)
from voxk8s.values import SavedFile, Value

IMAGE = image(np.zeros((2, 3, 4), np.float32))
COLOUR = image(np.zeros((2, 3, 3), np.uint8), channels=3)
FILE = SavedFile(b"abc", ".txt", "text/plain")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "the truth value true"),
        (3.0, "the number 3.0"),
        (2**127, f"the number {2**127}"),
        (2**128, "an integer of 129 bits"),
        ("abc", "the string 'abc'"),
        ("x" * 41, f"the string '{'x' * 40}…'"),
        (IMAGE, "image 2x3x4 float32"),
        (np.zeros((2, 3)), "array 2x3 float64"),
        (FILE, "file .txt 3 bytes"),
        ({"a": 1}, "a mapping of 1 entries"),
        ([1, 2], "a sequence of 2 items"),
    ],
)
def test_messages_name_the_type_of_a_value(value: Value, text: str) -> None:
    """The description in a message is short and says what kind of value it is."""
    assert describe(value) == text


def test_the_geometry_of_an_image_is_described_in_the_order_of_itk() -> None:
    """Spacing, origin and direction are listed after shape and dtype."""
    assert describe_geometry(image([[1, 2]], spacing=(0.5, 2.0))) == (
        "image 1x2 int64, spacing (0.5, 2), origin (0, 0), direction (1, 0, 0, 1)"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (IMAGE, "image 2x3x4 float32"),
        (COLOUR, "image 2x3 uint8 x3"),
        (np.zeros((5, 6), np.int16), "array 5x6 int16"),
        (np.array(3.0), "array float64"),
        (FILE, "file .txt 3 bytes"),
        (3.0, None),
        ([IMAGE], None),
    ],
)
def test_only_images_arrays_and_files_have_a_summary(value: Value, text: str | None) -> None:
    """The summary in a record is kind, shape and dtype; other values have none."""
    assert summary(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3.0, "3.0"),
        (3, "3"),
        (1e300, "1e+300"),
        (math.nan, "nan"),
        ("a b", "a b"),
        ("a\nb", "a\nb"),
        ([1, "x", [2.5]], '[1,"x",[2.5]]'),
        ({"a": 1}, '{"a":1}'),
        (np.array([[1, 2]]), "[[1,2]]"),
        (np.array([1.0, math.inf]), '[1.0,"inf"]'),
        ([np.arange(2), math.nan], '[[0,1],"nan"]'),
        (mask(np.zeros((2, 3, 4))), "image 2x3x4 uint8"),
        (COLOUR, "image 2x3 uint8 x3"),
        (None, "null"),
    ],
)
def test_values_as_text(value: Value, text: str) -> None:
    """Numbers are written as Python does, strings without quotes, sequences as compact JSON."""
    assert as_text(value) == text


@given(number=st.floats(allow_nan=False))
def test_the_text_of_a_number_is_exact(number: float) -> None:
    """Reading the text of a number gives the same number."""
    assert float(as_text(number)) == number


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (True, "true"),
        (8.0, "8.0"),
        (3, "3"),
        (1e300, "1e+300"),
        ("a\nb", "a\\nb"),
        ("a\udcff", "a\\udcff"),
        ([1.0, "é", True], '[1.0,"é",true]'),
        ({"dice": 0.5}, '{"dice":0.5}'),
        (None, "null"),
        (FILE, "file .txt 3 bytes"),
        ([float("nan"), {"x": float("-inf")}], '["nan",{"x":"-inf"}]'),
        (IMAGE, "image 2x3x4 float32"),
        ([IMAGE], '["image 2x3x4 float32"]'),
        (np.arange(3.0), "array 3 float64"),
        ([np.arange(3.0), math.nan], '["array 3 float64","nan"]'),
    ],
)
def test_lines_of_values(value: Value, line: str) -> None:
    """A line holds the text of a value, with images and arrays as summaries."""
    assert as_line(value) == line


def test_lines_are_cut_to_their_limit() -> None:
    """A long value is cut, unless the limit says otherwise."""
    assert len(as_line("x" * 100_000)) == INLINE_VALUE_BYTES
    assert as_line("x" * 100_000, limit=sys.maxsize) == "x" * 100_000


@given(text=st.text())
def test_every_text_fits_on_one_line(text: str) -> None:
    """No character of the result ends a line, and it can be encoded."""
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    line.encode()


def test_json_is_valid_whatever_the_value() -> None:
    """Numbers that JSON lacks are strings, images and arrays are summaries."""
    value: Value = {"a": [math.nan, -math.inf, 1.5], "i": IMAGE, "n": np.arange(3.0)}
    content = as_json(value)
    assert content == {
        "a": ["nan", "-inf", 1.5],
        "i": "image 2x3x4 float32",
        "n": "array 3 float64",
    }
    json.dumps(content, allow_nan=False)


def test_json_holds_whole_arrays_if_asked() -> None:
    """Arrays are nested lists where the JSON is a file of its own."""
    value: Value = {"n": np.array([[1.0, math.nan]]), "i": IMAGE}
    assert as_json(value, whole_arrays=True) == {"n": [[1.0, "nan"]], "i": "image 2x3x4 float32"}
