"""What came of operations: the failure that flows to dependents and the report to the driver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from voxk8s.failure import Failure
from voxk8s.plan import ResultKey


class Status(StrEnum):
    """How one operation ended."""

    COMPUTED = "computed"
    """Its kernel ran in this run."""
    FOUND = "found"
    """Somebody stored its result after this run had looked: read instead of computed."""
    FAILED = "failed"
    """Its kernel failed for good."""
    SKIPPED = "skipped"
    """Something below it failed, so that it could not run."""
    RETRYING = "retrying"
    """It failed and is tried again; another report follows."""
    WAITING = "waiting"
    """Another run computes it at this moment; another report follows."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The place of a value that could not be computed.

    It travels to dependents as their argument, so a failure is no error of the task graph: nothing
    is sticky and everything else goes on. `key` is the operation that failed first.
    """

    key: ResultKey
    failure: Failure


class Report(msgspec.Struct, frozen=True, array_like=True):
    """What the driver learns about one operation; the value itself stays where it is.

    `value` is the value of a goal when it is plain and small (MessagePack), `summary` the line that
    stands for it otherwise, `memory` its size in bytes. `skeleton` is what a loop must know of a
    sequence that is not small. `url` is where a saved file lies that is no result in the store. Of
    a failure `origin` is the operation that failed first. `holder` is the run that is waited for.
    `started` is in seconds since the epoch.
    """

    key: str
    status: Status
    kernel: str = ""
    seconds: float = 0.0
    attempts: int = 1
    started: float = 0.0
    memory: int = 0
    stored: str = ""
    digest: str = ""
    size: int = 0
    media_type: str = ""
    value: bytes | None = None
    summary: str = ""
    origin: str = ""
    failure: Failure | None = None
    holder: str = ""
    worker: str = ""
    url: str = ""
    skeleton: bytes | None = None

    @property
    def is_recomputable(self) -> bool:
        """Whether the operation only has to be computed once more."""
        return self.failure is not None and self.failure.is_recomputable


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Reports of one process for one run, as they cross the wire."""

    run: str
    reports: tuple[Report, ...]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)


def encode_batch(run: str, reports: Iterable[Report]) -> bytes:
    """Encode reports for the way from a worker to the drivers."""
    return _encoder.encode(Batch(run, tuple(reports)))


def decode_batch(data: bytes) -> Batch:
    """Decode what `encode_batch` made."""
    return _decoder.decode(data)
