"""Invalidation: what is followed, and what stays."""

from __future__ import annotations

import hashlib
import random

from tests.support.plans_and_runs import fresh_store
from voxk8s.plan import ResultKey
from voxk8s.storage import Provenance, Selection


def key(name: str) -> ResultKey:
    """Return a result key by a name."""
    return ResultKey(hashlib.sha256(name.encode()).hexdigest())


def test_what_depends_on_a_wrong_result_goes_with_it() -> None:
    """Along the arguments of records, through any number of them."""
    store = fresh_store()
    store.put(key("a"), 1, Provenance("lab.f", 1))
    before = "a"
    for number in range(50):
        name = f"after{number}"
        store.put(key(name), 2, Provenance("vox1.near", 1, (key(before), key("b"))))
        before = name
    store.put(key("b"), 3, Provenance("vox1.near", 1))
    done = store.invalidate(Selection("lab.f"))
    assert (done.selected, done.dependent, done.left) == (1, 50, 1)
    assert done.by_kernel == {"lab.f": 1, "vox1.near": 50}
    assert store.contains([key("b"), key("a"), key(before)]) == {key("b")}


def test_what_depends_on_a_result_without_a_record_goes_too() -> None:
    """Most intermediate results are not stored; their kernels are named by what is."""
    store = fresh_store()
    made = Provenance("vox1.near", 1, (key("not stored"),), ancestors=("lab.f@1", "vox1.tt@1"))
    store.put(key("a"), 1, made)
    store.put(key("b"), 1, Provenance("vox1.near", 1, ancestors=("lab.ff@1",)))
    assert store.invalidate(Selection("lab.f", 2)).dependent == 0
    done = store.invalidate(Selection("lab.f", 1))
    assert (done.selected, done.dependent, done.left) == (0, 1, 1)


def test_a_dry_run_deletes_nothing() -> None:
    """It returns the same counts."""
    store = fresh_store()
    store.put(key("a"), 1, Provenance("lab.f", 1))
    tried = store.invalidate(Selection("lab.f"), dry_run=True)
    assert store.contains([key("a")])
    assert store.invalidate(Selection("lab.f")) == tried
    assert not store.contains([key("a")])


def test_the_closure_is_that_of_the_graph() -> None:
    """On random graphs, against a search of the obvious kind."""
    source = random.Random(5)
    for _ in range(10):
        store = fresh_store()
        needs = {n: source.sample(range(n), min(n, source.randrange(3))) for n in range(60)}
        wrong = set(source.sample(range(60), 3))
        for n, arguments in needs.items():
            kernel = "lab.f" if n in wrong else "vox1.near"
            store.put(key(str(n)), n, Provenance(kernel, 1, tuple(key(str(a)) for a in arguments)))
        expected = set(wrong)
        for n, arguments in needs.items():
            if expected & {*arguments}:
                expected.add(n)
        done = store.invalidate(Selection("lab.f"))
        assert done.selected + done.dependent == len(expected)
        left = store.contains([key(str(n)) for n in needs])
        assert left == {key(str(n)) for n in needs.keys() - expected}
