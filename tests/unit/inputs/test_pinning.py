"""Tests of pins and states of local inputs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.unit.inputs.saved_images import save_image
from voxk8s.errors import InputUnavailable
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.pinning import pin_input, stat

ANY = InputOptions()


def test_a_pin_is_the_digest_of_the_content(tmp_path: Path) -> None:
    """Digest and size are those of the content, whatever the name of the file."""
    path = save_image(tmp_path / "a.mha")
    pin = pin_input(str(path), ANY)
    assert pin.url == str(path)
    assert pin.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert pin.size == path.stat().st_size
    assert pin.entries is None
    assert pin_input(str(save_image(tmp_path / "b.x")), ANY).digest == pin.digest
    assert pin_input(path.as_uri(), ANY).digest == pin.digest


def test_the_version_changes_with_the_file(tmp_path: Path) -> None:
    """The state of a file stays the same until the file is written."""
    path = save_image(tmp_path / "a.mha")
    before = stat(str(path), ANY)
    assert before == stat(str(path), ANY)
    assert (before.kind, before.size) == ("file", path.stat().st_size)
    os.utime(path, ns=(1, 1))
    assert stat(str(path), ANY).version != before.version
    assert stat(str(tmp_path), ANY).kind == "folder"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error for a missing file is permanent and contains its URL."""
    url = str(tmp_path / "nothing.nii")
    for function in (stat, pin_input):
        with pytest.raises(InputUnavailable, match=r"nothing\.nii: it does not exist"):
            function(url, ANY)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for a file without read permission is permanent and contains its URL."""
    path = save_image(tmp_path / "a.mha")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputUnavailable, match=r"a\.mha: access is denied"):
        pin_input(str(path), ANY)


def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    """A pipe or a device is not read, alone or in a folder: it might block forever."""
    os.mkfifo(tmp_path / "a.nii")
    for url in (tmp_path / "a.nii", tmp_path, Path("/dev/zero")):
        with pytest.raises(InputUnavailable, match="not a regular file"):
            pin_input(str(url), ANY)
