"""Leader election by a Lease."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.scripted_kube import ScriptedKube
from tests.support.waiting import until
from tests.unit.controller.observed_builders import later
from voxk8s.cluster.kube_errors import Conflict, Fenced, Forbidden, KubeUnreachable
from voxk8s.controller.leader_election import LeaderElector
from voxk8s.controller.replica_identity import ReplicaIdentity


class Candidates:
    """Candidates for one Lease, with a common clock."""

    def __init__(self) -> None:
        self.kube = ScriptedKube()
        self.seconds = 0.0

    def candidate(self, name: str, process: str = "1") -> LeaderElector:
        """Make a candidate: a process of the pod `name`."""
        kube: Any = self.kube
        identity = ReplicaIdentity(name, f"uid-{name}", process)
        return LeaderElector(
            kube, "lease", "system", identity, lambda: self.seconds, lambda: later(self.seconds)
        )

    def end(self, name: str, process: str = "1") -> None:
        """Write the status of a pod as the kubelet does when a process of it has ended."""
        message = f"{name}_uid-{name}_{process}"
        ended = {"terminated": {"exitCode": 137, "message": message}}
        self.kube.objects["Pod", "system", name] = {
            "metadata": {"name": name, "uid": f"uid-{name}"},
            "status": {"containerStatuses": [{"name": "operator", "state": ended}]},
        }

    @property
    def holder(self) -> str:
        """The holder of the lease."""
        holder = str(self.kube.objects["Lease", "system", "lease"]["spec"]["holderIdentity"])
        return holder.partition("_")[0]


@pytest.fixture
def candidates() -> Candidates:
    """A cluster without a lease."""
    return Candidates()


async def test_first_candidate_leads(candidates: Candidates) -> None:
    """The first candidate gets the lease, the second one does not."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    assert await a.try_once()
    assert not await b.try_once()
    assert (a.leading, b.leading, candidates.holder) == (True, False, "a")


async def test_renewed_lease(candidates: Candidates) -> None:
    """As long as the leader renews, no other candidate leads."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    for _ in range(20):
        assert await a.try_once()
        assert not await b.try_once()
        candidates.seconds += 2


async def test_expired_lease(candidates: Candidates) -> None:
    """A leader that does not renew for the whole duration loses the lease."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    assert await a.try_once()
    assert not await b.try_once()
    candidates.seconds += 11
    assert not await b.try_once()
    candidates.seconds += 2
    assert await b.try_once()
    assert not await a.try_once()
    assert not a.leading
    assert candidates.kube.objects["Lease", "system", "lease"]["spec"]["leaseTransitions"] == 1


async def test_released_lease(candidates: Candidates) -> None:
    """A released lease can be taken at once."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    assert await a.try_once()
    await a.release()
    assert await b.try_once()


async def test_standby_watches_the_lease(candidates: Candidates) -> None:
    """A waiting candidate takes over when the lease is released, not at its next attempt."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    b.retry = 3600.0
    assert await a.try_once()
    taking = asyncio.create_task(b.acquire())
    await until(
        lambda: candidates.kube.calls["watch Lease"] > 0 and candidates.kube.calls["get Lease"] > 2
    )
    await a.release()
    await asyncio.wait_for(taking, 10)
    assert (b.leading, candidates.holder) == (True, "b")


async def test_standby_without_a_watch(candidates: Candidates) -> None:
    """If the lease cannot be watched, periodic attempts take over."""
    candidates.kube.fail("list", *[Forbidden("no", 403)] * 100)
    a, b = candidates.candidate("a"), candidates.candidate("b")
    b.retry = 0.001
    assert await a.try_once()
    taking = asyncio.create_task(b.acquire())
    await until(lambda: candidates.kube.calls["get Lease"] > 2)
    await a.release()
    await asyncio.wait_for(taking, 10)
    assert candidates.holder == "b"


async def test_release_after_a_cancelled_renewal(candidates: Candidates) -> None:
    """A lease that was renewed by a cancelled request is released all the same."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    assert await a.try_once()
    candidates.kube.fail("replace", Conflict("modified", 409))
    await a.release()
    assert candidates.holder == ""
    assert await b.try_once()


async def test_release_without_the_lease(candidates: Candidates) -> None:
    """A candidate that does not lead does not change the lease."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    assert await a.try_once()
    await b.release()
    assert candidates.holder == "a"


async def test_conflict_between_candidates(candidates: Candidates) -> None:
    """After a conflict with another candidate this one does not lead."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    assert await a.try_once()
    await a.release()
    candidates.kube.fail("replace", Conflict("modified", 409))
    assert not await b.try_once()
    assert not b.leading


@pytest.mark.parametrize("holder", ["a", "b"])
async def test_conflict_of_a_renewal(
    candidates: Candidates, monkeypatch: pytest.MonkeyPatch, holder: str
) -> None:
    """A renewal that was late, and changes the lease now, does not end its own leadership."""
    a = candidates.candidate("a")
    assert await a.try_once()
    find = candidates.kube.find

    async def before_the_change(*arguments: Any) -> Any:
        monkeypatch.undo()
        found = await find(*arguments)
        lease = candidates.kube.objects["Lease", "system", "lease"]
        lease["spec"] |= {"holderIdentity": str(candidates.candidate(holder).identity)}
        candidates.kube.put(lease)
        return found

    monkeypatch.setattr(candidates.kube, "find", before_the_change)
    assert await a.try_once() == (holder == "a")
    assert a.leading == (holder == "a")
    assert candidates.holder == holder


async def test_api_server_down_for_a_moment(candidates: Candidates) -> None:
    """One failed renewal does not end leadership."""
    a = candidates.candidate("a")
    assert await a.try_once()
    candidates.kube.fail("get", KubeUnreachable("away"))
    assert not await a.try_once()
    assert a.leading


async def test_api_server_down_for_long(
    candidates: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leader that cannot renew stops before another candidate may begin."""
    a = candidates.candidate("a")
    assert await a.try_once()
    candidates.kube.fail("get", *[KubeUnreachable("away")] * 100)

    async def sleep(seconds: float) -> None:
        candidates.seconds += seconds

    monkeypatch.setattr("voxk8s.controller.leader_election.asyncio.sleep", sleep)
    await a.renew()
    assert not a.leading
    assert candidates.seconds < a.duration


async def test_outage_that_ends_just_before_the_deadline(
    candidates: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed renewal the next one comes soon, so that the lease is kept."""
    a = candidates.candidate("a")
    assert await a.try_once()
    find, real_sleep = candidates.kube.find, asyncio.sleep

    async def away(*arguments: Any) -> Any:
        await real_sleep(0.001)
        if candidates.seconds < a.renew_within - 0.6:
            raise KubeUnreachable("away")
        return await find(*arguments)

    async def sleep(seconds: float) -> None:
        candidates.seconds += seconds
        if candidates.seconds > 20:
            raise asyncio.CancelledError

    monkeypatch.setattr(candidates.kube, "find", away)
    monkeypatch.setattr("voxk8s.controller.leader_election.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await a.renew()
    assert a.leading


async def test_restarted_leader(candidates: Candidates) -> None:
    """A later process of the holder's pod takes the lease at once."""
    assert await candidates.candidate("a").try_once()
    assert await candidates.candidate("a", "2").try_once()


async def test_leader_that_has_ended(candidates: Candidates) -> None:
    """When the holder's pod proves its end, an overdue lease is taken before its time is over."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    assert await a.try_once()
    assert not await b.try_once()
    candidates.end("a")
    candidates.seconds += 3
    assert await b.try_once()
    assert candidates.holder == "b"


@pytest.mark.parametrize(("proved", "bound"), [(True, 5.0), (False, 15.0)])
@pytest.mark.parametrize("alive", [0.0, 0.7, 1.3, 2.0])
async def test_fail_over(candidates: Candidates, proved: bool, bound: float, alive: float) -> None:
    """Within 5 s after a kill that its pod proves, within 15 s after a pause, whenever they are."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    await a.try_once()
    assert not await b.try_once()
    candidates.seconds += alive
    await b.try_once()
    gone = candidates.seconds
    while not await b.try_once():
        candidates.seconds += b.pause
        if proved and candidates.seconds >= gone + 1:  # the time that a kubelet takes
            candidates.end("a")
    assert candidates.seconds - gone <= bound


async def test_leader_of_which_nothing_is_proved(candidates: Candidates) -> None:
    """A pod that is gone or cannot be read, and the end of an earlier process, prove nothing."""
    a, b = candidates.candidate("a", "2"), candidates.candidate("b")
    assert await a.try_once()
    assert not await b.try_once()
    candidates.seconds += 3
    assert not await b.try_once()
    candidates.end("a", "1")
    assert not await b.try_once()
    assert candidates.holder == "a"


async def test_pod_of_the_leader_cannot_be_read(
    candidates: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the right to read it, the lease is taken when its time is over, and not before."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    assert await a.try_once()
    assert not await b.try_once()
    candidates.end("a")
    find = candidates.kube.find

    async def refused(*arguments: Any) -> Any:
        if arguments[0].kind == "Pod":
            raise Forbidden("no", 403)
        return await find(*arguments)

    monkeypatch.setattr(candidates.kube, "find", refused)
    candidates.seconds += 11
    assert not await b.try_once()
    candidates.seconds += 2
    assert await b.try_once()


async def test_pod_is_read_when_the_lease_is_overdue(candidates: Candidates) -> None:
    """While the leader renews in time, its pod is not read."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    for _ in range(5):
        assert await a.try_once()
        assert not await b.try_once()
        candidates.seconds += 2
    assert candidates.kube.calls["get Pod"] == 0


async def test_leader_that_is_alive_after_all(
    candidates: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease that was renewed after it was read is not taken, whatever a pod says."""
    a, b = candidates.candidate("a"), candidates.candidate("b")
    assert await a.try_once()
    assert not await b.try_once()
    candidates.end("a")
    candidates.seconds += 3
    find = candidates.kube.find

    async def renewed_meanwhile(*arguments: Any) -> Any:
        if arguments[0].kind == "Pod":
            assert await a.try_once()
        return await find(*arguments)

    monkeypatch.setattr(candidates.kube, "find", renewed_meanwhile)
    assert not await b.try_once()
    assert candidates.holder == "a"


async def test_renewals_that_hang(candidates: Candidates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leader whose renewals are not answered stops at its deadline, before its lease ends."""
    a = candidates.candidate("a")
    assert await a.try_once()

    async def hang(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(candidates.kube, "find", hang)
    loop = asyncio.get_running_loop()
    a.clock, a.renew_within, a.retry = loop.time, 0.3, 0.05
    a._renewed_at = began = loop.time()
    await asyncio.wait_for(a.renew(), 20)
    assert loop.time() - began >= 0.3
    assert not a.leading


async def test_deadline_counts_from_the_request(
    candidates: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renewal that took long is as old as its request: its lease began then."""
    a = candidates.candidate("a")
    assert await a.try_once()
    replace = candidates.kube.replace

    async def slow(*arguments: Any) -> dict[str, Any]:
        written = await replace(*arguments)
        candidates.seconds += 7
        return written

    monkeypatch.setattr(candidates.kube, "replace", slow)
    assert await a.try_once()
    a.check()
    candidates.seconds += 1
    with pytest.raises(Fenced, match="no longer holds lease"):
        a.check()


async def test_fence_of_a_paused_leader(candidates: Candidates) -> None:
    """After a pause a leader writes nothing, even before it notices that its lease is over."""
    a = candidates.candidate("a")
    with pytest.raises(Fenced):
        a.check()
    assert await a.try_once()
    candidates.seconds += 7.9
    a.check()
    candidates.seconds += 30
    with pytest.raises(Fenced):
        a.check()
    assert a.leading
