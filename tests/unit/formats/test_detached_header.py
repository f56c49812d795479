"""Tests of detached headers: where their voxels are."""

from __future__ import annotations

import pytest

from voxk8s.formats.detached_header import data_file_url

META = b"NDims = 2\nElementDataFile = "


@pytest.mark.parametrize(
    ("url", "head", "found"),
    [
        ("s3://b/scan.mhd", META + b"scan.raw\n", "s3://b/scan.raw"),
        ("scan.mhd", META + b"scan.raw\n", "scan.raw"),
        ("s3://b/scan.mhd", META + b"LOCAL\n", None),
        ("s3://b/scan.nhdr", b"NRRD0004\ndata file: a.raw\n", "s3://b/a.raw"),
        ("s3://b/scan.nhdr", b"NRRD0004\n\n", None),
        ("s3://b/scan.hdr", bytes(344) + b"ni1\0", "s3://b/scan.img"),
        ("s3://b/SCAN.HDR", bytes(344) + b"ni1\0", "s3://b/SCAN.IMG"),
        ("s3://b/scan.hdr", b"anything", None),
    ],
)
def test_the_data_file_is_next_to_the_header(url: str, head: bytes, found: str | None) -> None:
    """The name in the header is relative to the folder of the header."""
    assert data_file_url(url, head) == found


@pytest.mark.parametrize("name", ["../a.raw", "/etc/passwd", "LIST", "a%03d.raw 1 9 1", "a:b"])
def test_other_places_are_not_followed(name: str) -> None:
    """Neither other folders nor lists and patterns of files are data files."""
    assert data_file_url("s3://b/scan.mhd", META + name.encode() + b"\n") is None
