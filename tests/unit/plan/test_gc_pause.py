"""The collector of cycles rests while large structures are made."""

from __future__ import annotations

import gc
import threading

import pytest

from voxk8s.plan.gc_pause import without_gc


@without_gc()
def enabled() -> bool:
    """Whether the collector is enabled."""
    return gc.isenabled()


def test_it_rests_and_goes_on() -> None:
    """It is off inside and on afterwards, also when functions call each other or fail."""

    @without_gc()
    def outer() -> list[bool]:
        return [enabled(), gc.isenabled()]

    @without_gc()
    def failing() -> None:
        raise ValueError("no")

    assert outer() == [False, False]
    assert gc.isenabled()
    with pytest.raises(ValueError, match="no"):
        failing()
    assert gc.isenabled()


def test_the_last_thread_switches_it_on() -> None:
    """While one of two threads is still inside the collector rests."""
    inside, leave = threading.Event(), threading.Event()

    @without_gc()
    def wait() -> None:
        inside.set()
        leave.wait(10)

    thread = threading.Thread(target=wait)
    thread.start()
    inside.wait(10)
    assert not enabled()
    assert not gc.isenabled()
    leave.set()
    thread.join(10)
    assert gc.isenabled()


def test_who_has_switched_it_off_finds_it_off() -> None:
    """A collector that was off stays off."""
    gc.disable()
    try:
        assert not enabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
