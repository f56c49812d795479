"""What a report shows of a run: frozen values, all times in seconds, moments since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from voxk8s.failure import Failure
from voxk8s.plan import OperationId


class Counts(msgspec.Struct, frozen=True):
    """Distinct operations that the goals need; `unneeded` lie below what was known."""

    total: int = 0
    known: int = 0
    computed: int = 0
    failed: int = 0
    pending: int = 0
    unneeded: int = 0


class Origin(msgspec.Struct, frozen=True):
    """How a known result came to be, as its record tells."""

    created: float
    version: str = ""


class Preview(msgspec.Struct, frozen=True):
    """A small picture of a goal."""

    data: bytes
    media_type: str


class Goal(msgspec.Struct, frozen=True):
    """An output of the plan.

    `value` is what `print` shows. A file's `link` leads there from the page, `address` says where
    it is; either may be empty. `digest` is the SHA-256 of `size` bytes. `error` is why there is
    neither.
    """

    name: str
    kind: Literal["print", "save"]
    value: str = ""
    link: str = ""
    address: str = ""
    digest: str = ""
    size: int = 0
    media_type: str = ""
    known: bool = False
    origin: Origin | None = None
    preview: Preview | None = None
    error: str = ""


class Incident(msgspec.Struct, frozen=True):
    """Something that went wrong on the way, and `count` times so."""

    what: str
    message: str
    count: int = 1


class Operation(msgspec.Struct, frozen=True, gc=False):
    """An operation that was done; `found`: read from the store, since another run was faster."""

    operation: OperationId
    kernel: str
    started: float
    seconds: float
    bytes: int = 0
    worker: str = ""
    attempts: int = 1
    stored: bool = False
    found: bool = False


class KernelTotal(msgspec.Struct, frozen=True):
    """All operations of one kernel together; `bytes` are those of the largest value."""

    kernel: str
    count: int
    seconds: float
    longest: float
    bytes: int


class Run(msgspec.Struct, frozen=True):
    """A run that is over.

    `operations` are those whose times are told one by one, `folded` the sums of all others.
    `places` has the places of operations in a program, by their ids.
    """

    title: str
    started: float
    seconds: float
    outcome: Literal["succeeded", "failed", "stopped"]
    counts: Counts
    message: str = ""
    goals: tuple[Goal, ...] = ()
    failures: tuple[Failure, ...] = ()
    excerpts: Mapping[str, str] = {}
    """The lines of the program at the places of failures, by place."""
    incidents: tuple[Incident, ...] = ()
    operations: tuple[Operation, ...] = ()
    folded: tuple[KernelTotal, ...] = ()
    places: Mapping[OperationId, object] = {}
    program: str = ""
    """The text that the plan was made from, if it was made from one."""
    facts: tuple[tuple[str, str], ...] = ()
    """Settings and versions, by name."""
