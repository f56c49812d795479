"""Reads of another trust domain."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.storage.memory import memory_backend
from voxk8s.errors import StoreAccessDenied
from voxk8s.storage.backend import ObjectInfo
from voxk8s.storage.counters import Counters
from voxk8s.storage.store_options import Location, StoreOptions
from voxk8s.storage.trusted_backend import TrustedBackend


class Refusing:
    """A back end that refuses to read what is not in `allowed`."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = set(allowed)
        self.asked = 0

    def head(self, path: str) -> ObjectInfo | None:
        """Count the request and answer it."""
        self.asked += 1
        if path in self.allowed:
            return ObjectInfo(path, 1)
        raise StoreAccessDenied("403")


def trusted(inner: object, now: list[float]) -> TrustedBackend:
    """Return the reads of a back end, by a clock of the test's own."""
    found = TrustedBackend(
        Location("s3", "bucket", "domains/b"), StoreOptions(), Counters(), clock=lambda: now[0]
    )
    found._inner = inner  # type: ignore[assignment]  # as much of one as is used
    return found


def test_what_is_refused_is_missing() -> None:
    """Some servers refuse to say that an object is missing, so others may be there."""
    inner = Refusing("c")
    backend = trusted(inner, [0.0])
    assert backend.head("a") is None
    assert backend.head("c") is not None
    assert inner.asked == 2


def test_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is refused."""
    backend = trusted(Refusing(), [0.0])
    for _ in range(10):
        backend.head("a")
    assert caplog.messages == [
        "results of the trust domain at s3://bucket/domains/b cannot be used: 403"
    ]


def test_a_domain_that_refuses_everything_is_left_alone_for_a_while() -> None:
    """A run has thousands of look-ups. Later it is asked again, since rights may be given."""
    inner, now = Refusing("c"), [0.0]
    backend = trusted(inner, now)
    for _ in range(1000):
        backend.head("a")
    assert inner.asked == 64
    assert backend.head("c") is None
    now[0] = 301.0
    assert backend.head("c") is not None
    for _ in range(1000):
        backend.head("a")
        backend.head("c")
    assert inner.asked == 65 + 2000


def test_a_folder_is_not_created(tmp_path: Path) -> None:
    """It is read as soon as its owners have made it."""
    root = tmp_path / "domains" / "b"
    backend = TrustedBackend(Location("file", str(root)), StoreOptions(), Counters())
    assert backend.get("a") is None
    assert list(backend.list("")) == []
    assert not root.exists()
    root.mkdir(parents=True)
    (root / "a").write_bytes(b"1")
    assert bytes(backend.get("a") or b"") == b"1"
    assert backend.counters.snapshot().requests == 1


def test_nothing_is_written() -> None:
    """Not even by mistake."""
    inner = memory_backend()
    inner.write("a", (b"1",), "text/plain")
    backend = trusted(inner, [0.0])
    found = backend.head("a")
    assert found is not None
    for write in (
        lambda: backend.create("b", (b"",), "text/plain"),
        lambda: backend.write("a", (b"",), "text/plain"),
        lambda: backend.update(found, b"", "text/plain"),
        lambda: backend.touch(found, b"", "text/plain"),
        lambda: backend.delete("a"),
        lambda: backend.delete_unchanged(found),
        lambda: backend.discard(found),
    ):
        with pytest.raises(StoreAccessDenied, match="nothing is written in the trust domain"):
            write()
    assert [each.path for each in inner.list("")] == ["a"]
