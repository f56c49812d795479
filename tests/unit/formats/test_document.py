"""Tests of JSON documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.document import decode_document, is_document


def test_documents_are_recognised(tmp_path: Path) -> None:
    """By what they begin with."""
    path = tmp_path / "a"
    path.write_text(' {"a": 1}')
    assert is_document("a", str(path))
    assert decode_document("a", str(path), DecodeLimits()) == {"a": 1}


def test_values_count(tmp_path: Path) -> None:
    """A document of many values is refused where one string of its size is read."""
    limits = DecodeLimits(largest=1000)
    assert decode_document("a", b'"' + b"x" * 300 + b'"', limits)
    with pytest.raises(InputUnavailable, match="about 100 values"):
        decode_document("a", b"[" + b"1," * 99 + b"1]", limits)
