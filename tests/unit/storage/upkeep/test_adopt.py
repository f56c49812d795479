"""Results of one domain in another."""

from __future__ import annotations

import secrets

import numpy as np
import pytest

from tests.support.values import same
from voxk8s.storage import MISS, Adoption, Provenance, ResultStore, open_store
from voxk8s.storage.layout import blob_path, record_path
from voxk8s.values import SavedFile, Value

KEYS = [f"{number:064x}" for number in range(6)]
VALUES: list[Value] = [
    1,
    np.random.default_rng(1).normal(size=20_000),
    SavedFile(b"file", ".json", "application/json"),
    np.random.default_rng(2).normal(size=5_000_000),
]


@pytest.fixture
def url() -> str:
    """Return the URL of an empty store."""
    return f"memory://{secrets.token_hex(8)}"


@pytest.fixture
def shared(url: str) -> ResultStore:
    """Return the shared domain, with some results."""
    store = open_store(url, env={})
    for number, value in enumerate(VALUES):
        store.put(KEYS[number], value, Provenance(f"lab.k{number}"))
    return store


def team(url: str) -> ResultStore:
    """Open the domain that adopts."""
    return open_store(url, domain="team-a", env={})


def test_results_are_copied_with_their_blobs(url: str, shared: ResultStore) -> None:
    """Afterwards the domain has them itself, and trusts nobody."""
    tried = team(url).adopt("shared", dry_run=True)
    assert not list(team(url)._backend.list(""))
    heard: list[tuple[str, int]] = []
    done = team(url).adopt("shared", tell=lambda *told: heard.append(told))
    assert tried == done == Adoption(4, done.bytes, 0, 0, 0)
    assert done.bytes > 32 << 20
    assert heard == [("records", 4)]
    shared.delete(KEYS)
    store = team(url)
    assert store.contains(KEYS) == set(KEYS[:4])
    for number, value in enumerate(VALUES):
        assert same(store.get(KEYS[number]), value)
    record = store.record(KEYS[1])
    assert record is not None
    assert record.provenance.kernel == "lab.k1"
    assert store.url_of_record(record).startswith(f"{url}/domains/team-a/cas/")
    assert store.verify().sound


def test_what_the_domain_has_stays(url: str, shared: ResultStore) -> None:
    """Another value is counted; the same is not copied again."""
    team(url).put(KEYS[0], 2)
    team(url).put(KEYS[1], VALUES[1])
    done = team(url).adopt("shared")
    assert (done.results, done.existing, done.different, done.unreadable) == (2, 1, 1, 0)
    assert team(url).get(KEYS[0]) == 2
    assert shared.get(KEYS[0]) == 1


def test_only_results_of_some_kernels(url: str, shared: ResultStore) -> None:
    """By a pattern of their names."""
    assert team(url).adopt("shared", kernel="lab.k[01]").results == 2
    assert team(url).contains(KEYS) == set(KEYS[:2])
    assert shared.contains(KEYS) == set(KEYS[:4])


@pytest.mark.parametrize("change", [b"", b"x" * 5000])
def test_nothing_corrupt_is_adopted(url: str, shared: ResultStore, change: bytes) -> None:
    """Nor moved in the domain that it comes from."""
    record = shared.record(KEYS[1])
    assert record is not None
    blob = blob_path(record.digest)
    size = record.size if change else 0
    shared._backend.write(blob, (change[:1] * size,), "text/plain")
    shared._backend.write(record_path(KEYS[0]), (change,), "text/plain")
    done = team(url).adopt("shared")
    assert (done.results, done.unreadable) == (2, 2)
    assert team(url).get(KEYS[1]) is MISS
    assert shared._backend.head(blob) is not None
    assert shared._backend.head(record_path(KEYS[0])) is not None


def test_what_is_incomplete_is_completed(url: str, shared: ResultStore) -> None:
    """A blob that is missing in the new domain is copied too."""
    team(url).adopt("shared")
    record = shared.record(KEYS[1])
    assert record is not None
    team(url)._backend.delete(blob_path(record.digest))
    assert team(url).adopt("shared").results == 1
    assert same(team(url).get(KEYS[1]), VALUES[1])
