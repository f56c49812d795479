"""Tests of locations: which URLs and paths may be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.inputs.saved_images import save_image
from voxk8s.errors import InputNotAllowed, InputUnavailable
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.listing import list_folder
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.locations import locate
from voxk8s.inputs.pinning import pin_input, stat

ANY = InputOptions()


def test_local_files_may_be_forbidden(tmp_path: Path) -> None:
    """In a cluster, paths and file:// URLs are neither read nor listed."""
    path = save_image(tmp_path / "a.mha")
    pin = pin_input(str(path), ANY)
    cluster = InputOptions(local_allowed=False)
    for url in (str(path), path.as_uri(), "FILE:///etc/passwd", "a.mha"):
        with pytest.raises(InputNotAllowed, match="s3://"):
            pin_input(url, cluster)
        with pytest.raises(InputNotAllowed):
            stat(url, cluster)
    with pytest.raises(InputNotAllowed):
        load_input(pin, cluster)
    with pytest.raises(InputNotAllowed):
        list_folder(str(tmp_path), options=cluster)


@pytest.mark.parametrize("url", ["ftp://a/b", "memory://a", "gs://a/b", "github://a"])
def test_other_schemes_are_refused(url: str) -> None:
    """Only four schemes are supported, although fsspec has more."""
    with pytest.raises(InputNotAllowed, match="URLs are not supported"):
        locate(url, ANY)


def test_prefixes_confine_inputs(tmp_path: Path) -> None:
    """Only what is below an allowed prefix is read; neither `..` nor a symlink leads out of it."""
    inside = save_image(tmp_path / "in" / "a.mha")
    outside = save_image(tmp_path / "in2" / "b.mha")
    (tmp_path / "in" / "link").symlink_to(outside)
    options = InputOptions(allowed_prefixes=(str(tmp_path / "in"), "s3://data/open/"))
    assert locate(str(inside), options).path == str(inside)
    assert locate("s3://data/open/a", options).path == "data/open/a"
    for url in (
        str(outside),
        f"{tmp_path}/in/../in2/b.mha",
        f"{tmp_path}/in/link",
        "s3://data/openly/a",
        "s3://data/open/../x",
        "https://example.org/a",
    ):
        with pytest.raises(InputNotAllowed, match="not below"):
            locate(url, options)


@pytest.mark.parametrize(
    ("url", "words"),
    [(5.0, r"5\.0.*path or a URL"), ("", "not a path"), ("s3://", "the URL has no path")],
)
def test_what_is_not_a_url_is_refused(url: str, words: str) -> None:
    """A computed argument that is not a URL is a permanent error."""
    with pytest.raises(InputUnavailable, match=words):
        locate(url, ANY)


def test_why_no_prefix_is_on_s3() -> None:
    """A run whose store is not at the chart's server is told so when it reads from S3."""
    options = InputOptions(allowed_prefixes=("none:",))
    with pytest.raises(InputNotAllowed, match="at the chart's S3 server"):
        locate("s3://in/a.nii", options)
