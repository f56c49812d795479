"""Pins the inputs of a plan: what the store remembers first, then by reading them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from voxk8s.errors import StoreError
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.worker import runtime
from voxk8s.failure import is_transient
from voxk8s.inputs import pinning
from voxk8s.inputs.listing import list_folder
from voxk8s.inputs.options import InputOptions
from voxk8s.inputs.pinning import InputStat
from voxk8s.plan import InputRef, OperationId, Pin, Role
from voxk8s.storage import ResultStore

STAT_THREADS = 16
"""Inputs that are asked for their size and version side by side."""

Digests = Callable[[Sequence[str]], list[object]]
"""Digests many inputs by URL; gives a Pin or an exception for each."""


@dataclass(slots=True)
class Pinned:
    """Pins by operation, and why other operations have none."""

    pins: dict[OperationId, Pin] = field(default_factory=dict)
    errors: dict[OperationId, BaseException] = field(default_factory=dict)


def pin(
    refs: Iterable[InputRef],
    options: InputOptions,
    store: ResultStore | None,
    digests: Digests,
    retry: RetryPolicy,
) -> Pinned:
    """Pin inputs, each URL once; `store` is None when nothing may be remembered.

    A file's pin is remembered under its URL, size and version, so that an unchanged input is not
    read again. Folders are listed every time. Raises StoreError if the store does not answer.
    """
    result = Pinned()
    listings = [ref for ref in refs if ref.role is Role.LISTING]
    loads: dict[str, list[OperationId]] = {}
    for ref in refs:
        if ref.role is not Role.LISTING:
            loads.setdefault(str(ref.arguments[0]), []).append(ref.id)
    with ThreadPoolExecutor(STAT_THREADS, thread_name_prefix="voxk8s-stat") as pool:
        listed = pool.map(lambda ref: _try(lambda: _list(ref, options), retry), listings)
        looked = pool.map(lambda url: _try(lambda: _look(url, options, store), retry), loads)
        for ref, outcome in zip(listings, listed, strict=True):
            _settle(result, [ref.id], outcome)
        unread: dict[str, InputStat] = {}
        for url, found in zip(loads, looked, strict=True):
            if isinstance(found, StoreError):
                raise found  # not the input's fault, and all that follows needs the store
            if isinstance(found, InputStat):
                unread[url] = found
            else:
                _settle(result, loads[url], found)
    for (url, state), outcome in zip(unread.items(), digests(list(unread)), strict=True):
        _settle(result, loads[url], outcome)
        if isinstance(outcome, Pin) and store is not None and state.version:
            try:
                store.pin_put(outcome, state.size, state.version)
            except StoreError:
                continue  # it is only remembered to save the next run the reading
    return result


def digest_here(urls: Sequence[str], options: InputOptions, retry: RetryPolicy) -> list[object]:
    """Digest inputs in threads of this process."""
    if not urls:
        return []
    with ThreadPoolExecutor(4, thread_name_prefix="voxk8s-digest") as pool:
        return list(
            pool.map(lambda url: _try(lambda: pinning.pin_input(url, options), retry), urls)
        )


def digest_task(run: str, url: str, retry: RetryPolicy) -> object:
    """Digest one input on a worker, with the worker's own credentials."""
    options = runtime.input_options(run)
    return _try(lambda: pinning.pin_input(url, options), retry)


def _settle(result: Pinned, ids: list[OperationId], outcome: object) -> None:
    for operation in ids:
        if isinstance(outcome, Pin):
            result.pins[operation] = outcome
        elif isinstance(outcome, BaseException):
            result.errors[operation] = outcome
        else:
            result.errors[operation] = TypeError(f"pinning gave {outcome!r}")


def _look(url: str, options: InputOptions, store: ResultStore | None) -> Pin | InputStat:
    found = pinning.stat(url, options)
    if store is not None and found.kind == "file" and found.version:
        known = store.pin_get(url, found.size, found.version)
        if known is not None:
            return known
    if found.kind == "folder":
        return InputStat(url, found.size, "", "folder")
    return found


def _list(ref: InputRef, options: InputOptions) -> Pin:
    return list_folder(*ref.arguments, options=options)  # type: ignore[arg-type]  # checked by the plan


def _try(action: Callable[[], object], retry: RetryPolicy) -> object:
    """Do something with retry; gives its value, or its last exception as a value."""
    failures = 0
    while True:
        try:
            return action()
        except Exception as error:  # noqa: BLE001  # handed over: only goals that need it fail
            failures += 1
            if not is_transient(error) or not retry.allows(failures, error):
                return error
            time.sleep(retry.delay(failures, random.random))
