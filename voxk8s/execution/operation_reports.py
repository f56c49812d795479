"""How operations ended: the failure that is passed to dependents, and the report to the driver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from voxk8s.failure import Failure
from voxk8s.plan import ResultKey
from voxk8s.storage import Counts


class Status(StrEnum):
    """The state of one operation."""

    COMPUTED = "computed"
    """Its kernel ran in this run."""
    FOUND = "found"
    """Its result was stored after this run had looked it up; it was read, not computed."""
    FAILED = "failed"
    """Its kernel failed for good."""
    SKIPPED = "skipped"
    """An operation that it depends on failed, so that it could not run."""
    RETRYING = "retrying"
    """It failed and is retried; another report follows."""
    WAITING = "waiting"
    """Another run is computing it; another report follows."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The substitute for a value that could not be computed.

    Dependents get it as their argument. So a failed operation is not an error of the Dask graph:
    Dask does not remember it, and all other tasks go on. `key` is the operation that failed first.
    """

    key: ResultKey
    failure: Failure


class Report(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a worker tells the driver about one operation; the value itself stays on the worker.

    `value` is the value of a goal if it is plain and small (MessagePack), `summary` the line that
    is printed otherwise, `memory` its size in bytes. `skeleton` has the length and scalars of a
    sequence that is not small. `url` is the address of a saved file that is not a result in the
    store. `origin` is the operation that failed first, `argument` the argument that has no value
    because of it. `holder` is the run that is waited for.
    `started` is in seconds since the epoch. `voxels` is the size of the largest image among the
    arguments of a kernel, or in an input, whose `geometry` is a line for people. `not_finite` is
    what a goal has in it: `NaN` or `an infinity`. `cpu_seconds` is the processor time of the thread
    that called the kernel. `kept` says that the result was stored beside goals, see
    `worker/keeping.py`.
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
    voxels: int = 0
    not_finite: str = ""
    argument: str = ""
    geometry: str = ""
    cpu_seconds: float = 0.0
    kept: bool = False

    @property
    def payload_bytes(self) -> int:
        """About how long the values and messages in it are."""
        size = 0 if self.value is None else len(self.value)
        if self.skeleton is not None:
            size += len(self.skeleton)
        return size if self.failure is None else size + len(self.failure.message)

    @property
    def is_recomputable(self) -> bool:
        """Whether the operation only has to be computed again."""
        return self.failure is not None and self.failure.is_recomputable

    @property
    def is_of_kernel(self) -> bool:
        """Whether an operation has failed that would fail in any run."""
        return self.failure is not None and self.failure.is_of_kernel


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Reports of one process for one run, as they are sent to drivers.

    `numbers` are the counts of what happened at the run's store in that process since it sent the
    last ones. If tasks of several runs share the process, they may include what others of them did.
    """

    run: str
    reports: tuple[Report, ...]
    numbers: tuple[int, ...] = ()

    @property
    def counts(self) -> Counts | None:
        """What happened at the store; None if nothing did."""
        return Counts(*self.numbers) if self.numbers else None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)


def encode_batch(run: str, reports: Iterable[Report], counts: Counts | None = None) -> bytes:
    """Encode reports that a worker sends to drivers."""
    return _encoder.encode(Batch(run, tuple(reports), () if counts is None else counts.numbers))


def decode_batch(data: bytes) -> Batch:
    """Decode reports of `encode_batch`."""
    return _decoder.decode(data)
