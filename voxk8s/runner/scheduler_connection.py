"""Connection to the Dask scheduler: waits until it listens, then connects."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from voxk8s.errors import SchedulerLost

if TYPE_CHECKING:
    from distributed import Client

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_TCP_TIMEOUT = 2.0
_CONNECT_TIMEOUT = 20.0


async def wait_until_listening(address: str) -> None:
    """Wait until a TCP connection to the address succeeds; logs once that it waits.

    Frequent attempts are cheap, while distributed's Client backs off between its own.
    """
    parts = urlsplit(address)
    logged = False
    while True:
        try:
            async with asyncio.timeout(_TCP_TIMEOUT):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        except (OSError, TimeoutError) as error:
            if not logged:
                _log.info("waiting for the scheduler %s: %s", address, str(error) or "no answer")
                logged = True
            await asyncio.sleep(_POLL_SECONDS)
            continue
        writer.close()
        return


def connect(address: str) -> Client:
    """Connect to a scheduler that listens; raises SchedulerLost if it does not answer."""
    from distributed import Client

    try:
        return Client(address, timeout=_CONNECT_TIMEOUT, set_as_default=False)
    except Exception as error:  # before the Service's rules are in place, another process may
        # answer at its address, in any protocol
        raise SchedulerLost(f"the scheduler {address} does not answer: {error}") from error


def disconnect(client: Client) -> None:
    """Close a client without waiting long for a scheduler that may be lost."""
    try:
        client.close(timeout=2)
    except Exception as error:  # noqa: BLE001 - the run is over
        _log.debug("closing the client: %s", error)
