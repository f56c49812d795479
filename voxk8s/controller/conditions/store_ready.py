"""StoreReady: whether the result store answers and accepts the credentials."""

from __future__ import annotations

from voxk8s import constants
from voxk8s.api import find_condition
from voxk8s.constants import STORE_READY
from voxk8s.controller.conditions.claim import Claim
from voxk8s.controller.observed import Observed
from voxk8s.controller.resolution import Blocked, Resolved, Resolving

STORE_REASONS = frozenset(
    {constants.REASON_STORE_UNREACHABLE, constants.REASON_STORE_ACCESS_DENIED}
)


def store_ready(observed: Observed) -> Claim:
    """Say what the operator, or the runner where the operator may not look, found out."""
    status, runner = observed.workplan.status, observed.runner
    driven = runner is not None and not runner.deleting and not runner.finished
    if driven and status.waiting is not None and status.waiting.reason in STORE_REASONS:
        return Claim(STORE_READY, "False", status.waiting.reason, status.waiting.message)
    match observed.resolution:
        case Blocked(reason, message) | Resolving(Blocked(reason, message)) if (
            reason in STORE_REASONS
        ):
            return Claim(STORE_READY, "False", reason, message)
        case Resolved(store_checked=True, store_message=message):
            reason = (
                constants.REASON_CONDITIONAL_WRITES_UNSUPPORTED
                if message
                else constants.REASON_STORE_CONNECTED
            )
            return Claim(STORE_READY, "True", reason, message or "The store answers.")
        case _:
            pass
    # What a runner that is gone has said may be so no more.
    if status.outcome is not None or (driven and status.operations is not None):
        return _connected(observed)
    return _as_before(observed) or Claim(
        STORE_READY, "Unknown", constants.REASON_ACCEPTED, "The store was not asked yet."
    )


def _connected(observed: Observed) -> Claim:
    """Give what counts where the runner works: nothing of it comes about without a store."""
    old = _as_before(observed)
    if old is not None and old.status == "True":
        return old
    return Claim(STORE_READY, "True", constants.REASON_STORE_CONNECTED, "The store answers.")


def _as_before(observed: Observed) -> Claim | None:
    old = find_condition(observed.workplan.status.conditions, STORE_READY)
    return Claim(STORE_READY, old.status, old.reason, old.message) if old else None
