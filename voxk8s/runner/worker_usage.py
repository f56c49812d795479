"""What the workers of a Dask cluster use, as their scheduler last heard."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from voxk8s.history.usage import Reading
from voxk8s.report import Usage

if TYPE_CHECKING:
    from distributed import Client

_log = logging.getLogger(__name__)
PAUSE_SECONDS = 1.0
_PATIENCE = 5.0


def worker_usage(client: Client) -> Reading:
    """Return a function that asks a scheduler what all its workers together use."""

    def read() -> Usage | None:
        try:
            scheduler = client.scheduler
            if scheduler is None:
                return None
            found = client.sync(scheduler.identity, n_workers=-1, callback_timeout=_PATIENCE)
            workers = [each["metrics"] for each in found["workers"].values()]
            cores = sum(float(each["cpu"]) for each in workers) / 100
            memory = sum(int(each["memory"]) for each in workers)
        except Exception as error:  # noqa: BLE001 - a report may lack a measure
            _log.debug("the scheduler does not say what its workers use: %s", error)
            return None
        return Usage(time.time(), cores, memory, len(workers))

    return read
