"""The object with the recorded costs: cached, shared, and harmless when it is lost."""

from __future__ import annotations

import secrets

from voxk8s.constants import COSTS_PATH
from voxk8s.storage import ResultStore, open_store
from voxk8s.storage.cost_store import CostStore
from voxk8s.storage.kernel_costs import Cost, KernelCosts


def _costs(kernel: str = "a.b", seconds: float = 1.0) -> KernelCosts:
    return KernelCosts({kernel: {5: Cost(1, seconds)}})


def _store() -> ResultStore:
    return open_store(f"memory://{secrets.token_hex(8)}")


def test_costs_are_read_once_a_minute() -> None:
    """Many runs of one process read the object once; later it is read again."""
    store, now = _store(), [0.0]
    costs = CostStore(store._backend, store._own.quarantine, lambda: now[0])
    assert costs.cached() is None
    assert costs.read() == KernelCosts()
    assert costs.cached() == KernelCosts()
    open_store(store.url).costs.add(_costs())
    assert costs.read() == KernelCosts()
    now[0] = 61.0
    assert costs.cached() is None
    assert costs.read() == _costs()


def test_nothing_is_written_for_a_run_that_measured_nothing() -> None:
    """An empty store stays empty."""
    store = _store()
    store.costs.add(KernelCosts())
    assert store._backend.get(COSTS_PATH) is None


def test_what_is_added_is_known_at_once() -> None:
    """The next run of a process does not read the object for what the run before has added."""
    store = _store()
    store.costs.add(_costs())
    assert store.costs.cached() == _costs()
