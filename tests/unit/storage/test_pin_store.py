"""Remembered pins of inputs."""

from __future__ import annotations

import time

import pytest

from tests.unit.storage.memory import memory_backend, quarantine_of
from voxk8s.plan import Digest, Pin
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.layout import pin_path
from voxk8s.storage.pin_store import PinStore

PIN = Pin("s3://bucket/a.nii.gz", Digest("1" * 64), 5)


def test_pins_are_found_by_the_state_of_the_input() -> None:
    """Another size or version is another state."""
    backend = memory_backend()
    pins = PinStore(backend, quarantine_of(backend)[0], AccessRefresh(backend, time.time))
    pins.put(PIN, 5, "etag")
    assert pins.get(PIN.url, 5, "etag") == PIN
    assert pins.get(PIN.url, 6, "etag") is None
    assert pins.get(PIN.url, 5, "other") is None


def test_corrupt_pins_are_missing() -> None:
    """An input whose pin is damaged is read again."""
    backend = memory_backend()
    quarantine, counters = quarantine_of(backend)
    pins = PinStore(backend, quarantine, AccessRefresh(backend, time.time))
    pins.put(PIN, 5, "etag")
    path = pin_path(PIN.url, 5, "etag")
    data = bytes(backend.get(path) or b"")
    backend.write(path, (data.replace(b"bucket", b"bouquet"),), "application/json")
    assert pins.get(PIN.url, 5, "etag") is None
    assert counters.snapshot().corrupt == 1


def test_pins_in_use_become_young() -> None:
    """A pin that was found is refreshed, so that only unused ones are collected."""
    backend = memory_backend()
    access = AccessRefresh(backend, lambda: time.time() + 86_400)
    pins = PinStore(backend, quarantine_of(backend)[0], access)
    pins.put(PIN, 5, "etag")
    before = backend.head(pin_path(PIN.url, 5, "etag"))
    assert pins.get(PIN.url, 5, "etag") == PIN
    assert access.flush(30)
    after = backend.head(pin_path(PIN.url, 5, "etag"))
    assert before is not None
    assert after is not None
    assert after.modified > before.modified


@pytest.mark.parametrize(("digest", "size"), [("xx", 1), ("1" * 63 + "/", 1), ("1" * 64, -1)])
def test_pins_of_impossible_content_are_corrupt(digest: str, size: int) -> None:
    """They would become part of result keys."""
    backend = memory_backend()
    pins = PinStore(backend, quarantine_of(backend)[0], AccessRefresh(backend, time.time))
    pins.put(Pin(PIN.url, Digest(digest), size), 5, "etag")
    assert pins.get(PIN.url, 5, "etag") is None
