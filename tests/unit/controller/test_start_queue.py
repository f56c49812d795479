"""Who has a cluster and who waits for one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import FULLY_CACHED, WORK_LEFT, later
from voxk8s import constants
from voxk8s.api.status import Condition, WorkPlanStatus
from voxk8s.controller.limits import Limits
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Resolving, Unresolved
from voxk8s.controller.start_queue import StartQueue
from voxk8s.controller.work_queue import ObjectKey

NOW = later(0)


def one(name: str, namespace: str = "ns", **changes: object) -> Observed:
    """Make a WorkPlan with work left."""
    plan = build.workplan(start_time=later(0))
    metadata = msgspec.structs.replace(
        plan.metadata, name=name, namespace=namespace, uid=f"u-{name}"
    )
    observed = build.applied(workplan=msgspec.structs.replace(plan, metadata=metadata))
    return build.replace(observed, **{"resolution": WORK_LEFT, **changes})


def test_up_to_the_limit() -> None:
    """What is over the limit waits, and starts when another one ends."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=2), called.append)
    queue.open()
    assert [bool(queue.note(one(name), NOW)) for name in "abcd"] == [False, False, True, True]
    assert [key.name for key in called] == ["a", "b"]
    assert "all 2 of limits.clusters are in use, and 1 other WorkPlan waits" in queue.note(
        one("d"), NOW
    )
    assert queue.note(one("a", cluster=build.cluster()), NOW) == ""
    queue.forget("u-a")
    assert [key.name for key in called] == ["a", "b", "c"]
    assert (queue.note(one("c"), NOW), queue.waiting) == ("", 1)


def test_nothing_starts_before_all_are_noted() -> None:
    """After a restart those that have clusters are counted before another one may start."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    assert queue.note(one("new"), NOW)
    assert queue.note(one("old", cluster=build.cluster()), NOW) == ""
    queue.open()
    assert called == []
    assert queue.note(one("new"), NOW)


def test_admitted_one_is_looked_up_again() -> None:
    """After a restart the first in rank keeps its place, whoever is looked up first."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    for name in "ab":
        waited = one(name, resolution=Unresolved())
        assert queue.note(build.with_status(waited, WorkPlanStatus(phase="Queued")), NOW)
    queue.open()
    assert queue.note(one("a", resolution=Resolving()), NOW) == ""
    assert queue.note(one("b"), NOW)
    assert queue.note(one("a"), NOW) == ""
    assert queue.note(one("a", resolution=Blocked("StoreUnreachable", "away", later(9))), NOW) == ""
    assert [key.name for key in called] == ["a", "b"], "what waits for the store leaves its place"


def test_admitted_one_that_needs_no_cluster() -> None:
    """A plan that turns out to be known gives its turn away."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    queue.open()
    assert queue.note(one("a"), NOW) == ""
    assert queue.note(one("b"), NOW)
    assert queue.note(one("a", resolution=FULLY_CACHED), NOW) == ""
    assert [key.name for key in called] == ["a", "b"]


def test_refused_one_leaves_its_place() -> None:
    """Others start while its cluster cannot be created; it tries again when it is due and may."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    queue.open()
    refused: dict[str, Any] = {"create_errors": (build.problem("PodRejected"),)}
    assert queue.note(one("a"), NOW) == ""
    assert queue.note(one("b"), NOW)
    assert "could not be created" in queue.note(one("a", create_wait=9.0, **refused), NOW)
    assert queue.note(one("b", cluster=build.cluster()), NOW) == ""
    assert "limits.clusters" in queue.note(one("a", **refused), NOW)
    queue.forget("u-b")
    assert [key.name for key in called] == ["a", "b", "a"]
    assert queue.note(one("a", **refused), NOW) == "", "it tries again"
    assert queue.note(one("a", create_wait=9.0, **refused), NOW)
    assert queue.note(one("a", resolution=Blocked("StoreUnreachable", "away", later(9))), NOW)
    assert queue.note(one("a", cluster=build.cluster(), **refused), NOW) == ""
    assert queue.note(one("a"), NOW) == "", "what has started keeps its place"


def test_refused_one_after_a_restart() -> None:
    """What its status says counts: else all whose clusters were refused would start at once."""
    queue = StartQueue(Limits(clusters=1), lambda key: None)
    refused = one("a", create_errors=(build.problem("PodRejected"),))
    said = build.replace(build.with_operator_status(refused), create_errors=())
    assert said.workplan.status.phase == "Starting"
    assert queue.note(build.replace(said, resolution=Unresolved()), NOW)
    assert queue.note(one("b", cluster=build.cluster()), NOW) == ""
    queue.open()
    assert queue.note(said, NOW)
    queue.forget("u-b")
    assert queue.note(said, NOW) == ""


@pytest.mark.parametrize("waits_for", ["the end of its last run", "the end of its suspension"])
def test_one_that_waits_for_pods_to_end_keeps_no_place(waits_for: str) -> None:
    """A pod of a lost node may never end, and the others need not wait for it."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    queue.open()
    assert queue.note(one("a", cluster=build.cluster()), NOW) == ""
    assert queue.note(one("b"), NOW)
    left = one("a", resolution=Unresolved(), access=build.access(), live_pods=(build.pod(),))
    status = WorkPlanStatus(phase="Suspended")
    if waits_for == "the end of its last run":
        clearing = Condition("Reconciling", "True", "Retry", "", later(0))
        status = WorkPlanStatus(phase="Resolving", conditions=(clearing,))
    assert queue.note(build.with_status(left, status), NOW) == ""
    assert [key.name for key in called] == ["b"]


def test_without_limits_nothing_is_kept() -> None:
    """Nobody waits, and no memory is taken."""
    queue = StartQueue(Limits(), lambda key: None)
    assert queue.note(one("a"), NOW) == ""
    assert queue.waiting == 0
    assert not queue._holding


PATIENT = Limits(no_room_seconds=15)
_FULL = build.pod(ready=False, problems=(build.problem(constants.REASON_UNSCHEDULABLE),))
_BEGUN = (build.pod(), build.pod("runner", "r"))


def _started(name: str, *pods: Any) -> Observed:
    """Make a run with a cluster and a runner; without pods of others, its worker has no room."""
    found = one(name, cluster=build.cluster(uid=f"c-{name}"), runner=build.job())
    return build.replace(found, pods=pods or (_FULL,))


def _queue(called: list[ObjectKey], names: str, limits: Limits = PATIENT) -> StartQueue:
    """Return a queue with runs that have started and cannot begin."""
    queue = StartQueue(limits, called.append)
    queue.open()
    for name in names:
        assert queue.note(one(name), NOW) == ""
        assert queue.note(_started(name), later(10)) == ""
    return queue


def _leaving(queue: StartQueue, names: str, now: datetime) -> str:
    """Note runs that cannot begin; return the names of those that give way."""
    for name in names:
        queue.note(_started(name), now)
    return "".join(name for name in names if queue.gives_way(f"u-{name}"))


def test_runs_without_room_give_way_to_the_first() -> None:
    """Those that have not begun after a while start again one by one, and then more at once."""
    called: list[ObjectKey] = []
    queue = _queue(called, "abcd")
    assert queue.note(_started("e", *_BEGUN), later(20)) == ""
    assert _leaving(queue, "abcd", later(14)) == ""
    assert _leaving(queue, "abcd", later(20)) == "bcd"
    assert "this one starts again when its turn comes" in queue.note(_started("b"), later(21))
    # Their pods are gone. One run, e, had room beside the first of those that have not begun.
    for name in "bcd":
        assert "fit on no node" in queue.note(one(name), later(25))
        assert not queue.gives_way(f"u-{name}")
    assert called == []
    queue.forget("u-e")
    assert [key.name for key in called] == ["b"]
    queue.note(_started("a", *_BEGUN), later(30))  # so there is room for two, which a and b have
    assert [key.name for key in called] == ["b"]
    queue.note(_started("b", *_BEGUN), later(35))
    assert [key.name for key in called] == ["b", "c"]
    queue.note(_started("b", *_BEGUN), later(36))  # that it has begun is counted once
    assert [key.name for key in called] == ["b", "c"]
    queue.forget("u-a")
    assert [key.name for key in called] == ["b", "c", "d"]


def test_a_run_that_fits_nowhere_keeps_nobody_waiting() -> None:
    """Others start beside the first; it gives way, too, to one that is stuck later than it."""
    called: list[ObjectKey] = []
    queue = _queue(called, "ab")
    assert _leaving(queue, "ab", later(20)) == "b"
    assert queue.note(one("b"), later(22)) == ""
    assert [key.name for key in called] == ["b"]
    assert _leaving(queue, "ab", later(34)) == "b"
    assert queue.note(one("b"), later(34)) == ""
    assert _leaving(queue, "ab", later(35)) == "a"
    assert [key.name for key in called] == ["b", "b", "a"]
    assert queue.note(one("new"), later(36)) == ""
    assert queue.note(one("a"), later(37))
    assert queue.note(_started("b"), later(37)) == ""
    assert [key.name for key in called] == ["b", "b", "a", "new"]


def test_room_is_not_remembered_when_nobody_waits() -> None:
    """Nodes may have come, and other pods may have gone."""
    called: list[ObjectKey] = []
    queue = _queue(called, "ab")
    assert _leaving(queue, "ab", later(20)) == "b"
    for name in "ab":
        queue.forget(f"u-{name}")
    assert [queue.note(one(name), later(50)) for name in "cde"] == [""] * 3


@pytest.mark.parametrize(
    ("limits", "changes"),
    [
        pytest.param(Limits(), {}, id="not wanted"),
        pytest.param(PATIENT, {"queue": "team"}, id="Kueue decides"),
        pytest.param(PATIENT, {"pods": (build.pod(ready=False),)}, id="only slow"),
        pytest.param(PATIENT, {"pods": (_FULL, *_BEGUN)}, id="wants more workers"),
    ],
)
def test_who_never_gives_way(limits: Limits, changes: dict[str, object]) -> None:
    """Only runs that cannot begin for want of room do."""
    queue = _queue([], "a", limits)
    queue.note(_started("a"), later(20))
    assert queue.note(build.replace(_started("b"), **changes), later(20)) == ""
    assert not queue.gives_way("u-b")


def test_a_run_that_has_ended_makes_nobody_give_way() -> None:
    """Its cluster is kept to look at it: it starts no more."""
    queue = _queue([], "ab")
    ended = build.with_status(_started("a"), build.running().workplan.status)
    succeeded = Condition("Succeeded", "False", "StartDeadlineExceeded", "", later(15))
    status = msgspec.structs.replace(
        ended.workplan.status,
        phase="Failed",
        completion_time=later(15),
        operations=None,
        conditions=(succeeded,),
    )
    queue.note(build.with_status(ended, status), later(20))
    assert _leaving(queue, "b", later(20)) == ""


def test_a_run_that_cannot_begin_for_another_reason_keeps_nobody_waiting() -> None:
    """One whose image is not there has room, so there may be room for another one."""
    called: list[ObjectKey] = []
    queue = _queue(called, "abc")
    assert _leaving(queue, "abc", later(20)) == "bc"
    queue.note(one("b"), later(22))
    assert queue.note(one("c"), later(22))
    pulls = build.pod(ready=False, problems=(build.problem(constants.REASON_IMAGE_PULL_FAILED),))
    slow = build.replace(_started("b", pulls), cluster=build.cluster(created=later(23)))
    queue.note(slow, later(37))
    assert [key.name for key in called] == ["b"]
    queue.note(slow, later(38))
    assert [key.name for key in called] == ["b", "c"]


def test_room_does_not_grow_with_each_short_run() -> None:
    """It is one more than have begun at a time: else all would start again, and fill the nodes."""
    called: list[ObjectKey] = []
    queue = _queue(called, "abcdefgh")
    assert _leaving(queue, "abcdefgh", later(20)) == "bcdefgh"
    queue.note(_started("a", *_BEGUN), later(21))
    for name in "bcdefgh":
        queue.note(one(name), later(22))
    last = "a"
    while len(called) < 7:
        started = [key.name for key in called if f"u-{key.name}" in queue._holding]
        assert len(started) <= 2
        queue.forget(f"u-{last}")
        last = next(name for name in started if name != last)
        queue.note(_started(last, *_BEGUN), later(30))


def test_pods_that_do_not_go_keep_nobody_waiting() -> None:
    """Those of a lost node may stay for ever, and a status that is rejected is not written."""
    called: list[ObjectKey] = []
    queue = _queue(called, "abc")
    assert _leaving(queue, "abc", later(20)) == "bc"
    queue.note(one("c"), later(22))
    assert [key.name for key in called] == ["c"]
    assert queue.gives_way("u-b")


def test_a_run_that_gave_way_keeps_its_turn_while_it_is_looked_up() -> None:
    """Whatever phase its runner has written last."""
    called: list[ObjectKey] = []
    queue = _queue(called, "abc")
    queue.note(_started("e", *_BEGUN), later(20))
    assert _leaving(queue, "abc", later(20)) == "bc"
    for resolution in (Unresolved(), Unresolved(), Resolving()):
        found = build.with_status(one("b", resolution=resolution), WorkPlanStatus(phase="Running"))
        assert queue.note(found, later(25))
    assert (called, queue.waiting) == ([], 1)


def test_a_run_that_takes_long_keeps_nobody_waiting() -> None:
    """One more is tried beside those that have begun: the first that has no room may never fit."""
    called: list[ObjectKey] = []
    queue = _queue(called, "abc")
    for _ in range(2):
        queue.note(_started("e", *_BEGUN), later(20))
    assert _leaving(queue, "abc", later(20)) == "bc"
    assert queue.note(one("b"), later(22)) == ""
    assert queue.note(one("c"), later(22))
    assert [key.name for key in called] == ["b"]


def test_runs_of_one_namespace_that_fit_nowhere_do_not_take_each_turn() -> None:
    """The next run of a namespace that has a cluster comes before they come again."""
    called: list[ObjectKey] = []
    queue = _queue(called, "ab")
    bad = [one(name, "other") for name in ("y", "z")]
    assert _leaving(queue, "ab", later(20)) == "b"
    for turn, seconds in enumerate((20, 25)):
        tried = bad[turn]
        assert queue.note(tried, later(seconds)) == ""
        stuck = build.replace(tried, cluster=build.cluster(), runner=build.job(), pods=(_FULL,))
        assert queue.note(stuck, later(seconds + 3))
        if not turn:
            assert queue.note(bad[1], later(seconds + 3)) == ""
            assert queue.note(one("b"), later(seconds + 4))
        queue.note(tried, later(seconds + 5))
    assert [key.name for key in called] == ["y", "z", "b"]


def test_a_run_that_begins_before_its_pods_go_stays() -> None:
    """Its worker may have got the room of another one that gave way."""
    queue = _queue([], "abc")
    assert _leaving(queue, "abc", later(20)) == "bc"
    going = build.replace(_started("c", *_BEGUN), runner=build.job(deleting=True))
    assert queue.note(going, later(21))
    assert queue.gives_way("u-c")
    assert queue.note(_started("b", *_BEGUN), later(21)) == ""
    assert not queue.gives_way("u-b")
    assert queue.note(_started("b", *_BEGUN), later(22)) == ""
    assert "u-b" in queue._holding


FEW = Limits(starts_at_once=2, no_room_seconds=60)


def _few_of_four(called: list[ObjectKey]) -> StartQueue:
    """Return a queue in which a and b were let start, and c and d wait."""
    queue = StartQueue(FEW, called.append)
    queue.open()
    for name in "abcd":
        queue.note(one(name), NOW)
    return queue


def test_few_are_starting_at_a_time() -> None:
    """The others wait; one more than before may start with each that begins."""
    called: list[ObjectKey] = []
    queue = StartQueue(FEW, called.append)
    queue.open()
    assert [bool(queue.note(one(name), NOW)) for name in "abcde"] == [False] * 2 + [True] * 3
    assert "2 runs are starting, and 2 other WorkPlans wait" in queue.note(one("c"), NOW)
    assert queue.note(_started("a", *_BEGUN), later(3)) == ""
    assert [key.name for key in called] == ["c", "d"]
    queue.forget("u-b")  # it proved to need no cluster
    assert [key.name for key in called] == ["c", "d", "e"]


def test_a_pod_without_room_stops_the_growth() -> None:
    """Others wait until it has its place, although one has begun."""
    called: list[ObjectKey] = []
    queue = _few_of_four(called)
    assert queue.note(_started("b"), later(2)) == ""
    assert queue.note(_started("a", *_BEGUN), later(3)) == ""
    assert [key.name for key in called] == ["c"]
    assert queue.note(_started("b", *_BEGUN), later(4)) == ""
    assert [key.name for key in called] == ["c", "d"]


@pytest.mark.parametrize("pods", ["image", "slow"])
def test_a_run_that_waits_for_something_else_keeps_nobody_from_starting(pods: str) -> None:
    """At once if its image cannot be pulled, and after half a minute whatever it is."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(starts_at_once=1), called.append)
    queue.open()
    queue.note(one("a"), NOW)
    assert queue.note(one("b"), NOW)
    pulls = (build.problem(constants.REASON_IMAGE_PULL_FAILED),) if pods == "image" else ()
    slow = _started("a", build.pod(ready=False, problems=pulls))
    queue.note(slow, later(29))
    assert [key.name for key in called] == (["b"] if pulls else [])
    queue.note(slow, later(30))
    assert [key.name for key in called] == ["b"]


def test_runs_that_fit_nowhere_keep_their_places_for_a_while_only() -> None:
    """Until they give way; the first of them, which stays, takes none."""
    called: list[ObjectKey] = []
    queue = _few_of_four(called)
    for name in "ab":
        queue.note(_started(name), later(59))
    assert called == []
    assert _leaving(queue, "ab", later(60)) == "b"
    queue.note(one("b"), later(62))
    assert [key.name for key in called] == ["c"]


def test_after_a_restart_those_that_are_starting_count() -> None:
    """They are noted before another one may start."""
    called: list[ObjectKey] = []
    queue = StartQueue(FEW, called.append)
    queue.note(_started("a", build.pod(ready=False)), NOW)
    queue.note(_started("b", *_BEGUN), NOW)
    for name in "cd":
        assert queue.note(one(name), NOW)
    queue.open()
    assert [key.name for key in called] == ["c"]


def test_a_run_that_proves_to_be_stuck_keeps_nobody_from_starting() -> None:
    """The next one starts at once, and not when it is looked at for another reason."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(starts_at_once=1, no_room_seconds=60), called.append)
    queue.open()
    queue.note(one("a"), NOW)
    assert queue.note(one("b"), NOW)
    for seconds in (10, 60):
        queue.note(_started("a"), later(seconds))
    assert [key.name for key in called] == ["b"]


def test_the_message_has_the_number_that_is_starting() -> None:
    """Which is more than may be when a pod proves to fit on no node."""
    queue = StartQueue(FEW, lambda key: None)
    queue.open()
    for name in "abcdef":
        queue.note(one(name), NOW)
    for name in "ab":
        queue.note(_started(name, *_BEGUN), later(1))
    queue.note(_started("c"), later(2))
    assert "Waits for its start: 4 runs are starting" in queue.note(one("g"), later(3))
    alone = StartQueue(Limits(starts_at_once=1), lambda key: None)
    alone.open()
    alone.note(one("a"), NOW)
    assert "Waits for its start: 1 run is starting" in alone.note(one("b"), NOW)


_SLOW = build.pod(ready=False)


@pytest.mark.parametrize("what", ["takes long", "is suspended", "its cluster is replaced"])
def test_only_a_run_that_begins_lets_more_start_than_before(what: str) -> None:
    """Else the slower the nodes are the more runs would crowd them."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(starts_at_once=1), called.append)
    queue.open()
    for name in "abcd":
        queue.note(one(name), NOW)
    slow = _started("a", _SLOW)
    if what == "is suspended":
        slow = build.with_spec(slow, suspend=True)
    elif what == "its cluster is replaced":
        slow = build.replace(slow, cluster=build.cluster(deleting=later(5)))
    for seconds in (30, 31):
        queue.note(slow, later(seconds))
    assert [key.name for key in called] == ["b"]


def test_a_run_that_begins_late_lets_one_more_start() -> None:
    """A large cluster may take a minute for each image, and has room for many."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(starts_at_once=1), called.append)
    queue.open()
    for name in "abcd":
        queue.note(one(name), NOW)
    queue.note(_started("a", _SLOW), later(30))
    assert [key.name for key in called] == ["b"]
    queue.note(_started("a", *_BEGUN), later(60))
    assert [key.name for key in called] == ["b", "c"]


def test_runs_that_are_to_have_a_cluster_count_after_a_restart() -> None:
    """Others would start beside them at once."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(starts_at_once=1), called.append)
    queue.note(build.with_status(one("a"), WorkPlanStatus(phase="Starting")), NOW)
    queued = build.with_status(one("b", resolution=Unresolved()), WorkPlanStatus(phase="Queued"))
    assert queue.note(queued, NOW)
    queue.open()
    assert called == []


def test_a_run_that_gets_no_cluster_keeps_nobody_from_starting() -> None:
    """It has started, and waits for its store, say: after half a minute others start."""
    queue = StartQueue(Limits(starts_at_once=1), lambda key: None)
    queue.open()
    blocked = Blocked("StoreUnreachable", "away", later(9))
    waits = one("a", resolution=blocked, runner=build.job())
    queue.note(waits, NOW)
    assert queue.note(one("b"), NOW)
    looked_up = build.replace(waits, resolution=Resolving(blocked))
    queue.note(looked_up, later(20))
    queue.note(waits, later(29))
    assert queue.note(one("b"), later(29))
    queue.note(waits, later(30))
    assert queue.note(one("b"), later(30)) == ""
