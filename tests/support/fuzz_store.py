"""Fuzzed records, pins, leases, costs and blobs: the keys of a domain suffice to write them."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from typing import Final

import msgspec
import numpy as np

from tests.support.fuzz_images import damaged_bytes
from tests.support.images import image
from voxk8s.constants import COSTS_PATH
from voxk8s.errors import CorruptBlob
from voxk8s.plan import Pin
from voxk8s.plan.model import Digest, ResultKey
from voxk8s.storage import PutStatus, ResultStore, open_store
from voxk8s.storage.checksummed_json import add_checksum
from voxk8s.storage.layout import lease_path, pin_path, record_path
from voxk8s.storage.open_backend import open_backend
from voxk8s.storage.record import Provenance, decode_record, encode_record, make_record
from voxk8s.storage.store_options import StoreOptions, parse_url
from voxk8s.storage.value_codec import HEAD_SIZE, decode, encode, payload_digest
from voxk8s.values import SavedFile, Value

_STORE: Final = "memory://fuzz"
KEY: Final = ResultKey("a" * 64)
_ODD: Final[tuple[object, ...]] = (
    *(0, -1, 2**31, 2**63, 2**64, 1e308, -0.5, True, None, "", "a", "../../x", "\x1b[2J", "b" * 64),
    *([], {}, [[]], {"a": 1}, "\ud800", "x" * 9000, ["a"] * 100),
)
_MOST: Final = 1 << 28
"""Bytes of the largest value that is decoded here."""


@cache
def values() -> tuple[Value, ...]:
    """Return values of all kinds that are stored."""
    rng = np.random.default_rng(1)
    some: list[Value] = [1, [2.5, "a"], {"b": None}]
    more: list[Value] = [image(np.ones((2, 3), np.uint8)), 1.0]
    return (
        *(1.5, True, "text", None, some),
        rng.random((4, 5, 6)).astype(np.float32),
        np.zeros((3, 4), np.bool_),
        np.repeat(np.arange(70_000, dtype=np.float64), 2),
        image(rng.random((4, 5, 6)).astype(np.float32)),
        more,
    )


def record(source: random.Random) -> object:
    """Return a record: damaged as bytes, or forged, with members that are odd, and a checksum."""
    value = source.choice((*values(), SavedFile(b"{}", ".json", "application/json")))
    found, _ = make_record(KEY, value, Provenance(kernel="addition", arguments=(KEY,)))
    data = encode_record(found)
    if source.random() < 0.3:
        return damaged_bytes(data, source)
    return forged(source, data)


def forged(source: random.Random, sealed: bytes) -> bytes:
    """Return a document with odd members, and the checksum that they should have."""
    members = msgspec.json.decode(sealed)
    members.pop("seal")
    _spoil(source, members)
    try:
        body = msgspec.json.encode(members)
    except UnicodeEncodeError:
        body = b'{"format":1,"key":"\xed\xa0\x80"}'
    if source.random() < 0.1:
        body = damaged_bytes(body, source)
    return add_checksum(body)


def _spoil(source: random.Random, members: dict[str, object]) -> None:
    for _ in range(source.randrange(1, 4)):
        name = source.choice(("extra", *members))
        found = members.get(name)
        if isinstance(found, dict) and found and source.random() < 0.8:
            _spoil(source, found)
        elif source.random() < 0.2:
            members.pop(name, None)
        else:
            members[name] = deepcopy(source.choice(_ODD))


def read_record(given: object) -> None:
    """Look a record up, and read what it says: it is a miss, or that of its key."""
    assert isinstance(given, bytes)
    try:
        found = decode_record(given, KEY)
    except CorruptBlob:
        found = None
    with _planted({record_path(KEY): given}) as store:
        looked = store.records([KEY])
        assert found is not None or not looked
        for each in looked.values():
            assert each.key == KEY
            assert each.size >= 0
            store.url_of_record(each)
        store.get(KEY)
        store.verify()
        assert store.put(KEY, 2.5, replace=True).status in PutStatus
        assert store.get(KEY) == 2.5


def pin(source: random.Random) -> object:
    """Return a pin, damaged or forged, and something in the place of a lease and of costs."""
    sound = add_checksum(msgspec.json.encode(Pin("s3://b/x", Digest("b" * 64), 5)))
    return damaged_bytes(sound, source) if source.random() < 0.3 else forged(source, sound)


def read_pin(given: object) -> None:
    """Ask for a pin, for a lease and for costs, all of which are these bytes, and use them."""
    assert isinstance(given, bytes)
    state = "s3://b/x", 5, "v"
    paths = (pin_path(*state), lease_path(KEY), COSTS_PATH)
    with _planted(dict.fromkeys(paths, given)) as store:
        found = store.pin_get(*state)
        assert found is None or (found.url == state[0] and found.size >= 0)
        store.costs.add(store.costs.read())
        store.lease(KEY, "me").acquire()
        store.verify()


def blob(source: random.Random) -> object:
    """Return an encoded value, damaged, or with a head that promises something else."""
    data = encode(source.choice(values())).join()
    if source.random() < 0.7:
        return damaged_bytes(data, source)
    head = bytearray(data[:HEAD_SIZE])
    place = source.choice((8, 16))
    number = source.choice((0, 1, 2**16, 2**31, 2**36, 2**63, 2**64 - 1))
    head[place : place + 8] = struct.pack("<Q", number)
    return bytes(head) + data[HEAD_SIZE:]


def decode_blob(given: object) -> None:
    """Decode a value; one that can be read can be written, and read again as the same."""
    assert isinstance(given, bytes)
    written = encode(decode(given, max_bytes=_MOST))
    again = encode(decode(written.join()))
    assert again.payload_digest() == written.payload_digest() == payload_digest(written.join())


@contextmanager
def _planted(contents: Mapping[str, bytes]) -> Iterator[ResultStore]:
    """Open a store with these contents, by path."""
    backend = open_backend(parse_url(_STORE), StoreOptions())
    for path, data in contents.items():
        backend.write(path, (data,), "application/json")
    yield open_store(_STORE)
    for left in list(backend.list("")):
        backend.delete(left.path)
