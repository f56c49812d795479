"""Verification, collection and leases, over memory, a folder, and real servers."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from tests.contract.test_store_conformance import LARGE, damage, flip, key, opener
from tests.support.waiting import wait_until
from voxk8s.errors import InvalidUsage, StoreError
from voxk8s.plan import ResultKey
from voxk8s.storage import MISS, Holder, Limits, Provenance, PutStatus, ResultStore, Selection
from voxk8s.storage.backend import ObjectInfo
from voxk8s.storage.checksummed_json import add_checksum
from voxk8s.storage.layout import blob_path, lease_path, record_path
from voxk8s.storage.record import encode_record

__all__ = ["opener"]

DAY = 86_400.0
Opener = Callable[[], ResultStore]


def later(store: ResultStore, days: float) -> ResultStore:
    """Open a store anew, some days from now."""
    return at(store, lambda: time.time() + days * DAY)


def at(store: ResultStore, clock: Callable[[], float]) -> ResultStore:
    """Open a store anew, with another clock."""
    return ResultStore(
        store._location, store._options, store._options, domains=store.domains, clock=clock
    )


def let_time_pass(found: ObjectInfo) -> None:
    """Wait until an object that is written now is seen to be younger than one that was found."""
    coarse = found.modified.is_integer()
    wait_until(lambda: time.time() > found.modified + (1.1 if coarse else 0.05), seconds=5)


def test_sound_store_is_found_sound(opener: Opener) -> None:
    """Records and blobs are counted, and progress is reported for both."""
    store = opener()
    store.put(key("a"), LARGE)
    store.put(key("b"), 1)
    heard: list[tuple[str, int]] = []
    found = opener().verify(lambda what, count: heard.append((what, count)))
    assert found.sound
    assert (found.records, found.blobs, found.orphans) == (2, 1, 0)
    assert heard == [("blobs", 1), ("records", 2)]


def test_verification_finds_and_sets_aside_what_is_wrong(opener: Opener) -> None:
    """A changed blob, a changed record, a record without blob, and a blob without record."""
    store = opener()
    digests = {name: store.put(key(name), LARGE + ord(name)).digest for name in "abcd"}
    store.put(key("e"), 1)
    damage(store, blob_path(digests["a"]), flip)
    damage(store, record_path(key("e")), flip)
    store._backend.delete(blob_path(digests["b"]))
    store.delete([key("c")])
    found = opener().verify()
    assert not found.sound
    assert set(found.corrupt) == {blob_path(digests["a"]), record_path(key("e"))}
    assert set(found.dangling) == {key("a"), key("b")}
    assert (found.records, found.blobs, found.orphans) == (4, 2, 1)
    assert opener().stats().quarantined == 2
    for name in "abcd":
        store.put(key(name), LARGE + ord(name))
    assert opener().verify().sound


def test_invalidation_deletes_records_and_leaves_blobs(opener: Opener) -> None:
    """Those of a kernel, and of what was computed from its results."""
    store = opener()
    store.put(key("a"), LARGE, Provenance("lab.f", 1))
    store.put(key("b"), LARGE + 1, Provenance("vox1.near", 1, (ResultKey(key("a")),)))
    store.put(key("c"), LARGE + 2, Provenance("vox1.near", 1))
    heard: list[tuple[str, int]] = []
    tried = opener().invalidate(Selection("lab.*"), dry_run=True)
    assert opener().stats().records == 3
    done = opener().invalidate(Selection("lab.*"), tell=lambda *told: heard.append(told))
    assert done == tried
    assert (done.selected, done.dependent, done.left) == (1, 1, 1)
    assert heard == [("records", 3), ("results deleted", 2)]
    stats = opener().stats()
    assert (stats.records, stats.blobs) == (1, 3)
    assert later(store, 3).collect(Limits()).blobs == 2


def test_collection_without_limits_takes_old_orphans_only(opener: Opener) -> None:
    """Blobs that no record names go after the grace period; results and pins stay."""
    store = opener()
    kept, orphan = store.put(key("a"), LARGE), store.put(key("b"), LARGE + 1)
    store.delete([key("b")])
    young = opener().collect(Limits())
    assert (young.results, young.blobs) == (0, 0)
    tried = later(store, 3).collect(Limits(), dry_run=True)
    assert (tried.results, tried.blobs, tried.bytes) == (0, 1, orphan.size)
    assert opener().stats().blobs == 2
    done = later(store, 3).collect(Limits())
    assert (done.blobs, done.bytes, done.blobs_left) == (1, orphan.size, 1)
    assert np.array_equal(opener().get(key("a")), LARGE)  # type: ignore[arg-type]  # an array
    assert opener().read_blob(kept.digest)


def test_results_that_are_not_used_go_with_their_blobs(opener: Opener) -> None:
    """Age counts from the last use: reading an old result makes it young."""
    store = opener()
    store.put(key("used"), LARGE)
    store.put(key("shared"), LARGE)
    store.put(key("unused"), LARGE + 1)
    written = store._backend.head(record_path(key("used")))
    assert written is not None
    last = store._backend.head(record_path(key("unused")))
    assert last is not None
    let_time_pass(last)
    reader = later(store, 1.5)
    assert reader.get(key("used")) is not MISS
    assert reader.flush_access()
    halfway = store._backend.head(record_path(key("used")))
    assert halfway is not None
    now = written.modified + 100 * DAY
    age = now - halfway.modified
    reader = at(store, lambda: now)
    done = reader.collect(Limits(older_than=age))
    assert (done.results, done.blobs) == (2, 1)
    assert opener().contains([key("used"), key("shared"), key("unused")]) == {key("used")}


@pytest.mark.parametrize("use", ["contains", "records", "get"])
def test_every_use_counts(opener: Opener, use: str) -> None:
    """Of many results in daily use none is collected, and only the others are."""
    store = opener()
    used, unused = [key(f"used {n}") for n in range(300)], [key(f"unused {n}") for n in range(5)]
    for each in [*used, *unused]:
        store.put(each, 1)
    last = store._backend.head(record_path(unused[-1]))
    assert last is not None
    let_time_pass(last)
    reader = later(store, 0.6)
    match use:
        case "contains":
            assert len(reader.contains(used)) == len(used)
        case "records":
            assert len(reader.records(used)) == len(used)
        case _:
            assert all(reader.get(each) == 1 for each in used)
    assert reader.flush_access(100)
    limits = Limits(older_than=100 * DAY - 0.001)
    now = last.modified + 100 * DAY
    done = at(store, lambda: now).collect(limits)
    assert (done.results, done.results_left) == (len(unused), len(used))
    assert opener().contains([*used, *unused]) == set(used)


def test_size_limit_is_reached_from_the_oldest(opener: Opener) -> None:
    """Results go until the limit is met, never those within the grace period."""
    store = opener()
    noise = np.random.default_rng(0)
    for number in range(4):
        store.put(key(number), noise.random(2000))
    young = opener().collect(Limits(max_bytes=0))
    assert (young.results, young.results_left) == (0, 4)
    done = later(store, 3).collect(Limits(max_bytes=40_000))
    assert (done.results, done.blobs, done.results_left) == (2, 2, 2)
    assert done.bytes_left <= 40_000
    assert opener().verify().sound


def test_blob_that_is_needed_again_meanwhile_stays(opener: Opener) -> None:
    """A put that relies on an old blob writes it again, and the collection sees that."""
    store = opener()
    store.put(key("a"), LARGE)
    store.delete([key("a")])
    collector = later(store, 3)
    original = collector._backend.list

    def listing(prefix: str) -> object:
        found = list(original(prefix))
        if prefix.startswith("cas/"):
            let_time_pass(found[0])
            later(store, 3).put(key("b"), LARGE)
        return iter(found)

    collector._backend.list = listing  # type: ignore[method-assign,assignment]  # the test's own
    done = collector.collect(Limits())
    assert done.blobs == 0
    assert np.array_equal(opener().get(key("b")), LARGE)  # type: ignore[arg-type]  # an array


def test_lease_is_held_by_one(opener: Opener) -> None:
    """The second asks in vain and hears who holds it; after the release it is free."""
    store = opener()
    first = store.lease(key("x"), "one", label="run a/b")
    second = opener().lease(key("x"), "two")
    assert first.acquire() is None
    holder = second.acquire()
    assert holder is not None
    assert (holder.owner, holder.label) == ("one", "run a/b")
    assert holder.until > time.time()
    second.release()
    assert second.acquire() is not None
    first.release()
    assert second.acquire() is None
    assert store.get(key("x")) is MISS


def test_lease_that_ran_out_is_taken_over(opener: Opener) -> None:
    """Who was away too long has lost it: it cannot renew, and its release does no harm."""
    store = opener()
    first = store.lease(key("x"), "one", seconds=60)
    assert first.acquire() is None
    assert first.acquire() is None
    assert first.renew() is True
    second = later(store, 1).lease(key("x"), "two", seconds=60)
    assert second.acquire() is None
    assert first.renew() is False
    first.release()
    assert second.renew() is True


def test_one_of_many_gets_the_lease(opener: Opener) -> None:
    """Of many that ask at once, new or run out, exactly one gets it."""
    store = opener()
    for days in (0.0, 1.0):
        asking = [later(store, days).lease(key("x"), f"{days} {n}", seconds=60) for n in range(8)]
        barrier = threading.Barrier(len(asking))
        won: list[bool] = []

        def ask(number: int) -> None:
            barrier.wait()  # noqa: B023 - all threads end within the turn
            won.append(asking[number].acquire() is None)  # noqa: B023 - the same

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(asking))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won.count(True) == 1


def test_lease_can_be_taken_from_a_holder_who_has_had_it_too_long(opener: Opener) -> None:
    """It is taken from that holder only, who cannot renew it any more."""
    store = opener()
    first, second = (store.lease(key("x"), owner, seconds=60) for owner in ("one", "two"))
    assert first.acquire() is None
    holder = second.acquire()
    assert holder is not None
    assert holder.seconds == 60
    assert second.acquire(Holder("three", 0.0)) == holder
    assert second.acquire(holder) is None
    assert first.renew() is False
    first.release()
    taken = store.lease(key("x"), "four").acquire()
    assert taken is not None
    assert taken.owner == "two"


def test_spoilt_lease_holds_nothing(opener: Opener) -> None:
    """Bytes that are not a lease are replaced."""
    store = opener()
    store._backend.write(lease_path(key("x")), (b"what?",), "text/plain")
    assert store.lease(key("x"), "one").acquire() is None


def test_probe_finds_conditional_updates(opener: Opener) -> None:
    """Leases can be renewed in all stores, and the probe leaves none behind."""
    store = opener()
    assert store.probe().conditional_updates
    lease = store.lease(key("x"), "one")
    assert lease.acquire() is None
    assert lease.renew() is True


def test_the_release_of_a_stolen_lease_does_no_harm(opener: Opener) -> None:
    """The former owner, who does not know it yet, leaves the lease of its new owner alone."""
    store = opener()
    first, second = (store.lease(key("x"), owner, seconds=60) for owner in ("one", "two"))
    assert first.acquire() is None
    assert second.acquire(second.acquire()) is None
    first.release()
    taken = store.lease(key("x"), "three").acquire()
    assert taken is not None
    assert taken.owner == "two"
    second.release()
    assert store.lease(key("x"), "three").acquire() is None


def test_an_update_succeeds_once(opener: Opener) -> None:
    """Of many updates of one object at once one succeeds, and each gives a new ETag."""
    backend = opener()._backend
    created = backend.create("lease/v1/x", (b"0",), "text/plain")
    assert created is not None
    found = created
    tags = {found.tag}
    for turn in range(20):
        barrier = threading.Barrier(4)
        answers: list[ObjectInfo | None] = []

        def update(number: int) -> None:
            barrier.wait()  # noqa: B023 - all threads end within the turn
            data = b"%d %d" % (turn, number)  # noqa: B023 - S3 makes the ETag of the bytes
            answers.append(backend.update(found, data, "text/plain"))  # noqa: B023

        threads = [threading.Thread(target=update, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [found] = [answer for answer in answers if answer is not None]
        assert found.tag not in tags, turn
        tags.add(found.tag)
        seen = backend.head("lease/v1/x")
        assert seen is not None
        assert seen.tag == found.tag


@pytest.mark.parametrize(
    ("name", "owner", "seconds"), [("x", "a", 1), (None, "", 1), (None, "a", 0)]
)
def test_leases_are_asked_for_properly(
    opener: Opener, name: str | None, owner: str, seconds: float
) -> None:
    """A key that is none, no owner and no time are refused."""
    with pytest.raises(InvalidUsage):
        opener().lease(name or hashlib.sha256().hexdigest(), owner, seconds=seconds)


@pytest.mark.parametrize("path", [record_path(key("a")), blob_path(key("a"))])
def test_a_trial_changes_nothing(opener: Opener, path: str) -> None:
    """Corrupt records stay where they are when nothing is to be deleted."""
    store = opener()
    store.put(key("a"), 1)
    store._backend.write(path, (b"not a record",), "text/plain")
    before = {found.path for found in store._backend.list("")}
    opener().collect(Limits(older_than=0.0, grace=0.0), dry_run=True)
    opener().invalidate(Selection("lab.*"), dry_run=True)
    assert {found.path for found in store._backend.list("")} == before


def test_a_clock_that_is_ahead_is_noticed(opener: Opener) -> None:
    """Results that are in use would look old to it; one that is behind only keeps more."""
    store = opener()
    store.check_clock()
    later(store, -3).check_clock()
    with pytest.raises(StoreError, match="the clock of this machine is 259,"):
        later(store, 3).check_clock()


FORGED = {
    "a digest that is not one": {"digest": "xx"},
    "a digest with a tail": {"digest": "a" * 64 + "/.."},
    "arguments that are no keys": {"provenance": {"arguments": ["zz"]}},
    "less than nothing": {"size": -1},
    "another value inline": {"inline": "AAAA"},
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_records_stop_nobody(opener: Opener, name: str) -> None:
    """A record with a valid checksum and impossible content is corrupt, for every command."""
    store = opener()
    store.put(key("a"), LARGE)
    path = record_path(key("a"))
    data = store._backend.get(path)
    assert data is not None
    document = json.loads(bytes(data))
    del document["seal"]
    forged = add_checksum(json.dumps(document | FORGED[name]).encode())
    for action in (
        lambda: opener().contains([key("a")]),
        lambda: opener().records([key("a")]),
        lambda: opener().get(key("a")),
        lambda: opener().verify(),
        lambda: opener().collect(Limits(older_than=DAY)),
        lambda: opener().invalidate(Selection("lab.*")),
    ):
        store._backend.write(path, (forged,), "application/json")
        action()
        assert store._backend.get(path) is None
    store._backend.write(path, (forged,), "application/json")
    store.put(key("a"), LARGE)
    assert np.array_equal(opener().get(key("a")), LARGE)  # type: ignore[arg-type]  # an array


def test_a_record_of_another_size_does_not_harm_its_blob(opener: Opener) -> None:
    """The bytes have the digest of their name, so the record is wrong: the next put replaces it."""
    store = opener()
    put = store.put(key("a"), LARGE)
    store.put(key("b"), LARGE)
    path = record_path(key("a"))
    record = store.record(key("a"))
    assert record is not None
    for size in (1, put.size - 1, put.size + 1, 1 << 40):
        wrong = msgspec.structs.replace(record, size=size)
        store._backend.write(path, (encode_record(wrong),), "application/json")
        assert opener().get(key("a")) is MISS
        assert opener().put(key("a"), LARGE).status is PutStatus.CREATED
    assert np.array_equal(opener().get(key("b")), LARGE)  # type: ignore[arg-type]  # an array
    assert opener().stats().quarantined == 0


@pytest.mark.parametrize("what", ["record", "blob"])
def test_objects_that_grew_beyond_all_bounds_are_not_read(opener: Opener, what: str) -> None:
    """They are misses, of which no more than a limit is ever in memory, and the next put heals."""
    store = opener()
    put = store.put(key("a"), LARGE)
    path = record_path(key("a")) if what == "record" else blob_path(put.digest)
    store._backend.write(path, [bytes(1 << 20)] * 70, "text/plain")
    reader = opener()
    assert reader.get(key("a")) is MISS
    assert reader.counts.bytes_read < 3 * (65 << 20)
    opener().put(key("a"), LARGE)
    assert np.array_equal(opener().get(key("a")), LARGE)  # type: ignore[arg-type]  # an array
