"""What a program that nobody has read may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxk8s.inputs.confinement import Confinement, is_below_url, is_remote, local_path


def test_folders_without_what_is_hidden(tmp_path: Path) -> None:
    """Below a folder everything may be used but hidden files and what is in hidden folders."""
    confinement = Confinement.of([str(tmp_path)])
    assert confinement.allows_path(f"{tmp_path}/a/b.nii")
    assert not confinement.allows_path(f"{tmp_path}/.ssh/id")
    assert not confinement.allows_path(f"{tmp_path}/a/.b")
    assert not confinement.allows_path(f"{tmp_path}/../b")
    assert not confinement.allows_path(f"{tmp_path}b")


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    """The place that a link leads to counts."""
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "link").symlink_to("/etc")
    assert not Confinement.of([str(inside)]).allows_path(f"{inside}/link/passwd")


def test_named_paths_and_urls(tmp_path: Path) -> None:
    """What the user names is allowed with all below; what the program spells out, as it is."""
    confinement = Confinement.of(
        [], [f"file://{tmp_path}", "s3://bucket/scans"], ["http://host/a.json"], ["https://own/"]
    )
    assert confinement.allows_path(f"{tmp_path}/.hidden")
    assert confinement.allows_url("s3://bucket/scans/a")
    assert not confinement.allows_url("s3://bucket/scans2")
    assert confinement.allows_url("http://host/a.json")
    assert not confinement.allows_url("http://host/a.json?x")
    assert confinement.allows_url("https://own/b")


@pytest.mark.parametrize(
    ("url", "below"),
    [
        ("s3://b/p", True),
        ("s3://b/p/x", True),
        ("s3://b/px", False),
        ("s3://b/p/../q", False),
        ("s3://b/p/%2e%2e/q", False),
        ("s3://b/p/%252e%252e/q", False),
        ("s3://b/p\\..\\q", False),
        ("s3://b/p/\tx", False),
    ],
)
def test_below_a_prefix(url: str, below: bool) -> None:
    """A prefix ends between parts of a path, and nothing leads up again."""
    assert is_below_url(url, "s3://b/p/") is below


def test_local_and_remote_words() -> None:
    """A file:// URL is a local path, whose percent signs are decoded."""
    assert is_remote("s3://b")
    assert not is_remote("a/b")
    assert not is_remote("FILE:///a")
    assert local_path("file:///a%20b") == "/a b"
