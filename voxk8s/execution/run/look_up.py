"""Gives keys to all operations that can have one: pins inputs, writes out loops."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from voxk8s.execution.config import CacheMode, Config
from voxk8s.execution.executors import Session
from voxk8s.execution.run.pin_inputs import Pinned, digest_here, digest_task, pin
from voxk8s.execution.run.run_state import RunState
from voxk8s.execution.run.run_tracker import Ledger
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.failure import failure_of
from voxk8s.kernels import registry
from voxk8s.plan import InputRef, KeyGraph, OperationId, Pin, Prefetch, ResultKey, grow


def grow_graph(state: RunState, pin_inputs: Callable[[Sequence[InputRef]], Pinned]) -> None:
    """Expand the graph of a run by the pins of its inputs and by the values of its pivots.

    Inputs that cannot be pinned are remembered with their failures and not tried again.
    """

    def pin_new(refs: Sequence[InputRef]) -> Mapping[OperationId, Pin]:
        new = [ref for ref in refs if ref.id not in state.input_failures]
        pinned = pin_inputs(new) if new else Pinned()
        state.input_failures |= {
            ref.id: failure_of(
                pinned.errors[ref.id], kernel=ref.operator or ref.role.value, operation=ref.id
            )
            for ref in new
            if ref.id in pinned.errors
        }
        return pinned.pins

    def values_of(_: KeyGraph, pivots: Sequence[ResultKey]) -> Mapping[ResultKey, object]:
        return {pivot: state.pivots[pivot] for pivot in pivots if pivot in state.pivots}

    state.graph = grow(state.graph, pin_new, values_of)


def pin_for(
    run: str, config: Config, session: Callable[[], Session], refs: Sequence[InputRef]
) -> Pinned:
    """Pin inputs for a run; what nobody remembers is read by the workers, if they are elsewhere."""

    def digests(urls: Sequence[str]) -> list[object]:
        if config.executor.is_local or not urls:
            return digest_here(urls, config.inputs, config.retry)
        return session().map(digest_task, [(run, url, config.retry) for url in urls])

    remembers = config.store if config.cache is not CacheMode.BYPASS else None
    return pin(refs, config.inputs, remembers, digests, config.retry)


def lookup(config: Config, ledger: Ledger, state: RunState) -> Prefetch:
    """Ask the store, or only what this run has stored, or nobody: as the cache mode says.

    What was gone when it was read is not known before this run has stored it again, whatever the
    store remembers: a worker has found out, and the store is asked here.
    """
    graph = state.graph
    match config.cache:
        case CacheMode.USE:
            lost = state.gone.keys() - ledger.durable

            def ask(keys: Collection[ResultKey]) -> set[str]:
                return config.store.contains(keys) - lost

            return Prefetch(graph, ask if lost else config.store.contains, registry().is_cheap)
        case CacheMode.REFRESH:
            return Prefetch(graph, ledger.durable.intersection)
        case CacheMode.BYPASS:
            return Prefetch(graph, lambda _: ())


def store_token(config: Config) -> str:
    """Name the store among those of a process: this very one here, by its URL elsewhere."""
    url = config.store.url
    return f"{url}#{id(config.store)}" if config.executor.is_local else url


def run_spec_for(run: str, config: Config, asked: float) -> RunSpec:
    """Make what tasks are told; `asked` is when the store was asked what it holds."""
    return RunSpec(
        id=run,
        store_token=store_token(config),
        store=None if config.executor.is_local else config.store,
        reads=config.cache is CacheMode.USE,
        writes=config.cache is not CacheMode.BYPASS,
        replaces=config.cache is CacheMode.REFRESH,
        store_policy=config.policy,
        retry=config.retry,
        looked_up_at=asked,
        run_folder=config.run_folder if config.cache is CacheMode.BYPASS else None,
        lease_seconds=config.lease_seconds if config.cache is CacheMode.USE else 0.0,
        lease_owner=config.run_folder or run,
        label=config.label,
    )
