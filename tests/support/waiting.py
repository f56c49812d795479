"""Waiting for what other threads, processes and clusters do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any


def wait_for(
    what: str, probe: Callable[[], Any], timeout: float = 120.0, pause: float = 0.2
) -> Any:
    """Ask `probe` until it gives something true and give that; fails saying what did not come."""
    end = time.monotonic() + timeout
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {timeout:g} s: {what}")
        time.sleep(pause)


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Return as soon as the condition holds; fail if it does not in time."""
    wait_for("what the test waits for", condition, seconds, pause=0.01)


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Let the other tasks of the loop go on until the condition holds; fail after a while."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what the tests wait for sets no event
            await asyncio.sleep(0.001)
