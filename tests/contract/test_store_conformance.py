"""What every result store must do, whatever is behind it: memory, a folder, real servers."""

from __future__ import annotations

import hashlib
import pickle
import secrets
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.values import SAMPLES, same
from voxk8s.constants import COSTS_PATH
from voxk8s.errors import BlobMissing, InvalidUsage, UnsupportedValue
from voxk8s.plan.keys.pins import Pin
from voxk8s.plan.model import Digest, ResultKey
from voxk8s.storage import MISS, Provenance, PutStatus, ResultStore, open_store
from voxk8s.storage.kernel_costs import Cost, KernelCosts
from voxk8s.storage.layout import blob_path, record_path
from voxk8s.storage.payload import write_payload
from voxk8s.storage.record import encode_record, make_record
from voxk8s.storage.value_codec import Encoded
from voxk8s.values import Image, SavedFile, Value

LARGE = np.random.default_rng(4).normal(size=(200, 200))


def key(name: object) -> str:
    """Return a result key for a test's own word."""
    return hashlib.sha256(repr(name).encode()).hexdigest()


@pytest.fixture(
    params=[
        "memory",
        "folder",
        pytest.param("s3", marks=pytest.mark.s3),
        pytest.param("redis", marks=pytest.mark.redis),
        "memory-domain",
        "folder-domain",
        pytest.param("s3-domain", marks=pytest.mark.s3),
        pytest.param("redis-domain", marks=pytest.mark.redis),
    ],
)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], ResultStore]:
    """Open the same fresh store again and again, each time with empty caches.

    Also a trust domain of a store, which trusts two others.
    """
    kind, _, is_domain = request.param.partition("-")
    options = None
    if kind in ("s3", "redis"):
        server = request.getfixturevalue(f"{kind}_server")
        url, options = server.url(), server.options
    else:
        url = f"memory://{secrets.token_hex(8)}" if kind == "memory" else str(tmp_path / "s")
    domain, trusts = ("team-a", ("team-b", "shared")) if is_domain else ("shared", ())
    return lambda: open_store(url, domain=domain, trusts=trusts, options=options, env={})


@pytest.fixture
def store(opener: Callable[[], ResultStore]) -> ResultStore:
    """Return one open store."""
    return opener()


def damage(store: ResultStore, path: str, change: Callable[[bytes], bytes]) -> None:
    """Change the bytes of an object behind the store's back."""
    data = store._backend.get(path)
    assert data is not None
    store._backend.write(path, (change(bytes(data)),), "application/octet-stream")


def flip(data: bytes) -> bytes:
    """Change one bit in the middle."""
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def truncate(data: bytes) -> bytes:
    """Drop the last byte."""
    return data[:-1]


@pytest.mark.parametrize("name", SAMPLES)
def test_get_gives_what_was_put(opener: Callable[[], ResultStore], name: str) -> None:
    """Every kind of value comes back equal, with its types, from a fresh store object."""
    value = SAMPLES[name]
    assert opener().put(key(name), value).status is PutStatus.CREATED
    assert same(opener().get(key(name)), value)


def test_large_blob_goes_in_parts(opener: Callable[[], ResultStore]) -> None:
    """A blob beyond the size of one request comes back whole, and is not sent twice."""
    noise = np.frombuffer(np.random.default_rng(5).bytes(20 << 20), "uint8")
    put = opener().put(key("noise"), noise)
    assert opener().put(key("again"), noise).digest == put.digest
    assert same(opener().get(key("again")), noise)
    assert opener().stats().blobs == 1


STREAMED: Value = {
    "noise": np.random.default_rng(8).normal(size=2_500_000).astype("float32"),
    "more": np.random.default_rng(9).integers(0, 1 << 20, 400_000),
    "text": "beside the arrays",
}


def test_large_values_are_streamed(opener: Callable[[], ResultStore]) -> None:
    """A value of many chunks comes back, is known, and is found to exist by the next put."""
    put = opener().put(key("streamed"), STREAMED)
    assert put.status is PutStatus.CREATED
    assert put.size > 8 << 20
    assert opener().contains([key("streamed")])
    assert same(opener().get(key("streamed")), STREAMED)
    assert opener().put(key("streamed"), STREAMED).status is PutStatus.EXISTS
    assert opener().stats().blobs == 1
    assert opener().verify().sound
    data = opener().read_blob(put.digest)
    assert hashlib.sha256(data).hexdigest() == put.digest


@pytest.mark.parametrize(
    "change",
    [
        flip,
        truncate,
        lambda data: b"",
        lambda data: data + b"x",
        lambda data: data + bytes(9 << 20),
        lambda data: data[:4] + b"\x03" + data[5:],
        lambda data: data[:70] + b"\xff\xff\xff\xff" + data[74:],
        lambda data: data[:-4] + bytes(4),
    ],
)
def test_damaged_streams_are_misses_and_mended(
    opener: Callable[[], ResultStore], change: Callable[[bytes], bytes]
) -> None:
    """A large value is handed out only after its last byte was verified."""
    put = opener().put(key("streamed"), STREAMED)
    store = opener()
    damage(store, blob_path(put.digest), change)
    assert store.get(key("streamed")) is MISS
    assert store.counts.corrupt == 1
    assert opener().stats().quarantined == 1
    assert opener().put(key("streamed"), STREAMED).status is PutStatus.EXISTS
    assert same(opener().get(key("streamed")), STREAMED)


def test_values_of_the_first_encoding_are_read(opener: Callable[[], ResultStore]) -> None:
    """What an earlier version stored is the same value, in other bytes: not non-determinism."""
    array = np.cumsum(np.ones(2_000_000)) % 977
    payload = write_payload(array)
    size = payload.size
    header = struct.pack("<4sBB2xQQ40x", b"VXK8", 1, 0, len(payload.tree), size)
    old = Encoded((header, *payload.parts()))
    record, _ = make_record(ResultKey(key("old")), array, None, old)
    backend = opener()._backend
    backend.write(blob_path(record.digest), old.parts, "application/octet-stream")
    backend.write(record_path(key("old")), (encode_record(record),), "application/json")
    found = opener().get(key("old"))
    assert isinstance(found, np.ndarray)
    assert same(found, array)
    assert not found.flags.writeable
    assert opener().contains([key("old")])
    again = opener().put(key("old"), array)
    assert (again.status, again.digest) == (PutStatus.EXISTS, record.digest)
    assert opener().put(key("old"), array + 1).status is PutStatus.NONDETERMINISTIC


def test_unknown_key_is_a_miss(store: ResultStore) -> None:
    """A key without a result gives MISS, which is not None."""
    assert store.get(key("nothing")) is MISS
    assert store.record(key("nothing")) is None


def test_none_is_a_value(store: ResultStore) -> None:
    """None can be stored and is distinct from a miss."""
    store.put(key("none"), None)
    assert store.get(key("none")) is None
    assert store.contains([key("none")]) == {key("none")}


@pytest.mark.parametrize("word", ["", "abc", "A" * 64, "../" + "0" * 61, "0" * 63, "0" * 65])
def test_keys_are_hexadecimal(store: ResultStore, word: str) -> None:
    """Anything but 64 lower-case hexadecimal digits is refused, for every call."""
    for call in (store.get, store.record, lambda k: store.put(k, 1), lambda k: store.contains([k])):
        with pytest.raises(InvalidUsage, match="64 lower-case hexadecimal"):
            call(word)


def test_same_value_again_exists(store: ResultStore) -> None:
    """A second put of an equal value reports it and changes nothing."""
    first = store.put(key("x"), LARGE)
    again = store.put(key("x"), LARGE.copy())
    assert (first.status, again.status) == (PutStatus.CREATED, PutStatus.EXISTS)
    assert first.digest == again.digest


@pytest.mark.parametrize("other", [LARGE + 1, 7])
def test_different_value_is_reported_and_the_first_stays(store: ResultStore, other: Value) -> None:
    """Two values for one key are non-determinism; readers keep seeing the first."""
    first = store.put(key("x"), LARGE)
    second = store.put(key("x"), other)
    assert second.status is PutStatus.NONDETERMINISTIC
    assert (second.digest, second.size) == (first.digest, first.size)
    assert same(store.get(key("x")), LARGE)
    assert store.counts.nondeterministic == 1


def test_replace_writes_the_new_value(opener: Callable[[], ResultStore]) -> None:
    """A replacing put is seen by everybody, and still reports the difference."""
    opener().put(key("x"), LARGE)
    assert opener().put(key("x"), 5, replace=True).status is PutStatus.NONDETERMINISTIC
    assert opener().get(key("x")) == 5


def test_integer_and_float_are_different_values(store: ResultStore) -> None:
    """5 and 5.0 differ, True and 1 differ."""
    store.put(key("x"), 5)
    assert store.put(key("x"), 5.0).status is PutStatus.NONDETERMINISTIC
    store.put(key("y"), True)
    assert store.put(key("y"), 1).status is PutStatus.NONDETERMINISTIC


def test_array_in_other_order_is_the_same_value(store: ResultStore) -> None:
    """The memory layout is not part of a value: Fortran order and strides do not matter."""
    store.put(key("x"), LARGE)
    assert store.put(key("x"), np.asfortranarray(LARGE)).status is PutStatus.EXISTS
    assert store.put(key("x"), LARGE[::-1][::-1]).status is PutStatus.EXISTS


def test_contains_many(opener: Callable[[], ResultStore]) -> None:
    """Contains gives exactly the known keys, whatever they hold, for any iterable."""
    store = opener()
    known = {key(i) for i in range(40)}
    for i in range(40):
        store.put(key(i), i if i % 2 else LARGE + i)
    asked = [key(i) for i in range(80)]
    assert opener().contains(iter(asked)) == known
    assert store.contains([]) == set()


def test_delete_is_seen_by_others_at_once_in_get(opener: Callable[[], ResultStore]) -> None:
    """What another store object deleted is a miss, inline or not, although it was seen before."""
    mine, other = opener(), opener()
    for name, value in (("small", 1), ("large", LARGE)):
        mine.put(key(name), value)
        assert mine.contains([key(name)])
        other.delete([key(name), key("never there")])
        assert mine.get(key(name)) is MISS
        assert mine.contains([key(name)]) == set()


@pytest.mark.parametrize("change", [flip, truncate, lambda data: b""])
def test_corrupt_blob_is_a_miss_and_is_mended(
    opener: Callable[[], ResultStore], change: Callable[[bytes], bytes]
) -> None:
    """Changed bytes are never handed out: set aside, counted, and put again by the next put."""
    put = opener().put(key("x"), LARGE)
    store = opener()
    damage(store, blob_path(put.digest), change)
    assert store.get(key("x")) is MISS
    assert store.counts.corrupt == 1
    assert opener().stats().quarantined == 1
    assert opener().contains([key("x")]) == set()
    assert opener().put(key("x"), LARGE).status is PutStatus.EXISTS
    assert same(opener().get(key("x")), LARGE)


@pytest.mark.parametrize("change", [flip, truncate, lambda data: b"", lambda data: b"{}"])
@pytest.mark.parametrize("value", [LARGE, "inline"])
def test_corrupt_record_is_a_miss_and_is_mended(
    opener: Callable[[], ResultStore], change: Callable[[bytes], bytes], value: Value
) -> None:
    """A record that was changed anywhere is set aside; the next put makes it anew."""
    opener().put(key("x"), value)
    store = opener()
    damage(store, record_path(key("x")), change)
    assert store.contains([key("x")]) == set()
    assert store.get(key("x")) is MISS
    assert opener().stats().quarantined == 1
    assert opener().put(key("x"), value).status is PutStatus.CREATED
    assert same(opener().get(key("x")), value)


def test_record_of_another_key_is_refused(opener: Callable[[], ResultStore]) -> None:
    """A valid record under a wrong key is a miss."""
    store = opener()
    store.put(key("a"), 1)
    data = store._backend.get(record_path(key("a")))
    assert data is not None
    store._backend.write(record_path(key("b")), (data,), "application/json")
    assert opener().get(key("b")) is MISS


def test_record_without_blob_is_a_miss_and_is_mended(opener: Callable[[], ResultStore]) -> None:
    """A blob that is gone makes its result unknown, and the next put completes it."""
    put = opener().put(key("x"), LARGE)
    store = opener()
    assert store.contains([key("x")])
    store._backend.delete(blob_path(put.digest))
    assert store.get(key("x")) is MISS
    assert opener().contains([key("x")]) == set()
    assert opener().put(key("x"), LARGE).status is PutStatus.EXISTS
    assert same(opener().get(key("x")), LARGE)


def test_other_value_takes_the_place_of_a_record_without_blob(
    opener: Callable[[], ResultStore],
) -> None:
    """A record that cannot be completed any more gives way."""
    put = opener().put(key("x"), LARGE)
    opener()._backend.delete(blob_path(put.digest))
    assert opener().put(key("x"), 3).status is PutStatus.CREATED
    assert opener().get(key("x")) == 3


def test_saved_file_is_a_raw_blob(store: ResultStore) -> None:
    """A saved file's blob is the file, under its SHA-256, with its media type."""
    file = SavedFile(b"\x1f\x8bnifti", ".nii.gz", "application/gzip")
    put = store.put(key("f"), file)
    assert put.digest == hashlib.sha256(file.data).hexdigest()
    assert store.read_blob(put.digest) == file.data
    assert store.url_of(put.digest) == f"{store.url}/cas/sha256/{put.digest[:2]}/{put.digest[2:]}"
    record = store.record(key("f"))
    assert record is not None
    assert (record.media_type, record.suffix) == ("application/gzip", ".nii.gz")
    assert store.get(key("f")) == file


def test_missing_blob_is_named(store: ResultStore) -> None:
    """The error of read_blob for an unknown digest names the digest."""
    with pytest.raises(BlobMissing, match=key("no blob")):
        store.read_blob(key("no blob"))


def test_record_tells_provenance_and_summary(store: ResultStore) -> None:
    """Records of many keys come in one call, with where they come from and what they are."""
    image = Image(np.zeros((20, 30, 40), "float32"), (1.0,) * 3, (0.0,) * 3, (1.0,) * 9)
    origin = Provenance(
        kernel="vox1.near", version=2, seconds=0.5, arguments=(ResultKey(key("a")),) * 100
    )
    store.put(key("i"), image, origin)
    store.put(key("n"), 5)
    records = store.records([key("i"), key("n"), key("unknown")])
    assert set(records) == {key("i"), key("n")}
    assert records[key("i")].summary == "image 20x30x40 float32"
    assert records[key("i")].provenance.kernel == "vox1.near"
    assert records[key("i")].provenance.argument_count == 100
    assert len(records[key("i")].provenance.arguments) == 64
    assert records[key("n")].inline is not None


@pytest.mark.parametrize(
    "value", [object(), {1: 2}, np.array([object()]), {"a": {1}}, b"bytes", "\ud800", MISS]
)
def test_what_is_no_value_is_refused(store: ResultStore, value: object) -> None:
    """Nothing is pickled: what has no form of its own is an error, and nothing is stored."""
    with pytest.raises(UnsupportedValue):
        store.put(key("x"), value)  # type: ignore[arg-type]  # what no caller with types gives
    assert store.get(key("x")) is MISS


def test_pickled_store_is_the_same_store(opener: Callable[[], ResultStore]) -> None:
    """A store that went through pickle reads what the first one wrote."""
    store = opener()
    store.put(key("x"), LARGE)
    copy = pickle.loads(pickle.dumps(store))
    assert copy.url == store.url
    assert same(copy.get(key("x")), LARGE)


def test_many_writers_agree_on_one_value(opener: Callable[[], ResultStore]) -> None:
    """Of many that put different values at once exactly one wins, and all read that one."""
    stores = [opener() for _ in range(8)]
    barrier = threading.Barrier(len(stores))
    statuses: dict[int, PutStatus] = {}

    def write(number: int) -> None:
        barrier.wait()
        statuses[number] = stores[number].put(key("race"), LARGE + number).status

    threads = [threading.Thread(target=write, args=(n,)) for n in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [number for number, status in statuses.items() if status is PutStatus.CREATED]
    assert len(winners) == 1
    assert list(statuses.values()).count(PutStatus.NONDETERMINISTIC) == len(stores) - 1
    assert all(same(store.get(key("race")), LARGE + winners[0]) for store in stores)


def test_many_writers_of_one_value_see_no_difference(opener: Callable[[], ResultStore]) -> None:
    """Equal values put at once are created once and exist for the others."""
    stores = [opener() for _ in range(8)]
    barrier = threading.Barrier(len(stores))
    statuses: list[PutStatus] = []

    def write(store: ResultStore) -> None:
        barrier.wait()
        statuses.append(store.put(key("race"), LARGE).status)

    threads = [threading.Thread(target=write, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [PutStatus.CREATED] + [PutStatus.EXISTS] * 7


def test_probe_finds_conditional_writes(store: ResultStore) -> None:
    """All back ends answer and refuse to create an object twice."""
    for _ in range(2):
        probe = store.probe()
        assert (probe.reachable, probe.conditional_writes) == (True, True)


def test_pins_are_remembered_by_state(opener: Callable[[], ResultStore]) -> None:
    """A pin is found for the same URL, size and version only, and not when it was changed."""
    file = Pin("s3://b/é.nii", Digest(key("content")), 12)
    folder = Pin("file:///d", Digest(key("listing")), 2, ("a.nii", "b.nii"))
    store = opener()
    store.pin_put(file, 12, '"etag"')
    store.pin_put(folder, 2, "17")
    assert opener().pin_get(file.url, 12, '"etag"') == file
    assert opener().pin_get(folder.url, 2, "17") == folder
    assert opener().pin_get(file.url, 13, '"etag"') is None
    assert opener().pin_get(file.url, 12, "other") is None


def test_run_files_are_replaced_and_stay_below_runs(store: ResultStore) -> None:
    """A run's file can be written again; no path leaves runs/."""
    url = store.write_run_file("ns/name/uid/results.json", b"1", "application/json")
    assert url == f"{store.url}/runs/ns/name/uid/results.json"
    store.write_run_file("ns/name/uid/results.json", b"22", "application/json")
    assert store.read_run_file("ns/name/uid/results.json") == b"22"
    assert store.read_run_file("ns/name/uid/other.json") is None
    assert store.read_run_file("ns/name/uid/results.json", most=0) == b"2", "of a large file a part"
    for path in ("../x", "/x", "a/../../x", "", "a//b", "a/./b"):
        with pytest.raises(InvalidUsage):
            store.write_run_file(path, b"", "text/plain")


def test_stats_count_what_is_there(store: ResultStore) -> None:
    """Records and blobs are counted with their bytes; shared blobs once."""
    store.put(key("a"), LARGE)
    store.put(key("b"), LARGE)
    store.put(key("c"), 1)
    stats = store.stats()
    assert (stats.records, stats.blobs, stats.quarantined) == (3, 1, 0)
    assert stats.counts.created == 3
    assert stats.record_bytes > 0
    assert stats.blob_bytes > 0


def test_costs_of_many_runs_are_added_up(opener: Callable[[], ResultStore]) -> None:
    """Runs that end one after the other all count, whichever handle wrote them."""
    for seconds in (1.0, 3.0):
        opener().costs.add(KernelCosts({"a.b": {5: Cost(1, seconds)}}))
    opener().costs.add(KernelCosts({"a.c": {5: Cost(1, 1.0)}}))
    assert opener().costs.read() == KernelCosts(
        {"a.b": {5: Cost(2, 2.0)}, "a.c": {5: Cost(1, 1.0)}}
    )


def test_costs_survive_many_writers(opener: Callable[[], ResultStore]) -> None:
    """Runs that end at once leave a valid object, of which at most some additions are missing."""
    names = [f"a.k{number}" for number in range(8)]

    def add(name: str) -> None:
        opener().costs.add(KernelCosts({name: {5: Cost(1, 1.0)}}))

    threads = [threading.Thread(target=add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = opener().costs.read()
    assert len(found)
    assert {kernel for kernel, _, _ in found} <= set(names)


@pytest.mark.parametrize("change", [flip, truncate])
def test_corrupt_costs_are_forgotten(
    opener: Callable[[], ResultStore], change: Callable[[bytes], bytes]
) -> None:
    """They are quarantined, count as never measured, and can be written again."""
    costs = KernelCosts({"a.b": {5: Cost(1, 1.0)}})
    opener().costs.add(costs)
    damage(opener(), COSTS_PATH, change)
    assert opener().costs.read() == KernelCosts()
    opener().costs.add(costs)
    assert opener().costs.read() == costs


def test_what_happens_is_counted(opener: Callable[[], ResultStore]) -> None:
    """By the process that does it: requests, bytes, and what came of them."""
    noise = np.random.default_rng(1).integers(0, 255, 100_000, np.uint8)
    writer, reader = opener(), opener()
    writer.put(key("a"), noise)
    counts = writer.counts
    assert (counts.created, counts.requests, counts.retries) == (1, 2, 0)
    assert counts.bytes_written > 90_000
    reader.get(key("a"))
    reader.get(key("b"))
    reader.contains([key("a"), key("c"), key("d")])
    counts = reader.counts
    assert (counts.hits, counts.misses, counts.known, counts.unknown) == (1, 1, 1, 2)
    assert counts.bytes_read > 90_000
    assert counts.bytes_written == 0
