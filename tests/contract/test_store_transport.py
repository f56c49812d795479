"""Runs and values over a bad line to a real S3 server: overloaded, cut, slow."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

import numpy as np
import pytest

from tests.support.s3 import S3Server
from tests.support.s3_proxy import Fault, S3Proxy, proxied
from voxk8s import ExecutionEngine, WorkPlan, compile_program
from voxk8s.kernels import kernel
from voxk8s.storage import MISS, PutStatus, ResultStore
from voxk8s.storage.backend import Backend
from voxk8s.storage.request_retry import Patience
from voxk8s.storage.store_options import Location
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.timeouts import Timeouts

pytestmark = [pytest.mark.s3, pytest.mark.timeout(300)]

OPERATIONS = 2000
SLOW_DOWN = Fault(503, "SlowDown")
KINDS = {
    "503": (SLOW_DOWN,),
    "409 and 412": (
        Fault(409, "ConditionalRequestConflict"),
        Fault(409, "ConditionalRequestConflict", after=True),
        Fault(412, "PreconditionFailed"),
    ),
    "everything": (
        SLOW_DOWN,
        Fault(503, "SlowDown", after=True),
        Fault(500, "InternalError"),
        Fault(),
        Fault(after=True),
        Fault(delay=0.05, passes=True),
    ),
}


def sometimes(
    share: float, faults: tuple[Fault, ...], methods: tuple[str, ...] = ("GET", "HEAD", "PUT")
) -> Callable[[str, str], Fault | None]:
    """Return what lets a share of all requests fail, the same ones in each run of a test."""
    chance = random.Random(1)

    def fault(method: str, _: str) -> Fault | None:
        if method in methods and chance.random() < share:
            return chance.choice(faults)
        return None

    return fault


def key(name: object) -> str:
    """Return a result key for a test's own word."""
    return hashlib.sha256(repr(name).encode()).hexdigest()


@pytest.mark.parametrize(
    ("share", "kind", "methods"),
    [
        (0.1, "503", ("GET", "HEAD", "PUT")),
        (0.2, "503", ("GET", "HEAD", "PUT")),
        (0.2, "everything", ("GET", "HEAD", "PUT")),
        (0.2, "409 and 412", ("PUT",)),
    ],
)
def test_runs_over_a_bad_line_end_with_right_values(
    s3_server: S3Server, share: float, kind: str, methods: tuple[str, ...]
) -> None:
    """Of 2,000 operations, all succeed, whatever share of the requests fails."""
    lines = [f"let a{i} = {i}.0 + 0.5" for i in range(OPERATIONS)]
    lines += [f'print "r{i}" a{i}' for i in range(OPERATIONS)]
    plan = compile_program("\n".join(lines), name="p.imgql")
    with proxied(s3_server, sometimes(share, KINDS[kind], methods)) as proxy:
        result = ExecutionEngine(proxy.store(), policy="all").execute_workplan(plan)
        assert result.success
        assert proxy.faults.total() > share * OPERATIONS / 2
    assert all(result[f"r{i}"] == i + 0.5 for i in range(OPERATIONS))


def test_large_values_over_a_bad_line_are_right(s3_server: S3Server) -> None:
    """Uploads in parts, reads and listings are complete though a fifth of the requests fails."""
    noise = np.frombuffer(np.random.default_rng(5).bytes(30 << 20), "uint8")
    with proxied(s3_server, sometimes(0.2, KINDS["everything"])) as proxy:
        prefix = "bad-line"
        store = proxy.store(prefix)
        assert store.put(key("noise"), noise).status is PutStatus.CREATED
        ThreadPool(8).map(lambda number: store.put(key(number), number), range(1100))
        assert store.stats().records == 1101
        found = proxy.store(prefix).get(key("noise"))
        assert isinstance(found, np.ndarray)
        assert np.array_equal(found, noise)
        assert proxy.store(prefix).verify().sound


def test_a_failed_look_up_does_not_stop_the_others(s3_server: S3Server) -> None:
    """What the others find is known when the keys are asked for again."""
    store = s3_server.store("look-ups")
    keys = [key(number) for number in range(50)]
    for each in keys:
        store.put(each, 1)
    with proxied(s3_server) as proxy:
        proxy.fault = lambda _, target: (
            Fault(403, "AccessDenied") if keys[7][2:] in target else None
        )
        asking = proxy.store("look-ups")
        with pytest.raises(Exception, match="AccessDenied"):
            asking.contains(keys)
        proxy.fault = lambda *_: None
        proxy.asked.clear()
        assert asking.contains(keys) == set(keys)
        assert proxy.asked.total() == 1


QUICK = Timeouts(connect=2.0, connect_bulk=2.0, small=2.0, idle=1.0, sent=60.0)
"""Far shorter than the large requests below take in all."""


def backend(proxy: S3Proxy, timeouts: Timeouts, patience: Patience | None = None) -> Backend:
    """Return a back end behind a proxy, with time-outs of its own."""
    location = Location("s3", proxy.server.bucket, "slow")
    return Backend(location, proxy.options, timeouts=timeouts, patience=patience)


def test_slow_lines_carry_large_objects(s3_server: S3Server) -> None:
    """At 3 MB/s, 6 MB are written and read with time-outs of one and two seconds."""
    content = np.random.default_rng(2).bytes(6_000_000)
    with proxied(s3_server, bandwidth=3_000_000) as proxy:
        slow = backend(proxy, QUICK)
        slow.write("large", (content,), "text/plain")
        assert slow.create("created", (content[:3_000_000],), "text/plain") is not None
        assert bytes(slow.get("large", bulk=True) or b"") == content
        assert slow.digest("large") == (hashlib.sha256(content).hexdigest(), len(content))


def test_a_line_that_stops_is_noticed(s3_server: S3Server) -> None:
    """An object of which no byte comes for the time-out is read again, on another connection."""
    content = np.random.default_rng(2).bytes(1_000_000)
    with proxied(s3_server) as proxy:
        stalled = backend(proxy, QUICK)
        stalled.write("large", (content,), "text/plain")
        delays = [30.0]
        proxy.fault = lambda method, _: (
            Fault(delay=delays.pop(), passes=True) if method == "GET" and delays else None
        )
        assert bytes(stalled.get("large", bulk=True) or b"") == content
        assert proxy.count("GET", "large") == 2


def test_a_cut_read_goes_on_where_it_was(s3_server: S3Server) -> None:
    """Of 24 MB no byte is sent again, although the line is cut in the middle of each answer."""
    content = np.random.default_rng(2).bytes(24 << 20)
    with proxied(s3_server) as proxy:
        cut = backend(proxy, QUICK)
        cut.write("cut", (content,), "text/plain")
        left = [None, None, None]
        proxy.fault = lambda method, _: (
            Fault(half=True) if method == "GET" and left and left.pop() is None else None
        )
        assert bytes(cut.get("cut", bulk=True) or b"") == content
        assert proxy.count("GET", "cut") == 4
        assert proxy.sent < 1.1 * len(content)


def test_an_object_that_is_replaced_meanwhile_is_read_anew(s3_server: S3Server) -> None:
    """The parts of two objects are never put together."""
    content = bytes(24 << 20)
    with proxied(s3_server) as proxy:
        replaced = backend(proxy, QUICK)
        replaced.write("replaced", (content,), "text/plain")
        asked: list[str] = []

        def fault(method: str, _: str) -> Fault | None:
            if method != "GET":
                return None
            asked.append(method)
            if len(asked) == 2:
                direct = Backend(Location("s3", s3_server.bucket, "slow"), s3_server.options)
                direct.write("replaced", (b"x" * len(content),), "text/plain")
            return Fault(half=True) if len(asked) == 1 else None

        proxy.fault = fault
        found = bytes(replaced.get("replaced", bulk=True) or b"")
        assert found == b"x" * len(content)


def test_values_are_stored_over_a_slow_line(s3_server: S3Server) -> None:
    """A value of 3 MB takes its time, and comes back."""
    noise = np.frombuffer(np.random.default_rng(6).bytes(3_000_000), "uint8")
    with proxied(s3_server, bandwidth=1_500_000) as proxy:
        store: ResultStore = proxy.store("slow-values")
        store.put(key("noise"), noise)
        found = proxy.store("slow-values").get(key("noise"))
        assert found is not MISS
        assert isinstance(found, np.ndarray)
        assert np.array_equal(found, noise)


GOALS = 100
MOST_OTHERS = 3
"""Requests of a run that do not depend on the number of its goals, such as for recorded costs."""


@kernel("transport.noise", version=1)
def noise(seed: float, size: float) -> list[float]:
    """Return numbers that cannot be compressed."""
    return list(np.random.default_rng(int(seed)).random(int(size)))


def _known(server: S3Server, name: str, value: str) -> WorkPlan:
    """Run a plan whose goals have a value each, so that the store knows them."""
    lines = [f"let a{i} = {value.format(i)}" for i in range(GOALS)]
    lines += [f'print "r{i}" a{i}' for i in range(GOALS)]
    plan = compile_program("\n".join(lines), name="p.imgql")
    ExecutionEngine(server.store(name)).execute_workplan(plan)
    return plan


@pytest.mark.parametrize("numbers", [1, 100, 800])
def test_a_known_plan_costs_one_request_a_goal(
    s3_server: S3Server, capsys: pytest.CaptureFixture[str], numbers: int
) -> None:
    """Each goal's record, with a value of up to 8 KiB in it, is read once.

    Beside them, a run of any size sends a few requests.
    """
    plan = _known(s3_server, f"known{numbers}", f"transport.noise({{0}}, {numbers})")
    with proxied(s3_server) as proxy:
        result = ExecutionEngine(proxy.store(f"known{numbers}")).execute_workplan(plan)
        assert result.completed_operations == 0
        assert all(result[f"r{i}"] == noise(i, numbers) for i in range(GOALS))
        records = proxy.count("GET", "/ac/")
        others = proxy.asked.total() - records
    with capsys.disabled():
        print(f"\nknown plan of {GOALS} goals: {records} requests for records, {others} others")
    assert records == GOALS
    assert others <= MOST_OTHERS


def test_a_known_goal_with_a_blob_costs_two_requests(s3_server: S3Server) -> None:
    """Its record is read, and the store is asked whether the blob is there, unchanged.

    A record cannot tell: blobs are shared and collected apart from it, and a goal that is reported
    as known must have its value, or a saved file its URL. The value is read when it is asked for.
    """
    plan = _known(s3_server, "known-blobs", "transport.noise({0}, 3000)")
    with proxied(s3_server) as proxy:
        result = ExecutionEngine(proxy.store("known-blobs")).execute_workplan(plan)
        assert result.completed_operations == 0
        records, blobs = proxy.count("GET", "/ac/"), proxy.count("HEAD", "/cas/")
        assert (records, blobs) == (GOALS, GOALS)
        assert proxy.asked.total() <= 2 * GOALS + MOST_OTHERS
        proxy.asked.clear()
        assert result["r7"] == noise(7, 3000)
        assert (proxy.count("GET", "/ac/"), proxy.count("GET", "/cas/")) == (1, 1)
        assert proxy.asked.total() == 2


def test_requests_that_are_sent_again_are_counted(s3_server: S3Server) -> None:
    """One retry for each failure; the request itself counts once."""
    with proxied(s3_server, sometimes(0.2, (SLOW_DOWN,), ("PUT",))) as proxy:
        store = proxy.store("retries")
        for number in range(40):
            store.put(key(number), number)
        assert store.counts.retries == proxy.faults.total() > 0
        assert store.counts.requests == 40
