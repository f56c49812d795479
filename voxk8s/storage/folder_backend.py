"""A store in a folder: what obstore does not do for folders.

obstore creates an object by a hard link to a finished file, which fails if the name is taken. Where
a file system has no hard links (exFAT, some network and container ones), objects are created
here under a lock instead. Conditional updates, on which leases depend, need that lock everywhere.

The lock is that of one file (`flock`): it excludes the processes of one host, and on NFS those of
all hosts. Where files cannot be locked there are no conditional updates, and creation without hard
links only checks first: two writers that meet may both believe that they were first, and the last
one wins. Every object is whole in any case.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Final

from voxk8s import constants
from voxk8s.errors import StoreAccessDenied, StoreError, StoreUnreachable
from voxk8s.storage.backend import Backend, Move, ObjectInfo, UnsupportedUpdate
from voxk8s.storage.byte_source import ByteSource
from voxk8s.storage.store_errors import convert
from voxk8s.storage.store_options import Location, StoreOptions

_NO_LINKS: Final = (
    errno.EPERM,
    errno.EACCES,
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EINVAL,
    errno.EMLINK,
)
_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.EBADF)
_LOCK_SECONDS: Final = 10.0
_LONGEST_PAUSE: Final = 0.02


class FolderBackend(Backend):
    """Objects as files below a folder."""

    def __init__(self, location: Location, options: StoreOptions) -> None:
        """Create the folder if it is missing."""
        super().__init__(location, options)
        self.touch_needs_data = False
        self._root = Path(location.root)
        self._has_links = True

    def create(
        self, path: str, parts: Sequence[bytes | memoryview], media_type: str
    ) -> ObjectInfo | None:
        """Write an object unless there is one; None when there is."""
        self._refuse_foreign(path)
        if self._has_links:
            try:
                return super().create(path, parts, media_type)
            except (StoreError, FileNotFoundError):
                # Without hard links, this looks like a refused access.
                if self._can_link():
                    raise
                self._has_links = False
        with self._errors("write"), self._staged(path, parts) as staged:
            try:
                with self._lock():
                    return self._rename_unless_exists(staged, path)
            except UnsupportedUpdate:
                return self._rename_unless_exists(staged, path)

    def update(
        self,
        found: ObjectInfo,
        data: bytes,
        media_type: str,  # noqa: ARG002 - files have none
    ) -> ObjectInfo | None:
        """Write an object unless it has changed since it was found, and return its metadata.

        None when it has changed. Raises UnsupportedUpdate where files cannot be locked.
        """
        self._refuse_foreign(found.path)
        with self._errors("write"), self._staged(found.path, (data,)) as staged, self._lock():
            now = self.head(found.path)
            if now is None or now.tag != found.tag:
                return None
            # Later than the old one, whatever the resolution of the kernel's clock: the new object
            # must not have the ETag of one before, although it may have got its inode.
            modified = max(time.time_ns(), int(now.modified * 1e9) + 2_000)
            os.utime(staged, ns=(modified, modified))
            staged.rename(self._root / found.path)
            return self.head(found.path)

    def version_of(self, found: ObjectInfo) -> str:
        """Return time of change and size: unlike the inode, they survive a copy of the store."""
        return found.tag.strip('"').partition("-")[2]

    def open_source(
        self,
        path: str,
        size: int,  # that the file should have: all of it is read
    ) -> ByteSource | None:
        """Open a file to read it once, or return None."""
        with self._errors("read"), suppress(FileNotFoundError):
            file = (self._root / path).open("rb", buffering=0)
            self.counters.add("requests")
            self.counters.add("bytes_read", size)
            return _FileSource(file, self._errors)
        return None

    @contextmanager
    def staged(self, parts: Iterable[bytes | memoryview]) -> Iterator[Move | None]:
        """Write a file whose path is not known yet, for a later move."""
        with self._errors("write"), self._staged(f"{constants.BLOBS_PREFIX}/new", parts) as staged:

            def move(path: str) -> None:
                self._refuse_foreign(path)
                target = self._root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                staged.replace(target)

            yield move

    def touch(
        self,
        found: ObjectInfo,
        data: bytes | memoryview,  # noqa: ARG002 - only the time is set
        media_type: str,  # noqa: ARG002 - the same
    ) -> None:
        """Set an object's time of change to now; its bytes are not needed."""
        with self._errors("write"), suppress(FileNotFoundError):
            self.counters.add("requests")
            os.utime(self._root / found.path)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Iterate over all objects below a prefix, but not what links of other users lead to.

        Who may write in a domain could place a link to the files of another one, or to any that
        maintenance may read and delete.
        """
        foreign: dict[str, bool] = {}
        for found in super().list(prefix):
            folder, _, _ = found.path.rpartition("/")
            if folder not in foreign:
                foreign[folder] = self.is_foreign(folder)
            if not foreign[folder] and not _is_foreign_link(f"{self._root}/{found.path}"):
                yield found

    def is_foreign(self, path: str) -> bool:
        """Whether a part of a path is a link of another user."""
        place = str(self._root)
        for part in path.split("/"):
            place = f"{place}/{part}"
            if _is_foreign_link(place):
                return True
        return False

    def write(
        self,
        path: str,
        parts: Iterable[bytes | memoryview],
        media_type: str,
        *,
        size: int | None = None,
    ) -> ObjectInfo:
        """Write an object, replacing an existing one, and return its metadata."""
        self._refuse_foreign(path)
        return super().write(path, parts, media_type, size=size)

    def delete(self, path: str) -> None:
        """Delete an object if there is one; of a run also the folders that become empty."""
        self._refuse_foreign(path.rpartition("/")[0])  # a link itself may go
        super().delete(path)
        if path.startswith(f"{constants.RUNS_PREFIX}/"):
            with suppress(OSError):
                for folder in list((self._root / path).parents)[: path.count("/") - 1]:
                    folder.rmdir()

    def delete_unchanged(self, found: ObjectInfo) -> bool:
        """Delete an object unless it has changed since it was found; whether it was deleted."""
        try:
            with self._errors("delete"), self._lock():
                return super().delete_unchanged(found)
        except UnsupportedUpdate:
            return super().delete_unchanged(found)

    def unfinished(self) -> Iterator[ObjectInfo]:
        """Iterate over files that a writer has begun; those of a killed one stay."""
        for folder, folders, names in os.walk(self._root):
            if Path(folder) == self._root and constants.DOMAINS_PREFIX in folders:
                folders.remove(constants.DOMAINS_PREFIX)  # they are stores of their own
            for name in names:
                _, mark, number = name.rpartition("#")
                if not mark or not number.isdigit():
                    continue
                file = Path(folder, name)
                with suppress(OSError):
                    status = file.stat()
                    path = file.relative_to(self._root).as_posix()
                    yield ObjectInfo(path, status.st_size, status.st_mtime)

    def discard(self, found: ObjectInfo) -> None:
        """Delete an unfinished file."""
        with self._errors("delete"):
            (self._root / found.path).unlink(missing_ok=True)

    def _refuse_foreign(self, path: str) -> None:
        if self.is_foreign(path):
            raise StoreAccessDenied(
                f"nothing is changed in the store {self.url} at {path}: a link of another user"
                " leads elsewhere"
            )

    def _rename_unless_exists(self, staged: Path, path: str) -> ObjectInfo | None:
        target = self._root / path
        if target.exists():
            return None
        staged.rename(target)
        return self.head(path)

    @contextmanager
    def _staged(self, path: str, parts: Iterable[bytes | memoryview]) -> Iterator[Path]:
        """Write a file beside its target, for a rename; it is deleted unless it was renamed.

        Its name is of the kind that obstore uses for the same purpose, and never lists.
        """
        staged = self._root / f"{path}#{secrets.randbits(60)}"
        for last in (False, True):
            staged.parent.mkdir(parents=True, exist_ok=True)
            try:
                file = staged.open("xb", buffering=0)
                break
            except FileNotFoundError:  # its folder has become empty, and was deleted
                if last:
                    raise
        try:
            with file:
                for part in parts:
                    data = memoryview(part).cast("B")
                    _write_all(file, data)
                    self.counters.add("bytes_written", len(data))
            self.counters.add("requests")
            yield staged
        finally:
            staged.unlink(missing_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the lock of the store; raises UnsupportedUpdate where files cannot be locked."""
        file = os.open(self._root / constants.LOCK_PATH, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            self._acquire(file)
            yield
        finally:
            os.close(file)

    def _acquire(self, file: int) -> None:
        deadline, pause = time.monotonic() + _LOCK_SECONDS, 0.0005
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreUnreachable(
                        f"cannot write in the store {self.url}: another process holds its lock"
                        f" ({constants.LOCK_PATH}) for more than {_LOCK_SECONDS:g} s"
                    ) from None
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except OSError as error:
                if error.errno in _NO_LOCKS:
                    text = f"files of the store {self.url} cannot be locked"
                    raise UnsupportedUpdate(text) from error
                raise
            else:
                return

    def _can_link(self) -> bool:
        """Whether hard links can be made, so that a failure has another reason."""
        try:
            with self._staged("link", (b"",)) as file:
                link = file.with_name(f"link#{secrets.randbits(60)}")
                os.link(file, link)
                link.unlink()
        except OSError as error:
            return error.errno not in _NO_LINKS
        return True

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            raise StoreAccessDenied(
                f"cannot {doing} in the store {self.url}: access denied ({error.strerror})"
            ) from error
        except OSError as error:
            raise convert(error, self.url, doing) from error


class _FileSource:
    """The bytes of a file, read without a buffer between."""

    def __init__(self, file: FileIO, errors: Callable[[str], AbstractContextManager[None]]) -> None:
        self._file = file
        self._errors = errors

    def read_into(self, target: memoryview) -> int:
        """Fill `target`, or less at the end of the file."""
        filled = 0
        with self._errors("read"):
            while filled < len(target) and (count := self._file.readinto(target[filled:])):
                filled += count
        return filled

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _is_foreign_link(path: str) -> bool:
    """Whether a path is a symbolic link that neither this user nor the superuser has made."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISLNK(status.st_mode) and status.st_uid not in (0, os.geteuid())


def _write_all(file: FileIO, data: memoryview) -> None:
    """Write all bytes: an unbuffered write may write fewer."""
    while data:
        data = data[file.write(data) :]
