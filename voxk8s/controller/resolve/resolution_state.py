"""What the operator knows of a WorkPlan's plan: a closed set of states.

Unresolved -> Resolving -> Blocked (tried again) | Invalid (final) | Resolved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from voxk8s.api import OperationCounts


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Nobody has looked yet, or what was known is out of date."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Something that may come is missing: a ConfigMap, a Secret, the store."""

    reason: str
    message: str
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Resolving:
    """The plan is being read, keyed and looked up.

    `before` is what the last try was blocked by: it is so until the new one has found otherwise.
    """

    before: Blocked | None = None


@dataclass(frozen=True, slots=True)
class Invalid:
    """The plan can never run."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the plan needs.

    `finished` is the runner's part of the status when every goal was found in the store; without
    it work is left. `counts` is what is known of the work before it begins. `width` is how much of
    it can run side by side, None when that is only known to the runner. `store_checked` says
    whether the operator itself could reach the store.
    """

    final_status: dict[str, Any] | None = None
    counts: OperationCounts | None = None
    width: int | None = None
    source_digest: str | None = None
    store_checked: bool = True
    store_message: str = ""


Resolution: TypeAlias = Unresolved | Resolving | Blocked | Invalid | Resolved
