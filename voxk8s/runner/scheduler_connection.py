"""The way to the scheduler: waits until it listens, then connects."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from voxk8s.errors import SchedulerLost

if TYPE_CHECKING:
    from distributed import Client

_log = logging.getLogger(__name__)
_LOOK = 0.1
_DIAL = 2.0
_CONNECT = 20.0


async def wait_until_listening(address: str) -> None:
    """Wait until somebody listens at an address; says once what is waited for.

    Knocking often costs nothing, while the client's own retries wait longer each time.
    """
    parts = urlsplit(address)
    told = False
    while True:
        try:
            async with asyncio.timeout(_DIAL):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        except (OSError, TimeoutError) as error:
            if not told:
                _log.info("waiting for the scheduler %s: %s", address, str(error) or "no answer")
                told = True
            await asyncio.sleep(_LOOK)
            continue
        writer.close()
        return


def connect(address: str) -> Client:
    """Connect to a scheduler that listens; raises SchedulerLost if it does not answer."""
    from distributed import Client

    try:
        return Client(address, timeout=_CONNECT, set_as_default=False)
    except Exception as error:  # before the Service's rules are in place anything
        # may answer at its address, in any protocol
        raise SchedulerLost(f"the scheduler {address} does not answer: {error}") from error


def disconnect(client: Client) -> None:
    """Let a client go without waiting for a scheduler that may be gone."""
    try:
        client.close(timeout=2)
    except Exception as error:  # noqa: BLE001 - whatever it is, the run is over
        _log.debug("closing the client: %s", error)
