"""The identity of a replica, and what proves that its process has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voxk8s.controller.replica_identity import ReplicaIdentity

HOLDER = ReplicaIdentity("op-a", "uid-a", "2")


def pod(message: str = str(HOLDER), uid: str = "uid-a", **states: Any) -> dict[str, Any]:
    """Return a pod whose container restarted after a process with this termination message."""
    states = states or {
        "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 137, "message": message}},
    }
    status = {"phase": "Running", "containerStatuses": [{"name": "operator", **states}]}
    return {"metadata": {"name": "op-a", "uid": uid}, "status": status}


def test_each_process_has_an_identity_of_its_own() -> None:
    """Two processes of one pod differ, and the lease's text says which one it is."""
    first, second = (ReplicaIdentity.of_this_process("op-a", "uid-a") for _ in range(2))
    assert first != second
    assert ReplicaIdentity.parse(str(first)) == first


@pytest.mark.parametrize("holder", ["", "op-a", "a_b", "a_b_c_d"])
def test_other_holders(holder: str) -> None:
    """A holder of an earlier version or another program is not an identity."""
    assert ReplicaIdentity.parse(holder) is None


def test_container_that_ended_or_was_started_again() -> None:
    """The message of the process in a terminated state, also of the container before, is proof."""
    ended = {"terminated": {"exitCode": 1, "message": str(HOLDER)}}
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    assert HOLDER.has_ended(pod())
    assert HOLDER.has_ended(pod(state=ended))
    assert HOLDER.has_ended(pod(state=waiting, lastState=ended))


@pytest.mark.parametrize(
    "found",
    [
        None,
        pod(uid="uid-b"),
        pod(str(ReplicaIdentity("op-a", "uid-a", "1"))),
        pod(state={"terminated": {"exitCode": 137}}),
        pod(state={"running": {"message": str(HOLDER)}}),
        {"metadata": {"name": "op-a", "uid": "uid-a"}, "status": {"phase": "Failed"}},
    ],
    ids=["gone", "another pod", "the process before", "no message", "runs", "lost node"],
)
def test_what_proves_nothing(found: dict[str, Any] | None) -> None:
    """A pod without the process's own message among what has ended says nothing about it."""
    assert not HOLDER.has_ended(found)


def test_successor_in_the_same_pod() -> None:
    """A later process of a pod succeeds the earlier one; outside of pods none does."""
    assert ReplicaIdentity("op-a", "uid-a", "3").succeeds(HOLDER)
    assert not ReplicaIdentity("op-a", "uid-b", "3").succeeds(HOLDER)
    assert not ReplicaIdentity("op-a", "uid-a", "3").succeeds(None)
    assert not ReplicaIdentity("host", "", "2").succeeds(ReplicaIdentity("host", "", "1"))


def test_announcement(tmp_path: Path) -> None:
    """It replaces what is in the file, and without a container there is no file to make."""
    log = tmp_path / "termination-log"
    HOLDER.announce(log)
    assert not log.exists()
    log.write_text("something longer than an identity, from whoever was here before")
    HOLDER.announce(log)
    assert log.read_text() == str(HOLDER)
