"""Runs tasks on Dask threads in this process: the client that all executions share."""

from __future__ import annotations

from voxk8s.execution.executors.protocol import Send, Session


class LocalExecutor:
    """The default; makes the shared client when the first run has something to compute."""

    name = "local"
    is_local = True

    def start(self, run: str, send: Send) -> Session:
        """Begin a run on the shared client."""
        # Imported here: a plan whose goals are all known never needs Dask.
        from voxk8s.execution.executors.dask_session import DaskSession
        from voxk8s.execution.executors.shared_client import get_shared_dask_client

        return DaskSession(get_shared_dask_client(), run, send, local=True)
