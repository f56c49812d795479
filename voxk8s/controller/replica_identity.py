"""The identity of a replica in the Lease, and what proves that its process has ended.

An identity is of one process, as a container's restart is another one. The process writes it as its
termination message before it competes for the lease. When the container ends, the kubelet copies
that message into the pod's status, next to the state `terminated`: who finds the lease's holder
there knows that this very process has ended, whatever the clocks say and however old the status is,
since a process that has ended does not come back.

Nothing else is a proof. A pod that does not exist may have been deleted by force while its node was
cut off; a pod is `Failed` also when its node is lost; `running` may be the container before the
holder's, or after.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_log = logging.getLogger(__name__)
TERMINATION_LOG = Path("/dev/termination-log")


@dataclass(frozen=True, slots=True)
class ReplicaIdentity:
    """One process of one pod; `pod_uid` is empty outside of a pod."""

    pod: str
    pod_uid: str
    process: str

    @classmethod
    def of_this_process(cls, pod: str, pod_uid: str) -> Self:
        """Return a new identity."""
        return cls(pod, pod_uid, uuid.uuid4().hex[:12])

    @classmethod
    def parse(cls, holder: str) -> Self | None:
        """Return the identity in a lease's `holderIdentity`; None if it is not one of these."""
        match holder.split("_"):
            case [pod, pod_uid, process]:
                return cls(pod, pod_uid, process)
            case _:
                return None

    def __str__(self) -> str:
        return f"{self.pod}_{self.pod_uid}_{self.process}"

    def succeeds(self, other: ReplicaIdentity | None) -> bool:
        """Whether this is a later process of the same pod, whose earlier one has ended.

        The kubelet starts a container when the one before it has ended.
        """
        return (
            other is not None
            and bool(self.pod_uid)
            and (self.pod, self.pod_uid) == (other.pod, other.pod_uid)
        )

    def announce(self, path: Path = TERMINATION_LOG) -> None:
        """Write this identity as the termination message of the container.

        Without a container there is no such file, and nothing is written.
        """
        try:
            with path.open("r+") as file:
                file.truncate()
                file.write(str(self))
        except OSError as error:
            _log.info("the end of this process will not be in its pod's status: %s", error)

    def has_ended(self, pod: dict[str, Any] | None) -> bool:
        """Whether this pod as the API server has it proves that the process has ended."""
        if pod is None or pod["metadata"].get("uid") != self.pod_uid:
            return False
        states = (
            (status.get(which) or {}).get("terminated") or {}
            for status in (pod.get("status") or {}).get("containerStatuses") or ()
            for which in ("state", "lastState")
        )
        return any(state.get("message") == str(self) for state in states)
