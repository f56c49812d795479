"""Leader election by a Lease."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.scripted_kube import ScriptedKube
from tests.support.waiting import until
from tests.unit.controller.observed_builders import later
from voxk8s.cluster.kube_errors import Conflict, Forbidden, KubeUnreachable
from voxk8s.controller.leader_election import LeaderElector


class Room:
    """Candidates around one Lease, with one time."""

    def __init__(self) -> None:
        self.kube = ScriptedKube()
        self.seconds = 0.0

    def candidate(self, name: str) -> LeaderElector:
        """Make a candidate."""
        kube: Any = self.kube
        return LeaderElector(
            kube, "lease", "system", name, lambda: self.seconds, lambda: later(self.seconds)
        )

    @property
    def holder(self) -> str:
        """Who holds the lease."""
        return str(self.kube.objects["Lease", "system", "lease"]["spec"]["holderIdentity"])


@pytest.fixture
def room() -> Room:
    """A room without a lease."""
    return Room()


async def test_first_come_leads(room: Room) -> None:
    """The first candidate gets the lease, the second waits."""
    a, b = room.candidate("a"), room.candidate("b")
    assert await a.try_once()
    assert not await b.try_once()
    assert (a.leading, b.leading, room.holder) == (True, False, "a")


async def test_renewed_lease_is_kept(room: Room) -> None:
    """As long as the leader renews, nobody else leads."""
    a, b = room.candidate("a"), room.candidate("b")
    for _ in range(20):
        assert await a.try_once()
        assert not await b.try_once()
        room.seconds += 2


async def test_dead_leader_is_replaced(room: Room) -> None:
    """A leader that does not renew for the whole duration loses the lease."""
    a, b = room.candidate("a"), room.candidate("b")
    assert await a.try_once()
    assert not await b.try_once()
    room.seconds += 14
    assert not await b.try_once()
    room.seconds += 2
    assert await b.try_once()
    assert not await a.try_once()
    assert not a.leading
    assert room.kube.objects["Lease", "system", "lease"]["spec"]["leaseTransitions"] == 1


async def test_released_lease_is_free_at_once(room: Room) -> None:
    """A leader that leaves gives the lease up: the next one need not wait."""
    a, b = room.candidate("a"), room.candidate("b")
    assert await a.try_once()
    await a.release()
    assert await b.try_once()


async def test_a_standby_hears_of_a_released_lease(room: Room) -> None:
    """Whoever waits takes over as soon as the lease is given up, not at its next look."""
    a, b = room.candidate("a"), room.candidate("b")
    b.retry = 3600.0
    assert await a.try_once()
    taking = asyncio.create_task(b.acquire())
    await until(lambda: room.kube.calls["watch Lease"] > 0 and room.kube.calls["get Lease"] > 2)
    await a.release()
    await asyncio.wait_for(taking, 10)
    assert (b.leading, room.holder) == (True, "b")


async def test_a_standby_takes_over_without_a_watch(room: Room) -> None:
    """Where the lease may not be watched, looking now and then does as well."""
    room.kube.fail("list", *[Forbidden("no", 403)] * 100)
    a, b = room.candidate("a"), room.candidate("b")
    b.retry = 0.001
    assert await a.try_once()
    taking = asyncio.create_task(b.acquire())
    await until(lambda: room.kube.calls["get Lease"] > 2)
    await a.release()
    await asyncio.wait_for(taking, 10)
    assert room.holder == "b"


async def test_release_after_a_renewal_that_was_cut_off(room: Room) -> None:
    """A lease that was renewed without our hearing of it is given up all the same."""
    a, b = room.candidate("a"), room.candidate("b")
    assert await a.try_once()
    room.kube.fail("replace", Conflict("modified", 409))
    await a.release()
    assert room.holder == ""
    assert await b.try_once()


async def test_release_of_what_was_lost_changes_nothing(room: Room) -> None:
    """A candidate that does not lead leaves the lease alone."""
    a, b = room.candidate("a"), room.candidate("b")
    assert await a.try_once()
    await b.release()
    assert room.holder == "a"


async def test_two_at_the_same_moment(room: Room) -> None:
    """When another one was faster the API server says so, and we do not lead."""
    a, b = room.candidate("a"), room.candidate("b")
    assert await a.try_once()
    await a.release()
    room.kube.fail("replace", Conflict("modified", 409))
    assert not await b.try_once()
    assert not b.leading


async def test_api_server_away_for_a_moment(room: Room) -> None:
    """A renewal that does not get through is no loss yet."""
    a = room.candidate("a")
    assert await a.try_once()
    room.kube.fail("get", KubeUnreachable("away"))
    assert not await a.try_once()
    assert a.leading


async def test_api_server_away_for_long(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leader that cannot renew stops leading before anybody else may begin."""
    a = room.candidate("a")
    assert await a.try_once()
    room.kube.fail("get", *[KubeUnreachable("away")] * 100)

    async def sleep(seconds: float) -> None:
        room.seconds += seconds

    monkeypatch.setattr("voxk8s.controller.leader_election.asyncio.sleep", sleep)
    await a.renew()
    assert not a.leading
    assert room.seconds < a.duration


async def test_restarted_leader_takes_its_own_lease(room: Room) -> None:
    """A candidate with the same identity goes on without waiting."""
    assert await room.candidate("a").try_once()
    assert await room.candidate("a").try_once()
