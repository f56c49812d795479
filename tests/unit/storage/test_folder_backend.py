"""Stores in folders: with and without hard links and locks."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import pytest
from obstore.store import ObjectStore

from tests.support.paths import ROOT
from tests.support.waiting import wait_until
from voxk8s.errors import StoreFull, StoreUnreachable
from voxk8s.storage import MISS, PutStatus, folder_backend, open_store
from voxk8s.storage.backend import ObjectInfo, UnsupportedUpdate
from voxk8s.storage.counters import Counts
from voxk8s.storage.folder_backend import FolderBackend
from voxk8s.storage.store_options import Location, StoreOptions

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult


def backend_in(folder: Path) -> FolderBackend:
    """Open a store in a folder."""
    return FolderBackend(Location("file", str(folder)), StoreOptions())


def created(backend: FolderBackend, path: str = "lease/v1/x") -> ObjectInfo:
    """Create an object."""
    found = backend.create(path, (b"1",), "text/plain")
    assert found is not None
    return found


@pytest.mark.parametrize("left", [0, 3])
def test_a_file_that_is_cut_off_while_it_is_read_is_a_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    """Whoever changes files in place ends no run: the result is computed and stored again."""
    key = "a" * 64
    open_store(str(tmp_path)).put(key, 1.0)
    read = obstore.get

    def cut_off(store: ObjectStore, path: str, options: GetOptions | None = None) -> GetResult:
        answer = read(store, path, options=options)
        os.truncate(tmp_path / path, left)
        return answer

    store = open_store(str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(obstore, "get", cut_off)
        assert store.get(key) is MISS
    assert store.put(key, 1.0).status is PutStatus.CREATED
    assert store.get(key) == 1.0


_WITHOUT_LINKS = """
import sys
from tests.support.no_links import forbid_hard_links
forbid_hard_links(int(sys.argv[2]))  # before the threads of obstore start
from voxk8s.storage import MISS, PutStatus, open_store

store = open_store(sys.argv[1])
keys = [f"{number:064x}" for number in range(20)]
created = [store.put(key, "x" * 10_000 + key).status for key in keys]
again = [store.put(key, "x" * 10_000 + key).status for key in keys]
assert set(created) == {PutStatus.CREATED}, created
assert set(again) == {PutStatus.EXISTS}, again
assert store.put(keys[0], 5).status is PutStatus.NONDETERMINISTIC
assert store.contains(keys) == set(keys)
probe = store.probe()
assert probe.conditional_writes and probe.conditional_updates, probe
lease = store.lease(keys[0], "one")
assert lease.acquire() is None and lease.renew()
assert store.lease(keys[0], "two").acquire() is not None
assert store.verify().sound
assert not list(store._backend.unfinished())
"""


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_folders_without_hard_links_are_stores_too(tmp_path: Path, number: int) -> None:
    """Objects are created once, and leases work, where the kernel refuses every hard link."""
    command = [sys.executable, "-c", _WITHOUT_LINKS, str(tmp_path), str(number)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_without_hard_links_the_lock_decides_who_creates_an_object(tmp_path: Path) -> None:
    """A writer that waits for the lock finds what the one before it has created."""
    backend = backend_in(tmp_path)
    backend._has_links = False
    answers: list[ObjectInfo | None] = []
    waiting = threading.Thread(
        target=lambda: answers.append(backend.create("ac/v1/x", (b"late",), "text/plain"))
    )
    with backend._lock():
        waiting.start()
        wait_until(lambda: len(list(backend.unfinished())) == 1)
        assert answers == []
        backend.write("ac/v1/x", (b"first",), "text/plain")
    waiting.join(60)
    assert answers == [None]
    assert bytes(backend.get("ac/v1/x") or b"") == b"first"


def refuse_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every lock fail, as on a file system that has none."""

    def flock(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)


def test_without_locks_there_are_no_updates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller is told so; objects can still be created, deleted and touched."""
    backend = backend_in(tmp_path)
    found = created(backend)
    refuse_locks(monkeypatch)
    with pytest.raises(UnsupportedUpdate, match="cannot be locked"):
        backend.update(found, b"2", "text/plain")
    assert bytes(backend.get(found.path) or b"") == b"1"
    backend._has_links = False
    assert backend.create(found.path, (b"3",), "text/plain") is None
    assert backend.create("ac/v1/other", (b"3",), "text/plain") is not None
    backend.touch(found, b"", "text/plain")
    assert not list(backend.unfinished())
    assert backend.delete_unchanged(created(backend, "ac/v1/third"))


def test_a_lock_that_is_never_released_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped while it held the lock does not stop the others for ever."""
    monkeypatch.setattr(folder_backend, "_LOCK_SECONDS", 0.05)
    backend = backend_in(tmp_path)
    found = created(backend)
    with backend._lock(), pytest.raises(StoreUnreachable, match="holds its lock"):
        backend.update(found, b"2", "text/plain")
    assert backend.update(found, b"2", "text/plain") is not None


def test_updates_in_quick_succession_have_different_tags(tmp_path: Path) -> None:
    """Although a file system may use an inode again, and its clock may stand still."""
    backend = backend_in(tmp_path)
    found, tags = created(backend), set()
    for _ in range(200):
        tags.add(found.tag)
        updated = backend.update(found, b"1", "text/plain")
        assert updated is not None
        found = updated
    assert len(tags) == 200


def test_an_update_is_later_than_what_it_replaces(tmp_path: Path) -> None:
    """Also when the clock was set back: a file system may give it the inode of one before."""
    backend = backend_in(tmp_path)
    path = created(backend).path
    os.utime(tmp_path / path, (4e9, 4e9))
    found = backend.head(path)
    assert found is not None
    updated = backend.update(found, b"1", "text/plain")
    assert updated is not None
    assert updated.modified > found.modified


def test_what_killed_writers_left_is_listed_and_can_be_deleted(tmp_path: Path) -> None:
    """Files that obstore or this module has begun; no finished object is among them."""
    backend = backend_in(tmp_path)
    created(backend, "cas/sha256/ab/cd")
    (tmp_path / "cas/sha256/ab/cd#1").write_bytes(b"1234")
    (tmp_path / "lock#123456").write_bytes(b"")
    (tmp_path / "cas/sha256/ab/cd#name").write_bytes(b"")
    found = sorted(backend.unfinished(), key=lambda each: each.path)
    assert [(each.path, each.size) for each in found] == [
        ("cas/sha256/ab/cd#1", 4),
        ("lock#123456", 0),
    ]
    for each in found:
        backend.discard(each)
        backend.discard(each)
    assert not list(backend.unfinished())
    assert backend.get("cas/sha256/ab/cd") is not None


def test_folders_of_deleted_runs_are_deleted(tmp_path: Path) -> None:
    """As far as they are empty; a run can be written there again."""
    backend = backend_in(tmp_path)
    for path in ("runs/ns/a/1/x", "runs/ns/a/2/x"):
        backend.write(path, (b"",), "text/plain")
    backend.delete("runs/ns/a/1/x")
    assert sorted(os.listdir(tmp_path / "runs/ns/a")) == ["2"]
    backend.delete("runs/ns/a/2/x")
    backend.delete("runs/ns/a/2/x")
    assert os.listdir(tmp_path / "runs") == []
    backend.write("runs/ns/a/2/x", (b"",), "text/plain")
    assert backend.head("runs/ns/a/2/x") is not None


def test_a_touched_file_is_young(tmp_path: Path) -> None:
    """Its content stays; a missing file is not created."""
    backend = backend_in(tmp_path)
    path = created(backend).path
    os.utime(tmp_path / path, (1000, 1000))
    old = backend.head(path)
    assert old is not None
    assert old.modified == 1000
    backend.touch(old, b"2", "text/plain")
    young = backend.head(path)
    assert young is not None
    assert young.modified > old.modified
    assert bytes(backend.get(path) or b"") == b"1"
    backend.delete(path)
    backend.touch(young, b"1", "text/plain")
    assert backend.get(path) is None


def test_what_obstore_does_not_do_is_counted_too(tmp_path: Path) -> None:
    """Files that are staged, moved, streamed and touched."""
    backend = backend_in(tmp_path)
    with backend.staged((b"123", b"45")) as move:
        assert move is not None
        move("cas/sha256/aa/1")
    source = backend.open_source("cas/sha256/aa/1", 5)
    assert source is not None
    source.close()
    assert backend.open_source("cas/sha256/aa/2", 5) is None
    backend.touch(ObjectInfo("cas/sha256/aa/1", 5), b"", "")
    assert backend.counters.snapshot() == Counts(requests=3, bytes_read=5, bytes_written=5)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a small file system")
def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    """Not that the store does not answer: nobody must wait for it."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tmp_path], check=True)
    try:
        backend = FolderBackend(Location("file", str(tmp_path / "store")), StoreOptions())
        backend.write("small", (b"1",), "text/plain")
        with pytest.raises(StoreFull, match="no space is left"):
            backend.write("a", (bytes(4 << 20),), "text/plain")
        with pytest.raises(StoreFull, match="no space is left"):
            backend.create("b", (bytes(4 << 20),), "text/plain")
        with (
            pytest.raises(StoreFull, match="no space is left"),
            backend.staged([bytes(1 << 20)] * 4),
        ):
            pass
        assert bytes(backend.get("small") or b"") == b"1"
        assert not list(backend.unfinished())
    finally:
        subprocess.run(["umount", tmp_path], check=True)
