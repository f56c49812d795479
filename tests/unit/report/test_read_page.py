"""Reading the data of a page."""

from __future__ import annotations

import base64

import msgspec
import pytest

from tests.unit.report.scenes import PIXEL, WHOLE
from voxk8s.errors import InvalidUsage
from voxk8s.report import report
from voxk8s.report.read_page import read_pictures, read_summary

PAGE = report(WHOLE).encode()


def test_what_was_written_is_read() -> None:
    """The run in short, and the pictures of its results."""
    found = read_summary(PAGE, "a.html")
    assert (found.title, found.program) == (WHOLE.title, WHOLE.program)
    assert found.inputs == WHOLE.inputs
    assert [each.name for each in found.goals] == [each.name for each in WHOLE.goals]
    assert read_pictures(PAGE) == {1: f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"}


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (b"<p>", "a.html: expected the report of a run"),
        (PAGE.replace(b'"format":1', b'"format":2'), "have format 2, expected 1"),
        (PAGE.replace(b'"started":', b'"started":"x","s":'), "cannot be read"),
        (PAGE.replace(b'{"format":1', b"[" * 100_000), "cannot be read"),
        (PAGE.replace(b'{"format":1', b"\xff"), "cannot be read"),
        (PAGE.replace(b'"total":', b'"total":1' + b"0" * 400 + b',"t":'), "cannot be read.*total"),
        (PAGE.replace(b'"size":', b'"size":-1,"s":'), "cannot be read.*size"),
        (PAGE.replace(b'{"format":1', b'{"a":"' + b"x" * 16_000_000 + b'","format":1'), "16 MB"),
    ],
)
def test_other_pages_are_refused(page: bytes, words: str) -> None:
    """With their name, and what is wrong."""
    with pytest.raises(InvalidUsage, match=words):
        read_summary(page, "a.html")


def test_only_pictures_are_pictures() -> None:
    """What could run something, or end the attribute, is none; nor is more than has room."""
    evil = b'<img id="picture-1" src="data:image/svg+xml;base64,AA=="'
    assert read_pictures(evil + b'<img id="picture-2" src="data:image/png;base64,A\'"') == {}
    large = b'<img id="picture-%d" src="data:image/png;base64,' + b"A" * 900_000 + b'"'
    assert sorted(read_pictures(b"".join(large % number for number in range(5)))) == [0, 1]


def test_numbers_are_finite() -> None:
    """A page from elsewhere cannot say that a run took forever."""
    page = PAGE.replace(b'"seconds":5.25', b'"seconds":1e999')
    with pytest.raises((InvalidUsage, msgspec.DecodeError)):
        read_summary(page, "a.html")
