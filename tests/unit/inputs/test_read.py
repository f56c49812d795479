"""Tests of local inputs: pins, listings, and loading what was pinned."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.images import image
from voxk8s.errors import InputNotAllowed, InputUnavailable
from voxk8s.formats.encode import encode_file
from voxk8s.inputs.read import InputOptions, digest, list_folder, load, preload, stat
from voxk8s.values import Image

HERE = InputOptions()


def _save(path: Path, value: float = 1.0) -> Path:
    voxels = np.full((2, 3, 4), value, np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_file(image(voxels, (1.0, 2.0, 3.0)), ".mha").data)
    return path


def test_a_pin_is_the_digest_of_the_content(tmp_path: Path) -> None:
    """Digest and size are those of the bytes, whatever the name."""
    path = _save(tmp_path / "a.mha")
    pin = digest(str(path), HERE)
    assert pin.url == str(path)
    assert pin.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert pin.size == path.stat().st_size
    assert pin.entries is None
    assert digest(str(_save(tmp_path / "b.x")), HERE).digest == pin.digest
    assert digest(path.as_uri(), HERE).digest == pin.digest


def test_loading_gives_the_image(tmp_path: Path) -> None:
    """A pinned file is read whole, with its geometry."""
    path = _save(tmp_path / "a.mha", 2.5)
    value = load(digest(str(path), HERE), HERE)
    assert isinstance(value, Image)
    assert value.spacing == (1.0, 2.0, 3.0)
    np.testing.assert_array_equal(value.array, np.full((2, 3, 4), 2.5, np.float32))


def test_a_changed_file_is_never_used(tmp_path: Path) -> None:
    """Content that is not what was pinned is an error with the URL."""
    path = _save(tmp_path / "a.mha", 1.0)
    pin = digest(str(path), HERE)
    _save(path, 2.0)
    with pytest.raises(InputUnavailable, match=r"a\.mha.*changed since the run began"):
        load(pin, HERE)


def test_the_version_changes_with_the_file(tmp_path: Path) -> None:
    """An untouched file has an unchanged stat, a file that was written to has another."""
    path = _save(tmp_path / "a.mha")
    before = stat(str(path), HERE)
    assert before == stat(str(path), HERE)
    assert (before.kind, before.size) == ("file", path.stat().st_size)
    os.utime(path, ns=(1, 1))
    assert stat(str(path), HERE).version != before.version
    assert stat(str(tmp_path), HERE).kind == "folder"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """What does not exist is final, with the URL in the message."""
    url = str(tmp_path / "nothing.nii")
    for ask in (stat, digest):
        with pytest.raises(InputUnavailable, match=r"nothing\.nii: it does not exist"):
            ask(url, HERE)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused file is final, with the URL in the message."""
    path = _save(tmp_path / "a.mha")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputUnavailable, match=r"a\.mha: access is denied"):
        digest(str(path), HERE)


def test_what_is_no_ordinary_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe, alone or in a folder, would give nothing for ever."""
    os.mkfifo(tmp_path / "a.nii")
    for url in (tmp_path / "a.nii", tmp_path, Path("/dev/zero")):
        with pytest.raises(InputUnavailable, match="no ordinary file"):
            digest(str(url), HERE)


def test_local_files_may_be_refused(tmp_path: Path) -> None:
    """In a cluster neither paths nor file:// URLs are read, nor folders listed."""
    path = _save(tmp_path / "a.mha")
    pin = digest(str(path), HERE)
    cluster = InputOptions(local_allowed=False)
    for url in (str(path), path.as_uri(), "FILE:///etc/passwd", "a.mha"):
        with pytest.raises(InputNotAllowed, match="s3://"):
            digest(url, cluster)
        with pytest.raises(InputNotAllowed):
            stat(url, cluster)
    with pytest.raises(InputNotAllowed):
        load(pin, cluster)
    with pytest.raises(InputNotAllowed):
        list_folder(str(tmp_path), options=cluster)


@pytest.mark.parametrize("url", ["ftp://a/b", "memory://a", "gs://a/b", "github://a"])
def test_unknown_schemes_are_refused(url: str) -> None:
    """Only the four schemes are read, whatever fsspec could."""
    with pytest.raises(InputNotAllowed, match="is not read"):
        digest(url, HERE)


def test_prefixes_confine_inputs(tmp_path: Path) -> None:
    """With allowed prefixes nothing else is read, not by `..` and not by a link either."""
    inside = _save(tmp_path / "in" / "a.mha")
    outside = _save(tmp_path / "in2" / "b.mha")
    (tmp_path / "in" / "link").symlink_to(outside)
    options = InputOptions(allowed_prefixes=(str(tmp_path / "in"), "s3://data/open/"))
    assert digest(str(inside), options).size
    for url in (
        str(outside),
        f"{tmp_path}/in/../in2/b.mha",
        f"{tmp_path}/in/link",
        "s3://data/openly/a",
        "s3://data/open/../x",
        "https://example.org/a",
    ):
        with pytest.raises(InputNotAllowed, match="not below"):
            digest(url, options)


def test_options_read_the_environment() -> None:
    """AWS's variables and voxk8s's own are taken; secrets stay out of the repr."""
    options = InputOptions.from_env(
        {
            "AWS_ENDPOINT_URL": "http://s3:9000",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "key-id",
            "AWS_SECRET_ACCESS_KEY": "hidden",
            "VOXK8S_LOCAL_INPUTS": "no",
            "VOXK8S_INPUT_PREFIXES": "s3://a/ s3://b/",
        }
    )
    assert (options.endpoint, options.region) == ("http://s3:9000", "eu-west-1")
    assert (options.local_allowed, options.allowed_prefixes) == (False, ("s3://a/", "s3://b/"))
    assert "hidden" not in repr(options)
    assert "key-id" not in repr(options)
    assert InputOptions.from_env({}) == InputOptions()


def test_listing_a_folder(tmp_path: Path) -> None:
    """Files are listed sorted, hidden ones and folders are not."""
    for name in ("b.nii.gz", "a.nii.gz", "c.txt", ".hidden.nii.gz", "sub/d.nii.gz"):
        _save(tmp_path / name)
    root = str(tmp_path)
    assert list_folder(root, options=HERE).entries == ("a.nii.gz", "b.nii.gz", "c.txt")
    assert list_folder(root, "*.nii.gz", options=HERE).entries == ("a.nii.gz", "b.nii.gz")
    assert list_folder(root, "*.nii.gz", True, options=HERE).entries == (
        "a.nii.gz",
        "b.nii.gz",
        "sub/d.nii.gz",
    )
    assert list_folder(root, "sub/*", True, options=HERE).entries == ("sub/d.nii.gz",)
    assert list_folder(root, ".*", options=HERE).entries == (".hidden.nii.gz",)
    full = list_folder(f"{root}/", "c*", False, True, options=HERE).entries
    assert full == (f"{root}/c.txt",)
    assert list_folder(root, "*.png", options=HERE).entries == ()


def test_flags_of_a_listing(tmp_path: Path) -> None:
    """Flags may be truth values, numbers or words; anything else is an error."""
    _save(tmp_path / "sub" / "a.mha")
    root = str(tmp_path)
    for yes, no in ((True, False), (1.0, 0), ("true", "no")):
        assert list_folder(root, "*", yes, options=HERE).entries == ("sub/a.mha",)
        assert list_folder(root, "*", no, options=HERE).entries == ()
    with pytest.raises(InputUnavailable, match=r"recursive.*maybe"):
        list_folder(root, "*", "maybe", options=HERE)
    with pytest.raises(InputUnavailable, match="pattern"):
        list_folder(root, 3.0, options=HERE)  # type: ignore[arg-type]  # a computed argument


def test_a_number_is_no_url() -> None:
    """A computed argument that is no string is a final error."""
    with pytest.raises(InputUnavailable, match=r"5\.0.*path or a URL"):
        digest(5.0, HERE)  # type: ignore[arg-type]  # a computed argument


def test_a_listing_depends_on_names_only(tmp_path: Path) -> None:
    """Two folders with the same names have one digest; another file changes it."""
    for folder in ("one", "two"):
        _save(tmp_path / folder / "a.mha")
    one = list_folder(str(tmp_path / "one"), options=HERE)
    two = list_folder(str(tmp_path / "two"), options=HERE)
    assert one.digest == two.digest
    _save(tmp_path / "two" / "b.mha")
    assert list_folder(str(tmp_path / "two"), options=HERE).digest != one.digest


def test_listing_what_is_no_folder(tmp_path: Path) -> None:
    """A file and a missing folder are final errors with the URL."""
    path = _save(tmp_path / "a.mha")
    with pytest.raises(InputUnavailable, match=r"a\.mha: it is a file, not a folder"):
        list_folder(str(path), options=HERE)
    with pytest.raises(InputUnavailable, match="nowhere: it does not exist"):
        list_folder(str(tmp_path / "nowhere"), options=HERE)


def test_preload_loads_and_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads S3 is loaded beforehand without any connection."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    preload()
    assert "s3fs" in sys.modules
