"""The goals of a run for its report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from voxk8s import report
from voxk8s.describe import as_line
from voxk8s.errors import StoreError
from voxk8s.execution.result import GoalOutcome
from voxk8s.failure import NOT_REACHED
from voxk8s.history.pictures import Pictures
from voxk8s.plan import ResultKey
from voxk8s.storage import ResultStore

_log = logging.getLogger(__name__)
_MOST: Final = 1000


def show_goals(
    outcomes: Sequence[GoalOutcome],
    link_of: Callable[[GoalOutcome], str],
    origins: Mapping[ResultKey, report.Origin],
    picture_of: Pictures,
) -> tuple[report.Goal, ...]:
    """Return goals in their order, each with its link, its origin and its picture."""
    return tuple(
        _goal(each, link_of, None if each.key is None else origins.get(each.key), picture_of)
        for each in outcomes
    )


def known_since(
    store: ResultStore, outcomes: Sequence[GoalOutcome]
) -> Mapping[ResultKey, report.Origin]:
    """Return when known results were computed, as far as their records say.

    An error of the store is logged and ignored.
    """
    keys = [each.key for each in outcomes if each.cached and each.key is not None and each.digest]
    try:
        records = store.records(keys[:_MOST])
    except StoreError as error:
        _log.warning("the report lacks the origin of known results: %s", error)
        return {}
    return {
        ResultKey(key): report.Origin(record.provenance.created, record.provenance.voxk8s_version)
        for key, record in records.items()
        if record.provenance.created
    }


def _goal(
    outcome: GoalOutcome,
    link_of: Callable[[GoalOutcome], str],
    origin: report.Origin | None,
    picture_of: Pictures,
) -> report.Goal:
    name, kind = outcome.goal.name, outcome.goal.operation
    if outcome.failure is not None:
        failure = outcome.failure
        unreached = failure.reason == NOT_REACHED
        return report.Goal(name, kind, error=str(failure), unreached=unreached)
    value = outcome.text
    if outcome.has_value and not value:
        value = as_line(outcome.value)
    return report.Goal(
        name,
        kind,
        value,
        link_of(outcome),
        outcome.digest,
        outcome.size,
        outcome.media_type,
        outcome.cached,
        origin,
        picture_of(outcome),
    )
