"""Runs tasks on the workers of a given Dask client."""

from __future__ import annotations

from distributed import Client

from voxk8s.execution.executors.dask_session import DaskSession
from voxk8s.execution.executors.protocol import Send


class DistributedExecutor:
    """Operations run wherever the client's workers are; values go from there to the store."""

    name = "distributed"
    is_local = False

    def __init__(self, client: Client) -> None:
        self._client = client

    def start(self, run: str, send: Send) -> DaskSession:
        """Begin a run on the client."""
        return DaskSession(self._client, run, send, local=False)
