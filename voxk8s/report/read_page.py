"""Reads what a page has for programs: pages of strangers may be anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from voxk8s.errors import InvalidUsage
from voxk8s.report.embedded import FORMAT, Summary

_MOST_DATA: Final = 16 * 10**6
"""Largest data of a report: those of any run have a few megabytes."""
_BEGIN: Final = b'<script type="application/json" id="run">'
_END: Final = b"</script>"
_PICTURE: Final = re.compile(
    rb'<img id="picture-(\d{1,4})" src="(data:image/(?:png|jpeg|webp);base64,[A-Za-z0-9+/=]+)"'
)
_PICTURES: Final = 2_000_000
"""Bytes of all pictures together."""


def read_summary(page: bytes, name: str) -> Summary:
    """Return the run that a report is about; raises InvalidUsage with the name of the page."""
    begin = page.find(_BEGIN)
    end = page.find(_END, begin)
    if begin < 0 or end < 0:
        raise InvalidUsage(
            f"{name}: expected the report of a run; those of earlier versions cannot be compared:"
            " run the program again"
        )
    if end - begin > _MOST_DATA:
        raise InvalidUsage(
            f"{name}: expected data of at most {_MOST_DATA // 10**6} MB in the report"
        )
    try:
        found = msgspec.json.decode(page[begin + len(_BEGIN) : end], type=Summary)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidUsage(f"{name}: the data of the report cannot be read: {error}") from error
    if found.format != FORMAT:
        raise InvalidUsage(f"{name}: its data have format {found.format}, expected {FORMAT}")
    return found


def read_pictures(page: bytes) -> Mapping[int, str]:
    """Return the pictures of results as data: URLs, by the number of the result."""
    found: dict[int, str] = {}
    left = _PICTURES
    for match in _PICTURE.finditer(page):
        left -= len(match[2])
        if left < 0:
            break
        found[int(match[1])] = match[2].decode("ascii")
    return found
