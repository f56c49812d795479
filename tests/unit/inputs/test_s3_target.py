"""The object that a saved file is copied to."""

from __future__ import annotations

import pytest

from voxk8s.inputs.s3_target import s3_target


@pytest.mark.parametrize(
    ("folder", "name", "path"),
    [
        ("s3://bkt/out", "a.nii.gz", "bkt/out/a.nii.gz"),
        ("S3://bkt", "x/y.json", "bkt/x/y.json"),
        ("s3://bkt//out/./", "a", "bkt/out/a"),
    ],
)
def test_bucket_and_key(folder: str, name: str, path: str) -> None:
    """Empty parts and single dots are left out, as servers do."""
    assert s3_target(folder, name).path == path


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("s3://bkt/out", "../a"),
        ("s3://bkt/out", "%2e%2e/a"),
        ("s3://bkt/out", "%252e%252e%252fa"),
        ("s3://bkt/out", "a\\b"),
        ("s3://bkt/out", "a\nb"),
        ("s3://bkt/out", "a?versionId=1"),
        ("s3://bkt/out", "a%3FversionID=1"),
        ("s3://bkt/s3://c", "a"),
        ("s3://s3://bkt", "a"),
        ("http://b/out", "a"),
        ("s3://", "a"),
        ("s3://arn:aws:s3:::b", "a"),
    ],
)
def test_what_a_client_or_server_may_take_for_something_else(folder: str, name: str) -> None:
    """Each is refused with a reason, so that what is checked is what is written."""
    with pytest.raises(ValueError, match=r".+"):
        s3_target(folder, name)


def test_spellings_of_one_name_are_compared_as_one() -> None:
    """Case, percent signs, compatible characters and blanks do not tell names apart."""
    names = ("AC", "ac", "%61c", "\uff41c", "ac ")
    assert {s3_target("s3://bkt", name).canonical for name in names} == {("ac",)}
