"""Tests of listings of local folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.inputs.saved_images import save_image
from voxk8s.errors import InputUnavailable
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.listing import list_folder

ANY = InputOptions()


def test_files_are_listed_in_order(tmp_path: Path) -> None:
    """Names are sorted; hidden files and folders are left out."""
    for name in ("b.nii.gz", "a.nii.gz", "c.txt", ".hidden.nii.gz", "sub/d.nii.gz"):
        save_image(tmp_path / name)
    root = str(tmp_path)
    assert list_folder(root, options=ANY).entries == ("a.nii.gz", "b.nii.gz", "c.txt")
    assert list_folder(root, "*.nii.gz", options=ANY).entries == ("a.nii.gz", "b.nii.gz")
    assert list_folder(root, "*.nii.gz", True, options=ANY).entries == (
        "a.nii.gz",
        "b.nii.gz",
        "sub/d.nii.gz",
    )
    assert list_folder(root, "sub/*", True, options=ANY).entries == ("sub/d.nii.gz",)
    assert list_folder(root, ".*", options=ANY).entries == (".hidden.nii.gz",)
    full = list_folder(f"{root}/", "c*", False, True, options=ANY).entries
    assert full == (f"{root}/c.txt",)
    assert list_folder(root, "*.png", options=ANY).entries == ()


def test_flags_have_several_forms(tmp_path: Path) -> None:
    """Flags may be truth values, numbers or words; anything else is an error."""
    save_image(tmp_path / "sub" / "a.mha")
    root = str(tmp_path)
    for yes, no in ((True, False), (1.0, 0), ("true", "no")):
        assert list_folder(root, "*", yes, options=ANY).entries == ("sub/a.mha",)
        assert list_folder(root, "*", no, options=ANY).entries == ()
    with pytest.raises(InputUnavailable, match=r"recursive.*maybe"):
        list_folder(root, "*", "maybe", options=ANY)
    with pytest.raises(InputUnavailable, match=r"expected a string as the pattern .*, got 3\.0"):
        list_folder(root, 3.0, options=ANY)  # type: ignore[arg-type]  # a computed argument


def test_the_digest_is_that_of_the_names(tmp_path: Path) -> None:
    """Two folders with the same names have one digest; another file changes it."""
    for folder in ("one", "two"):
        save_image(tmp_path / folder / "a.mha")
    one = list_folder(str(tmp_path / "one"), options=ANY)
    two = list_folder(str(tmp_path / "two"), options=ANY)
    assert one.digest == two.digest
    save_image(tmp_path / "two" / "b.mha")
    assert list_folder(str(tmp_path / "two"), options=ANY).digest != one.digest


def test_only_folders_are_listed(tmp_path: Path) -> None:
    """A file and a missing folder are permanent errors with the URL."""
    path = save_image(tmp_path / "a.mha")
    with pytest.raises(InputUnavailable, match=r"a\.mha: it is a file, not a folder"):
        list_folder(str(path), options=ANY)
    with pytest.raises(InputUnavailable, match="nowhere: it does not exist"):
        list_folder(str(tmp_path / "nowhere"), options=ANY)
    with pytest.raises(InputUnavailable, match="folders cannot be listed over HTTP"):
        list_folder("http://example.org/a/", options=ANY)
