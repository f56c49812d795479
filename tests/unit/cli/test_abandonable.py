"""Blocking work of commands that an interrupt leaves behind."""

from __future__ import annotations

import asyncio
import threading

import pytest

from voxk8s.cli.abandonable import in_abandonable_thread


def test_who_is_interrupted_does_not_wait() -> None:
    """The end of the loop does not wait for the thread either; nothing is said about it."""
    goes_on = threading.Event()

    async def interrupted() -> None:
        waiting = asyncio.ensure_future(in_abandonable_thread(lambda: goes_on.wait(20)))
        await asyncio.sleep(0)
        waiting.cancel()
        await waiting

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())
    assert not goes_on.is_set()
    assert any(each.name == "voxk8s-transfer" for each in threading.enumerate())
    goes_on.set()


def test_values_and_errors_come_back() -> None:
    """As from a call."""

    def fail() -> None:
        raise ValueError("it")

    assert asyncio.run(in_abandonable_thread(lambda: 3)) == 3
    with pytest.raises(ValueError, match="it"):
        asyncio.run(in_abandonable_thread(fail))
