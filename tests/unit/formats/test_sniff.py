"""Tests of formats by content."""

from __future__ import annotations

import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats import sniff as formats
from voxk8s.formats.sniff import Format, is_gzip, sniff


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"\x89PNG\r\n\x1a\n", formats.PNG),
        (b"\xff\xd8\xff\xe0", formats.JPEG),
        (b"II*\0", formats.TIFF),
        (b"MM\0+", formats.TIFF),
        (b"BM" + bytes(24), formats.BMP),
        (b"NRRD0004\n", formats.NRRD),
        (b"ObjectType = Image\n", formats.META),
        (b"\nNDims: 3\n", formats.META),
        (bytes(128) + b"DICM", formats.DICOM),
        (bytes(344) + b"n+1\0", formats.NIFTI),
        (b"\xef\xbb\xbf {}", formats.JSON),
        (b" [1]", formats.JSON),
    ],
)
def test_the_first_bytes_decide(head: bytes, found: Format) -> None:
    """Each format is found from its signature."""
    assert sniff("s3://a", head) is found


@pytest.mark.parametrize(
    ("url", "head", "words"),
    [
        ("s3://a", b"", "the file is empty"),
        ("s3://a", b"hello", r"not an image or document in a supported format \(NIfTI"),
        ("s3://a.IMG", bytes(9), r"load the \.hdr file of a NIfTI pair"),
    ],
)
def test_other_files_are_refused(url: str, head: bytes, words: str) -> None:
    """The error says which formats are supported."""
    with pytest.raises(InputUnavailable, match=words):
        sniff(url, head)


def test_gzip_is_recognized() -> None:
    """Two bytes tell gzip."""
    assert is_gzip(b"\x1f\x8b\x08")
    assert not is_gzip(b"\x1f")
