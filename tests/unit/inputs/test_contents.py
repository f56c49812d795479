"""Tests of the files that make up an input."""

from __future__ import annotations

import hashlib
from pathlib import Path

from voxk8s.inputs.contents import combine, hash_file, input_files
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate
from voxk8s.plan.model import Digest

ANY = InputOptions()


def test_the_files_of_a_folder_without_hidden_ones(tmp_path: Path) -> None:
    """Files are sorted by name; hidden ones and those in subfolders are left out."""
    (tmp_path / "sub").mkdir()
    for name in ("b", "a", ".hidden", "sub/c"):
        (tmp_path / name).write_text(name)
    found = input_files(locate(str(tmp_path), ANY), ANY)
    assert [file.path for file in found] == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_a_detached_header_has_two_files(tmp_path: Path) -> None:
    """The data file that a header names belongs to the input."""
    header = tmp_path / "a.mhd"
    header.write_text("NDims = 2\nElementDataFile = a.raw\n")
    found = input_files(locate(str(header), ANY), ANY)
    assert [file.path for file in found] == [str(header), str(tmp_path / "a.raw")]


def test_a_file_is_copied_while_it_is_hashed(tmp_path: Path) -> None:
    """Digest and size are those of the file and of its copy."""
    (tmp_path / "a").write_bytes(b"voxels")
    digest, size = hash_file(locate(str(tmp_path / "a"), ANY), ANY, str(tmp_path / "copy"))
    assert (digest, size) == (hashlib.sha256(b"voxels").hexdigest(), 6)
    assert (tmp_path / "copy").read_bytes() == b"voxels"


def test_the_names_of_files_in_a_folder_do_not_matter() -> None:
    """The digest of a folder does not depend on the order of its files, that of a pair does."""
    one, two = (Digest("1" * 64), 3), (Digest("2" * 64), 4)
    assert combine([one, two], folder=True) == combine([two, one], folder=True)
    assert combine([one, two], folder=False) != combine([two, one], folder=False)
    assert combine([one], folder=False) == one[0]
    assert combine([one], folder=True) != one[0]
