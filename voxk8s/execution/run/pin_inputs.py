"""Pins the inputs of a plan: by what the store remembers, else by reading them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from voxk8s.errors import StoreError
from voxk8s.execution.executors.protocol import Session
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.run_config import CacheMode, RunConfig
from voxk8s.execution.worker import runtime
from voxk8s.failure import is_transient
from voxk8s.formats.sandbox.server_process import prepare_decoders
from voxk8s.inputs import pinning
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.listing import list_folder
from voxk8s.inputs.pinning import InputStat
from voxk8s.plan import InputRef, OperationId, Pin, Role
from voxk8s.storage import ResultStore

STAT_THREADS = 16
"""How many inputs are asked for their size and version in parallel."""

Digests = Callable[[Sequence[str]], list[object]]
"""Digests inputs by URL; returns a Pin or an exception for each."""


@dataclass(slots=True)
class PinResult:
    """Pins by operation, and the errors of operations that have none."""

    pins: dict[OperationId, Pin] = field(default_factory=dict)
    errors: dict[OperationId, BaseException] = field(default_factory=dict)


def pin_inputs(
    refs: Iterable[InputRef],
    options: InputOptions,
    store: ResultStore | None,
    digests: Digests,
    retry: RetryPolicy,
) -> PinResult:
    """Pin inputs, each URL once; `store` is None when no pins may be stored.

    A file's pin is stored under its URL, server, size and version, so that an unchanged input is
    not read again. Folders are listed every time. Raises StoreError if the store does not answer.
    """
    result = PinResult()
    listings = [ref for ref in refs if ref.role is Role.LISTING]
    loads: dict[str, list[OperationId]] = {}
    for ref in refs:
        if ref.role is not Role.LISTING:
            loads.setdefault(str(ref.arguments[0]), []).append(ref.id)
    with ThreadPoolExecutor(STAT_THREADS, thread_name_prefix="voxk8s-stat") as pool:
        listed = pool.map(lambda ref: _retry(lambda: _list(ref, options), retry), listings)
        looked = pool.map(lambda url: _retry(lambda: _stat(url, options, store), retry), loads)
        for ref, outcome in zip(listings, listed, strict=True):
            _settle(result, [ref.id], outcome)
        unread: dict[str, InputStat] = {}
        for url, found in zip(loads, looked, strict=True):
            if isinstance(found, StoreError):
                raise found  # the store failed, not the input
            if isinstance(found, InputStat):
                unread[url] = found
            else:
                _settle(result, loads[url], found)
    for (url, state), outcome in zip(unread.items(), digests(list(unread)), strict=True):
        _settle(result, loads[url], outcome)
        if isinstance(outcome, Pin) and store is not None and state.version:
            try:
                store.pin_put(outcome, state.size, state.version, state.server)
            except StoreError:
                continue  # the pin only saves the next run from reading the input
    return result


def pin_for_run(
    config: RunConfig,
    refs: Sequence[InputRef],
    run: str = "",
    session: Callable[[], Session] | None = None,
) -> PinResult:
    """Pin inputs; unknown ones are digested by the workers of a session if these are remote."""

    def digests(urls: Sequence[str]) -> list[object]:
        if session is None or config.executor.is_local or not urls:
            return digest_locally(urls, config.inputs, config.retry)
        return session().map(digest_task, [(run, url, config.retry) for url in urls])

    store = config.store if config.cache is not CacheMode.BYPASS else None
    return pin_inputs(refs, config.inputs, store, digests, config.retry)


def digest_locally(urls: Sequence[str], options: InputOptions, retry: RetryPolicy) -> list[object]:
    """Digest inputs in threads of this process."""
    if not urls:
        return []
    # What is read now is decoded in this process soon, unless its results are known.
    prepare_decoders()
    with ThreadPoolExecutor(4, thread_name_prefix="voxk8s-digest") as pool:
        return list(
            pool.map(lambda url: _retry(lambda: pinning.pin_input(url, options), retry), urls)
        )


def digest_task(run: str, url: str, retry: RetryPolicy) -> object:
    """Digest one input on a worker, with the worker's own credentials."""
    options = runtime.input_options(run)
    return _retry(lambda: pinning.pin_input(url, options), retry)


def _settle(result: PinResult, ids: list[OperationId], outcome: object) -> None:
    for operation in ids:
        if isinstance(outcome, Pin):
            result.pins[operation] = outcome
        elif isinstance(outcome, BaseException):
            result.errors[operation] = outcome
        else:
            result.errors[operation] = TypeError(f"expected a pin, got {outcome!r}")


def _stat(url: str, options: InputOptions, store: ResultStore | None) -> Pin | InputStat:
    found = pinning.stat(url, options)
    if store is not None and found.kind == "file" and found.version:
        known = store.pin_get(url, found.size, found.version, found.server)
        if known is not None:
            return known
    if found.kind == "folder":
        return InputStat(url, found.size, "", "folder")
    return found


def _list(ref: InputRef, options: InputOptions) -> Pin:
    return list_folder(*ref.arguments, options=options)  # type: ignore[arg-type]  # checked by the plan


def _retry(action: Callable[[], object], retry: RetryPolicy) -> object:
    """Call a function with retries; return its value or its last exception."""
    failures = 0
    while True:
        try:
            return action()
        except Exception as error:  # noqa: BLE001  # returned: only goals that need the input fail
            failures += 1
            if not is_transient(error) or not retry.allows(failures, error):
                return error
            time.sleep(retry.delay(failures, random.random))
