"""Computes the result keys of a plan and looks them up, without reading inputs or computing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from voxk8s.api.spec import Cache
from voxk8s.errors import InputNotAllowed, InputUnavailable, InputUnreachable
from voxk8s.inputs import pinning
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.listing import list_folder
from voxk8s.kernels import KernelRegistry, registry
from voxk8s.plan import (
    InputRef,
    KeyGraph,
    KeyOperation,
    OperationId,
    Pin,
    Prefetch,
    Resolution,
    ResultKey,
    Role,
    WorkPlan,
    grow,
    key_graph,
    resolve,
)
from voxk8s.storage import MISS, ResultStore

_THREADS = 16


def resolve_keys(
    plan: WorkPlan,
    store: ResultStore,
    cache: Cache,
    options: InputOptions,
    kernels: KernelRegistry,
) -> tuple[KeyGraph, Resolution]:
    """Return the key graph as far as the store and the state of inputs determine it.

    Loops over known sequences are expanded until there are no more. Only inputs that
    `options` allow are asked for their state. `kernels` are those of the run's image: an operation
    of a kernel whose version there is not known has no key.
    """

    def pin(refs: Sequence[InputRef]) -> Mapping[OperationId, Pin]:
        return _pins(refs, store, options)

    def values_of(graph: KeyGraph, pivots: Sequence[ResultKey]) -> Mapping[ResultKey, object]:
        return _pivot_values(graph, store, cache, pivots)

    graph = grow(key_graph(plan, kernels), pin, values_of)
    return graph, _resolve(graph, store, cache)


def _pins(
    refs: Sequence[InputRef], store: ResultStore, options: InputOptions
) -> dict[OperationId, Pin]:
    """Return the pins that are known without reading an input; the runner creates the others."""

    def pin(ref: InputRef) -> Pin | None:
        url = str(ref.arguments[0])
        try:
            if ref.role is Role.LISTING:
                return list_folder(*ref.arguments, options=options)  # type: ignore[arg-type]  # checked by the plan
            found = pinning.stat(url, options)
        except (InputNotAllowed, InputUnavailable, InputUnreachable):
            return None  # The operator may not read it, or the runner reports the error.
        versioned = found.kind == "file" and found.version
        if not versioned:
            return None
        return store.pin_get(url, found.size, found.version, found.server)

    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(pin, refs))
    return {ref.id: pin for ref, pin in zip(refs, found, strict=True) if pin is not None}


def _resolve(graph: KeyGraph, store: ResultStore, cache: Cache) -> Resolution:
    if cache != "Use":
        return resolve(graph, lambda _: ())
    return resolve(graph, Prefetch(graph, store.contains, registry().is_cheap))


def _pivot_values(
    graph: KeyGraph, store: ResultStore, cache: Cache, pivots: Sequence[ResultKey]
) -> dict[ResultKey, object]:
    """Return the known sequences of loops and addresses of inputs; unknown ones are omitted.

    The store is asked for all of them at once, and read only for those that it holds.
    """
    values: dict[ResultKey, object] = {}
    unlisted = []
    for key in pivots:
        node = graph.nodes[key]
        if isinstance(node, KeyOperation) and node.pin is not None and node.pin.entries is not None:
            values[key] = list(node.pin.entries)
        else:
            unlisted.append(key)
    known = store.contains(unlisted) if cache == "Use" else frozenset()
    found = {key: store.get(key) for key in unlisted if key in known}
    return values | {key: value for key, value in found.items() if value is not MISS}
