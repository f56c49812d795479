"""How far the resolution of a WorkPlan's plan is: a closed set of states.

Unresolved -> Resolving -> Blocked (retried) | Invalid (final) | Resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from voxk8s.api.status import OperationCounts


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Resolution has not started, or its result was dropped."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Something that may still come is missing: a ConfigMap, a Secret, the store."""

    reason: str
    message: str
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Resolving:
    """The plan is being read and looked up in the store.

    `previous` is what blocked the last attempt; it is reported until this attempt ends.
    """

    previous: Blocked | None = None


@dataclass(frozen=True, slots=True)
class Invalid:
    """The plan can never run."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the plan needs.

    `final_status` is the runner's part of the status if the store has the results of all goals,
    else None; `unmet` says how these differ from what is expected. `counts` are the operations
    before the run starts, None if only the runner can count them. `threads` is how many threads the
    work keeps busy, as far as the operator can estimate it; None if only the runner knows.
    `groups` are the workers that worker groups beside the default one are to have. `store_checked`
    is whether the operator itself reached the store.
    """

    final_status: dict[str, Any] | None = None
    unmet: str = ""
    counts: OperationCounts | None = None
    threads: int | None = None
    source_digest: str | None = None
    store_checked: bool = True
    store_message: str = ""
    groups: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TransientFailure:
    """An attempt that failed and is retried after a backoff: it makes the state Blocked."""

    reason: str
    message: str


ResolutionState: TypeAlias = Unresolved | Resolving | Blocked | Invalid | Resolved
ResolveResult: TypeAlias = Resolved | Invalid | TransientFailure
"""What one attempt ends with."""
