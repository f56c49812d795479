"""Entry points are those of `importlib.metadata`, also where it is not asked."""

from __future__ import annotations

import importlib
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from voxk8s.kernels.entry_points import entry_points

GROUP = "unit.group"
TEXT = "[console_scripts]\nother = other:main\n\n[unit.group]\nmine = some_module:thing\n"


def _package(folder: Path, text: str = TEXT, info: str = "some-1.dist-info") -> Path:
    (folder / info).mkdir(parents=True)
    (folder / info / "METADATA").write_text("Metadata-Version: 2.1\nName: some\nVersion: 1\n")
    (folder / info / "entry_points.txt").write_text(text)
    return folder


def _found() -> list[tuple[str, str]]:
    found = [(each.name, each.value) for each in entry_points(GROUP)]
    assert found == [(each.name, each.value) for each in metadata.entry_points(group=GROUP)]
    return found


@pytest.mark.parametrize("info", ["some-1.dist-info", "some.egg-info", "Some-1.DIST-INFO"])
def test_a_package_in_a_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, info: str
) -> None:
    """Whatever wrote the folder of its metadata."""
    monkeypatch.syspath_prepend(_package(tmp_path, info=info))
    assert _found() == [("mine", "some_module:thing")]


def test_the_folder_of_the_process_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an empty text in the path."""
    monkeypatch.chdir(_package(tmp_path))
    monkeypatch.syspath_prepend("")
    assert _found() == [("mine", "some_module:thing")]


def test_a_path_may_be_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs put those into the path too, as if they were texts."""
    monkeypatch.setattr(sys, "path", [*sys.path, _package(tmp_path)])
    assert _found() == [("mine", "some_module:thing")]


def test_a_package_that_is_hidden_by_another_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first package of a name is the one that is imported."""
    monkeypatch.syspath_prepend(_package(tmp_path / "second"))
    monkeypatch.syspath_prepend(_package(tmp_path / "first", text=""))
    assert _found() == []


def test_a_package_in_an_archive_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives are left to `importlib.metadata`."""
    _package(tmp_path / "package")
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for file in ("METADATA", "entry_points.txt"):
            name = f"some-1.dist-info/{file}"
            archive.write(tmp_path / "package" / name, name)
    monkeypatch.syspath_prepend(tmp_path / "package.zip")
    assert _found() == [("mine", "some_module:thing")]


def test_a_package_in_an_egg_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its metadata are in a folder of another name."""
    monkeypatch.syspath_prepend(_package(tmp_path / "some-1.egg", info="EGG-INFO"))
    (tmp_path / "some-1.egg" / "EGG-INFO" / "METADATA").rename(
        tmp_path / "some-1.egg" / "EGG-INFO" / "PKG-INFO"
    )
    assert _found() == [("mine", "some_module:thing")]


def test_packages_of_other_finders_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as those of editable installations."""

    class Package(metadata.Distribution):
        def read_text(self, filename: str) -> str | None:
            return {"METADATA": "Name: some\n", "entry_points.txt": TEXT}.get(filename)

        def locate_file(self, path: object) -> Path:
            return Path(str(path))

    finder = SimpleNamespace(
        find_spec=lambda *_: None, find_distributions=lambda *_, **__: [Package()]
    )
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, finder])
    assert _found() == [("mine", "some_module:thing")]


def test_packages_without_the_group_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks for the entry points of all packages, which takes long; also with Dask."""
    importlib.import_module("distributed")
    monkeypatch.setattr(metadata, "entry_points", lambda **_: pytest.fail("was asked"))
    assert list(entry_points(GROUP)) == []


def test_folders_that_do_not_exist_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are common in the path."""
    monkeypatch.syspath_prepend(tmp_path / "no-such-folder")
    assert _found() == []
