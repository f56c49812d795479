"""Reads the recorded costs of a store, without waiting for a store that does not answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping

from voxk8s.errors import StoreError
from voxk8s.kernels import registry
from voxk8s.plan import KeyNode, KeyOperation, ResultKey, Role
from voxk8s.storage import ResultStore
from voxk8s.storage.kernel_costs import KernelCosts

logger = logging.getLogger(__name__)


def are_worth_reading(nodes: Mapping[ResultKey, KeyNode], compute: Collection[ResultKey]) -> bool:
    """Whether not all operations to compute are cheap, so that their costs matter."""
    kernels = {
        node.kernel
        for node in map(nodes.get, compute)
        if isinstance(node, KeyOperation) and node.role in (Role.COMPUTE, Role.GEOMETRY)
    }
    return not all(map(registry().is_cheap, kernels))


def recorded_costs(store: ResultStore, wait_seconds: float) -> KernelCosts | None:
    """Return the recorded costs; None if the store does not answer within `wait_seconds`.

    What comes later is there for the next call.
    """
    costs = store.costs.cached()
    if costs is None:
        reader = threading.Thread(target=_read, args=(store,), name="voxk8s-costs", daemon=True)
        reader.start()
        reader.join(wait_seconds)
        costs = store.costs.cached()
    return costs


def _read(store: ResultStore) -> None:
    try:
        store.costs.read()
    except StoreError as error:
        logger.debug("recorded costs cannot be read: %s", error)
