"""Who may write in one domain of a store in a folder places links there, and waits for maintenance.

Maintenance has the rights of all domains, or of the superuser, and would follow them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from voxk8s.errors import StoreAccessDenied
from voxk8s.storage import Limits, ResultStore, open_store
from voxk8s.values import SavedFile

KEYS = ["a" * 64, "b" * 64, "c" * 64]
OLD = Limits(1.0, None, 0.0, runs_older_than=1.0, pins_older_than=1.0)


class Scene:
    """A store with two domains, and a folder beside it."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.home.mkdir()
        (self.home / "precious").write_text("secret")
        self.url = (root / "store").as_uri()
        theirs = self.open("victim")
        theirs.put(KEYS[0], SavedFile(b"x" * 5000, ".txt", "text/plain"))
        theirs.put(KEYS[1], 5)
        self.open("evil").put(KEYS[2], SavedFile(b"y" * 5000, ".txt", "text/plain"))
        self.victim, self.evil = (root / "store" / "domains" / name for name in ("victim", "evil"))

    def open(self, domain: str) -> ResultStore:
        """Open a domain, as `voxk8s store` does."""
        return open_store(self.url, domain=domain, trusts=())

    def link(self, name: str, target: Path) -> None:
        """Put a link in the place of a folder of the hostile domain."""
        place = self.evil / name
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
        if os.getuid() == 0:
            os.lchown(place, 54321, -1)

    def files(self) -> dict[str, bytes]:
        """Return all files that are not in the hostile domain, and make them old."""
        found = {}
        for top in (self.home, self.victim):
            for path in sorted(top.rglob("*")):
                if path.is_file():
                    os.utime(path, (1, 1))
                    found[str(path)] = path.read_bytes()
        return found


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A store in which this process is somebody else than the owner of the links."""
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    return Scene(tmp_path)


def test_garbage_collection_deletes_nothing_beyond(scene: Scene) -> None:
    """Neither results of another domain nor files beside the store."""
    for name, target in (
        ("cas", scene.victim / "cas"),
        ("ac", scene.victim / "ac"),
        ("runs", scene.home),
        ("quarantine", scene.home),
        ("pins/v1", scene.home),
    ):
        scene.link(name, target)
    before = scene.files()
    store = scene.open("evil")
    assert store.collect(OLD).results == 0
    assert store.stats().records == 0
    assert scene.files() == before


def test_verification_copies_nothing_into_the_quarantine(scene: Scene) -> None:
    """Its owner could read there what only maintenance may."""
    for name in (f"ac/v1/{KEYS[2][:2]}/{KEYS[2][2:]}", f"cas/sha256/aa/{'a' * 62}"):
        (scene.evil / name).unlink(missing_ok=True)
        scene.link(name, scene.home / "precious")
    store = scene.open("evil")
    store.verify()
    assert store.record(KEYS[2]) is None
    kept = [path for path in scene.evil.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not any(b"secret" in path.read_bytes() for path in kept)
    assert (scene.home / "precious").read_text() == "secret"


def test_nothing_is_written_or_deleted_through_a_link(scene: Scene) -> None:
    """Not even by somebody who knows the path."""
    scene.link("runs", scene.home)
    store = scene.open("evil")
    with pytest.raises(StoreAccessDenied, match="a link of another user"):
        store.write_run_file("x/report.html", b"evil", "text/html")
    with pytest.raises(StoreAccessDenied, match="a link of another user"):
        store._backend.delete("runs/precious")
    assert set(os.listdir(scene.home)) == {"precious"}


def test_own_links_are_followed(tmp_path: Path) -> None:
    """An owner may move blobs to another disk."""
    store = open_store((tmp_path / "store").as_uri())
    (tmp_path / "disk").mkdir()
    (tmp_path / "store" / "cas").symlink_to(tmp_path / "disk")
    store.put(KEYS[0], SavedFile(b"x" * 5000, ".txt", "text/plain"))
    assert store.verify().blobs == 1
    for path in (tmp_path / "disk").rglob("*"):
        os.utime(path, (1, 1))
    os.utime(tmp_path / "store" / "ac" / "v1" / "aa" / ("a" * 62), (1, 1))
    assert store.collect(OLD).blobs == 1
