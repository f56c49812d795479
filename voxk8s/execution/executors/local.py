"""Runs units on Dask threads in this process: the client that all executions share."""

from __future__ import annotations

from voxk8s.execution.client import get_shared_dask_client
from voxk8s.execution.executors.dasksession import DaskSession
from voxk8s.execution.executors.protocol import Send


class LocalExecutor:
    """The default; makes the shared client when the first run has something to compute."""

    name = "local"
    is_local = True

    def start(self, run: str, send: Send) -> DaskSession:
        """Begin a run on the shared client."""
        return DaskSession(get_shared_dask_client(), run, send, local=True)
