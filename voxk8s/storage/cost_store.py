"""The recorded costs of a store: one small object that all runs read and add to.

Nothing depends on it: what cannot be read, or is corrupt, counts as never measured, and what two
runs write at once may be lost on stores without conditional updates.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from voxk8s import constants
from voxk8s.errors import CorruptBlob
from voxk8s.storage.backend import Backend, ObjectInfo, UnsupportedUpdate
from voxk8s.storage.checksummed_json import add_checksum, verify_checksum
from voxk8s.storage.kernel_costs import Cost, KernelCosts
from voxk8s.storage.quarantine import Quarantine

_JSON: Final = "application/json"
_TRIES: Final = 5
_CACHE_SECONDS: Final = 60.0


class _Document(msgspec.Struct):
    costs: dict[str, dict[str, Cost]]


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(_Document)


class CostStore:
    """Reads the costs of a store at most once a minute, and adds to them."""

    def __init__(
        self,
        backend: Backend,
        quarantine: Quarantine,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = backend
        self._quarantine = quarantine
        self._clock = clock
        self._lock = threading.Lock()
        self._cached: tuple[float, KernelCosts] | None = None

    def cached(self) -> KernelCosts | None:
        """Return the costs that were read in the last minute, without a request, or None."""
        cached = self._cached
        return None if cached is None or self._clock() > cached[0] else cached[1]

    def read(self) -> KernelCosts:
        """Return the costs; empty where there are none. Raises StoreError."""
        with self._lock:
            cached = self.cached()
            if cached is None:
                cached, _ = self._read()
                self._keep(cached)
            return cached

    def add(self, costs: KernelCosts) -> None:
        """Add what a run has measured; dropped where too many others write. Raises StoreError."""
        if not len(costs):
            return
        with self._lock:
            for _ in range(_TRIES):
                held, found = self._read()
                merged = held.merged(costs)
                if self._write(found, add_checksum(_encoder.encode(_Document(merged.to_wire())))):
                    self._keep(merged)
                    return

    def is_valid(self) -> bool:
        """Whether recorded costs, where there are any, have their form; damaged ones are moved.

        They go to quarantine, and are measured again. Raises StoreError.
        """
        data = self._backend.get(constants.COSTS_PATH)
        if data is None:
            return True
        try:
            _check(data)
        except CorruptBlob:
            # Read once more, since the connection may be at fault.
            return self._read()[1] is not None
        return True

    def _read(self) -> tuple[KernelCosts, ObjectInfo | None]:
        states: list[ObjectInfo] = []
        data = self._quarantine.read(
            constants.COSTS_PATH,
            _check,
            bulk=False,
            on_valid=lambda found, _: states.append(found),
        )
        if data is None:
            return KernelCosts(), None
        return KernelCosts.from_wire(_decoder.decode(data).costs), states[-1]

    def _write(self, found: ObjectInfo | None, data: bytes) -> bool:
        """Write the object unless another run has changed it; whether it was written."""
        if found is None:
            return self._backend.create(constants.COSTS_PATH, (data,), _JSON) is not None
        with suppress(UnsupportedUpdate):
            return self._backend.update(found, data, _JSON) is not None
        self._backend.write(constants.COSTS_PATH, (data,), _JSON)
        return True

    def _keep(self, costs: KernelCosts) -> None:
        self._cached = (self._clock() + _CACHE_SECONDS, costs)


def _check(data: memoryview) -> None:
    verify_checksum(bytes(data))
    try:
        _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptBlob(f"recorded costs cannot be read: {error}") from error
