"""The executors on Dask: threads of this process, or the workers of a given client.

Dask is imported when a run starts: a plan whose goals are all known never needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from voxk8s.execution.executors.protocol import Send, Session

if TYPE_CHECKING:
    from distributed import Client


class LocalExecutor:
    """The default: runs tasks on the shared client, which is created at first use."""

    name = "local"
    is_local = True

    def start(self, run: str, send: Send) -> Session:
        """Start a run on the shared client."""
        from voxk8s.execution.executors.dask_session import DaskSession
        from voxk8s.execution.executors.shared_client import get_shared_dask_client

        return DaskSession(get_shared_dask_client(), run, send, local=True)


class DistributedExecutor:
    """Runs tasks on the workers of `client`; values go from there to the store.

    Operations that need resources which no worker offers fail, unless a worker is `promised` that
    does: they wait for it.
    """

    name = "distributed"
    is_local = False

    def __init__(self, client: Client, *, promised: Sequence[Mapping[str, float]] = ()) -> None:
        self._client = client
        self._promised = promised

    def start(self, run: str, send: Send) -> Session:
        """Start a run on the client."""
        from voxk8s.execution.executors.dask_session import DaskSession

        return DaskSession(self._client, run, send, local=False, promised=self._promised)
