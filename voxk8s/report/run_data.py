"""What a report shows of a run: frozen values; durations in seconds, times since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import msgspec

from voxk8s.failure import Failure
from voxk8s.plan import OperationId

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number of things or of bytes; one that is read is checked."""


class Counts(msgspec.Struct, frozen=True):
    """Distinct operations that the goals need; `unneeded` are below known ones."""

    total: Count = 0
    known: Count = 0
    computed: Count = 0
    failed: Count = 0
    pending: Count = 0
    unneeded: Count = 0


class Origin(msgspec.Struct, frozen=True):
    """When and by which version a known result was computed."""

    created: float
    version: str = ""


class Preview(msgspec.Struct, frozen=True):
    """A small picture of a goal, and what it shows, in words."""

    data: bytes
    media_type: str
    caption: str = ""


class Goal(msgspec.Struct, frozen=True):
    """An output of the plan.

    `value` is the output of `print`. `link` is the relative link to a file, or empty. `digest` is
    the SHA-256 of `size` bytes. `error` is set for a failed goal, and for one that is `unreached`
    since the run was stopped.
    """

    name: str
    kind: Literal["print", "save"]
    value: str = ""
    link: str = ""
    digest: str = ""
    size: int = 0
    media_type: str = ""
    known: bool = False
    origin: Origin | None = None
    preview: Preview | None = None
    error: str = ""
    unreached: bool = False


class Incident(msgspec.Struct, frozen=True):
    """A problem that did not end the run, and how often it occurred."""

    what: str
    message: str
    count: int = 1


class Operation(msgspec.Struct, frozen=True, gc=False):
    """An operation that has ended; `found` means that another run had stored its result.

    `cpu_seconds` is the processor time of the thread that computed it.
    """

    operation: OperationId
    kernel: str
    started: float
    seconds: float
    bytes: int = 0
    worker: str = ""
    attempts: int = 1
    stored: bool = False
    found: bool = False
    failed: bool = False
    cpu_seconds: float = 0.0


class InputFile(msgspec.Struct, frozen=True):
    """A file that the run has read: its name, the SHA-256 of `size` bytes, and what is in it."""

    name: str
    digest: str = ""
    size: Count = 0
    content: str = ""


class GraphNode(msgspec.Struct, frozen=True):
    """One operation, or several of one kernel that are drawn as one; `seconds` of all together.

    `place` is where they are in the program. `skipped` of them belong to items that a loop went on
    without; `rest` were not needed, or not done. `code` is the line of the program.
    """

    kernel: str
    place: str = ""
    computed: int = 0
    known: int = 0
    failed: int = 0
    rest: int = 0
    seconds: float = 0.0
    skipped: int = 0
    code: str = ""

    @property
    def count(self) -> int:
        """The number of operations."""
        return self.computed + self.known + self.failed + self.skipped + self.rest


class Graph(msgspec.Struct, frozen=True):
    """The operations of a run; `edges` are pairs of indices, an argument and what needs it.

    `summary` says by what operations were summed up, if by more than their place in a program.
    `members` are the nodes of operations, by id and kernel; `goals` those of the goals of the run.
    """

    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()
    summary: str = ""
    members: Mapping[tuple[OperationId, str], int] = {}
    goals: tuple[int | None, ...] = ()

    def node_of(self, operation: Operation) -> int | None:
        """Return the index of an operation's node; None if it is not drawn."""
        return self.members.get((operation.operation, operation.kernel))


class Usage(msgspec.Struct, frozen=True, gc=False):
    """What a run used at a time: busy processor cores, bytes of memory, and worker processes."""

    time: float
    cores: float
    memory: int
    workers: int = 1


class KernelTotal(msgspec.Struct, frozen=True):
    """The total of one kernel; `bytes` is the size of the largest value.

    `cpu_seconds` is the processor time of the threads that called it.
    """

    kernel: str
    count: Count
    seconds: float
    longest: float
    bytes: Count
    cpu_seconds: float = 0.0


class StoreUse(msgspec.Struct, frozen=True):
    """What a run did at the store: looked keys up, read and stored values, repaired results.

    `different` values were not stored, since the store had another one; bytes are as stored.
    """

    known: int = 0
    unknown: int = 0
    hits: int = 0
    misses: int = 0
    created: int = 0
    existing: int = 0
    different: int = 0
    corrupt: int = 0
    healed: int = 0
    requests: int = 0
    retries: int = 0
    bytes_read: int = 0
    bytes_written: int = 0


class Run(msgspec.Struct, frozen=True):
    """A finished run.

    `operations` are listed one by one, `folded` are the totals of all others. `places` are the
    places of operations in the program, by operation id.
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
    store: StoreUse = StoreUse()
    places: Mapping[OperationId, object] = {}
    program: str = ""
    """The text of the program, if the plan was compiled from one."""
    inputs: tuple[InputFile, ...] = ()
    graph: Graph = Graph()
    usage: tuple[Usage, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    repeat: str = ""
    """The command that runs the program again."""
    facts: tuple[tuple[str, str], ...] = ()
    """Settings, by name."""
