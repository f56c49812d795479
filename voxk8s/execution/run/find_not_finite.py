"""Finds the operations where NaN and infinities in goals began.

Values are asked for from a goal backwards, the nearest ones first: those that are stored are read,
others computed again, where operations run. A run without NaN does none of it.
"""

from __future__ import annotations

import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from voxk8s.errors import Voxk8sError
from voxk8s.execution.result import ExecutionResult, GoalOutcome
from voxk8s.execution.run.plan_run import PlanRun
from voxk8s.execution.run_config import CacheMode, OnFailure, RunConfig
from voxk8s.execution.source_locations import SourceLocations
from voxk8s.failure import Failure
from voxk8s.not_finite import NotFinite
from voxk8s.plan import KeyGraph, KeyOperation, OperationId, ResultKey, result_graph
from voxk8s.plan.keys.not_finite_keys import ORIGIN_KERNEL, origin_key, probe
from voxk8s.storage import MISS, Provenance

logger = logging.getLogger(__name__)

_MOST_GOALS: Final = 20
"""Of more goals only what they have in them is said."""
_MOST_VALUES: Final = 20_000
"""Values that are looked at for one goal."""
_WIDEST: Final = 256
"""Values that are asked for at once, if the arguments of one operation are not more."""

Probe = Callable[[Iterable[ResultKey]], Mapping[ResultKey, str]]
"""Returns what is in values, as far as they can be had: `NaN`, `an infinity` or nothing."""


def find_not_finite(
    result: ExecutionResult,
    graph: KeyGraph,
    config: RunConfig,
    places: Mapping[OperationId, object] | None,
) -> tuple[NotFinite, ...]:
    """Return the goals of a run with NaN or infinities in them, and where these began."""
    locations = SourceLocations(places)
    locations.graph = graph
    found: list[NotFinite] = []
    for outcome in result.goals:
        if outcome.not_finite and outcome.succeeded:
            goal = NotFinite(outcome.goal.name, outcome.not_finite)
            if len(found) < _MOST_GOALS:
                goal = _with_origin(goal, outcome, graph, config)
            located = locations.locate(Failure("", operation=goal.operation), goal.operation)
            found.append(replace(goal, place=located.place))
    return tuple(found)


def origin(
    graph: KeyGraph, key: ResultKey, found: str, ask: Probe
) -> tuple[KeyOperation, str] | None:
    """Return the operation where what is in a result began, and what it gave; None if unknown."""
    known = {key: found}
    width = 1
    while True:
        node = graph.nodes[key]
        if not isinstance(node, KeyOperation):
            return None
        waiting = [each for each in _arguments(graph, key) if each not in known]
        if waiting:
            if len(known) + len(waiting) > _MOST_VALUES:
                return None
            near = islice(_ancestors(graph, key, known), max(width, len(waiting)))
            known.update(ask(list(dict.fromkeys([*waiting, *near]))))
            width = min(2 * width, _WIDEST)
        # What cannot be had is no reason: something else was taken in its place.
        bad = next((each for each in _arguments(graph, key) if known.get(each)), None)
        if bad is None:
            return node, known[key]
        key = bad


def _with_origin(
    goal: NotFinite, outcome: GoalOutcome, graph: KeyGraph, config: RunConfig
) -> NotFinite:
    """Return what is said of a goal, with the operation where it began, if that can be found."""
    key = outcome.key
    node = None if key is None else graph.nodes.get(key)
    if key is None or not isinstance(node, KeyOperation):
        return goal
    start = node.arguments[0] if node.suffix is not None else key
    stores = config.cache is CacheMode.USE
    try:
        held = config.store.get(origin_key(start)) if stores else MISS
        if isinstance(held, Mapping):
            return goal.with_members(held)
        began = origin(graph, start, outcome.not_finite, _prober(graph, config))
        if began is None:
            return goal
        first, what = began
        url = first.pin.url if first.pin is not None else ""
        goal = replace(goal, began=what, kernel=first.kernel, operation=first.operation, input=url)
        if stores:
            provenance = Provenance(kernel=ORIGIN_KERNEL, version=1, arguments=(start,))
            config.store.put(origin_key(start), goal.members(), provenance)
    except Voxk8sError as error:
        logger.warning("where %s in %s began cannot be found: %s", goal.found, goal.goal, error)
    return goal


def _prober(graph: KeyGraph, config: RunConfig) -> Probe:
    """Return the function that asks for values in a run of its own."""
    cache = CacheMode.BYPASS if config.cache is CacheMode.BYPASS else CacheMode.USE
    quiet = replace(config, cache=cache, output=None, on_failure=OnFailure.CONTINUE)

    def ask(keys: Iterable[ResultKey]) -> Mapping[ResultKey, str]:
        probes = {each: probe(each) for each in keys}
        nodes = {**graph.nodes, **{each.key: each for each in probes.values()}}
        asked = result_graph(nodes, *(each.key for each in probes.values()))
        run = PlanRun(uuid.uuid4().hex, asked, quiet, (), recomputes=False)
        outcomes = run.execute().goals
        return {
            key: str(outcome.load()) if outcome.succeeded else ""
            for key, outcome in zip(probes, outcomes, strict=True)
        }

    return ask


def _arguments(graph: KeyGraph, key: ResultKey) -> list[ResultKey]:
    """Return the arguments of an operation that are operations; constants are finite."""
    return [
        each
        for each in graph.nodes[key].arguments
        if isinstance(graph.nodes.get(each), KeyOperation)
    ]


def _ancestors(
    graph: KeyGraph, key: ResultKey, known: Mapping[ResultKey, str]
) -> Iterable[ResultKey]:
    """Yield the operations below an operation whose values are not known, the nearest first."""
    seen = {key}
    waiting = deque([key])
    while waiting:
        for each in _arguments(graph, waiting.popleft()):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
                if each not in known:
                    yield each
