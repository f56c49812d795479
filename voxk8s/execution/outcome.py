"""What came of operations: the failure that flows to dependents and the report to the driver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

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
    is sticky and everything else goes on. `key` is the operation that failed first. `missing` says
    that a record of the store was gone when it was needed, which computing it again mends.
    """

    key: ResultKey
    error: str
    message: str
    transient: bool = False
    missing: bool = False


class Report(msgspec.Struct, frozen=True, array_like=True):
    """What the driver learns about one operation; the value itself stays where it is.

    `value` is the value of a goal when it is plain and small (MessagePack), `summary` the line that
    stands for it otherwise, `memory` its size in bytes. `skeleton` is what a loop must know of a
    sequence that is not small. `url` is where a saved file lies that is no result in the store. Of
    a failure `origin` is the operation that failed first. `started` is in seconds since the epoch.
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
    error: str = ""
    message: str = ""
    transient: bool = False
    missing: bool = False
    worker: str = ""
    url: str = ""
    skeleton: bytes | None = None


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Reports of one process for one run, as they cross the wire."""

    run: str
    reports: tuple[Report, ...]


MESSAGE_LENGTH = 4000
"""Longer messages are cut in the middle: they go to drivers, statuses and logs."""


def message_of(error: BaseException) -> str:
    """Say what an exception says, in a bounded number of characters that can be encoded.

    Names of files may have bytes that are no text, and a message of somebody else may fail.
    """
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  # whatever it is, the exception itself is what counts
        text = ""
    text = text.strip() or type(error).__name__
    if len(text) > MESSAGE_LENGTH:
        half = MESSAGE_LENGTH // 2
        text = f"{text[:half]} … {text[-half:]}"
    return text.encode("utf-8", "backslashreplace").decode()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)


def encode_batch(run: str, reports: Iterable[Report]) -> bytes:
    """Encode reports for the way from a worker to the drivers."""
    return _encoder.encode(Batch(run, tuple(reports)))


def decode_batch(data: bytes) -> Batch:
    """Decode what `encode_batch` made."""
    return _decoder.decode(data)
