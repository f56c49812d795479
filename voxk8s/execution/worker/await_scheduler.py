"""Waits, as a preload of a worker that starts, until its scheduler listens."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from distributed import Worker

_POLL_SECONDS: Final = 0.05
_TIMEOUT: Final = 2.0


async def dask_setup(worker: Worker) -> None:
    """Wait while connections to the scheduler are refused, at most for the worker's death timeout.

    Dask pauses between its own attempts for up to as long as it has waited so far. What is no
    refusal, such as a scheduler that is slow or has another key, is left to Dask.
    """
    parts = urlsplit(worker.scheduler.address)
    # A handshake, since a scheduler warns of connections that end before it.
    context = worker.connection_args.get("ssl_context")
    while True:
        try:
            async with asyncio.timeout(_TIMEOUT):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=context)
        except ConnectionRefusedError:
            await asyncio.sleep(_POLL_SECONDS)
        except (TimeoutError, ssl.SSLError, ConnectionError):
            return
        except OSError:  # no address or no way to it yet
            await asyncio.sleep(_POLL_SECONDS)
        else:
            writer.close()
            return
