"""Outcomes of goals: values, digests, URLs, files written on this machine, and failures."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from voxk8s.constants import INLINE_VALUE_BYTES, REASON_OUTPUT_UNAVAILABLE, RUNS_PREFIX
from voxk8s.describe import as_line, describe
from voxk8s.errors import StoreError
from voxk8s.execution.files import target_path, write_file
from voxk8s.execution.inline_values import decode_inline, encode_inline
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.result import GoalOutcome
from voxk8s.execution.run.run_state import RunState, is_failure
from voxk8s.execution.run.run_tracker import RunTracker
from voxk8s.execution.run_config import CacheMode, RunConfig
from voxk8s.failure import NOT_REACHED, RESULT_GONE, Failure, is_transient
from voxk8s.inputs.confinement import is_remote, local_path
from voxk8s.not_finite import not_finite
from voxk8s.plan import KeyGoal, KeyNode, KeyOperation, ResultKey, blockers
from voxk8s.storage import MISS, Miss, Record, ResultStore
from voxk8s.storage.record import read_value
from voxk8s.values import SavedFile, Value

logger = logging.getLogger(__name__)

Fetch = Callable[[ResultKey], Value]
"""Returns the value of a target whose task is still held by the executor; raises ResultVanished."""
Recompute = Callable[[Mapping[ResultKey, KeyNode], ResultKey], Value]
"""Computes one of the results of a graph again, given its nodes."""


class ResultVanished(StoreError):
    """A result that the store, or a worker, held has vanished, or its bytes are corrupt."""


class GoalOutcomes:
    """Collects the outcomes of goals; `fetch` is called for values that the store cannot give.

    `is_reliable` says whether it can give one that it has. Large values are read on demand, perhaps
    long after the run; `recompute` computes those that have vanished by then. Results that
    have vanished already are listed in `vanished`.
    """

    def __init__(
        self,
        config: RunConfig,
        fetch: Fetch,
        recompute: Recompute | None,
        is_reliable: Callable[[ResultKey], bool] = lambda _: True,
    ) -> None:
        self._config = config
        self._fetch = fetch
        self._is_reliable = is_reliable
        self._recompute = recompute
        self.vanished: list[ResultKey] = []

    def pivot_value(self, key: ResultKey, report: Report | None) -> Value:
        """Return the elements of a loop's sequence; elements that are not scalars may be None.

        Raises ResultVanished.
        """
        if report is not None and (encoded := report.value or report.skeleton):
            return decode_inline(encoded)
        if report is not None and not (report.stored and self._is_reliable(key)):
            return self._fetch(key)
        return _load(self._config.store, key)

    def collect(
        self, state: RunState, tracker: RunTracker, stopped: str | None
    ) -> tuple[GoalOutcome, ...]:
        """Return the outcomes of all goals, in their order, and write files of `save` goals."""
        settled = state.settled
        known = [
            goal.key
            for goal in state.graph.goals
            if goal.key is not None and goal.key in settled and settled[goal.key] is None
        ]
        records = self._config.store.records(known, state.began) if known else {}
        made = [self._outcome(goal, state, tracker, stopped, records) for goal in state.graph.goals]
        inputs = _local_inputs(state.graph.nodes.values())
        return tuple(
            self._write(outcome, inputs) if outcome.succeeded else outcome for outcome in made
        )

    def _outcome(
        self,
        goal: KeyGoal,
        state: RunState,
        tracker: RunTracker,
        stopped: str | None,
        records: Mapping[str, Record],
    ) -> GoalOutcome:
        base = GoalOutcome(goal.goal, goal.operation, goal.key)
        if goal.key is None:
            return replace(base, failure=_why_no_key(goal, state, tracker, stopped))
        node = state.graph.nodes[goal.key]
        if not isinstance(node, KeyOperation):
            text = as_line(node.value)
            return replace(base, value=node.value, has_value=True, text=text, cached=True)
        settled = goal.key in state.settled
        report = state.settled[goal.key] if settled else tracker.finals.get(goal.key)
        if report is not None and is_failure(report):
            return replace(base, failure=tracker.failure(report))
        if not settled:
            return replace(base, failure=_not_reached(goal, stopped or "not reached"))
        if report is None:
            return self._known(base, goal.key, records.get(goal.key), state.graph.nodes)
        return self._computed(base, goal.key, report, state.graph.nodes)

    def _known(
        self,
        base: GoalOutcome,
        key: ResultKey,
        record: Record | None,
        nodes: Mapping[ResultKey, KeyNode],
    ) -> GoalOutcome:
        store = self._config.store
        inline: Value | Miss = MISS
        if record is not None and record.inline is not None:
            inline = read_value(record, memoryview(record.inline))
        if record is None or (record.inline is not None and inline is MISS):
            return self._vanished(base, key, f"the result {key} has vanished from the store")
        outcome = replace(
            base,
            digest=record.digest,
            size=record.size,
            media_type=record.media_type,
            url=store.url_of_record(record) if record.inline is None else "",
            text=record.summary or "",
            cached=True,
            loader=self._loader(nodes, key),
            not_finite=record.provenance.not_finite,
        )
        if not isinstance(inline, Miss) and encode_inline(inline) is not None:
            outcome = replace(
                outcome,
                value=inline,
                has_value=True,
                text=as_line(inline),
                not_finite=not_finite(inline),
            )
        return outcome

    def _computed(
        self,
        base: GoalOutcome,
        key: ResultKey,
        report: Report,
        nodes: Mapping[ResultKey, KeyNode],
    ) -> GoalOutcome:
        store = self._config.store
        outcome = replace(
            base,
            digest=report.digest,
            size=report.size,
            media_type=report.media_type,
            text=report.summary,
            cached=report.status is Status.FOUND,
            url=report.url,
            not_finite=report.not_finite,
        )
        if report.stored and (report.media_type or report.size > INLINE_VALUE_BYTES):
            outcome = replace(outcome, url=store.url_of(report.digest))
        if report.value is not None:
            value = decode_inline(report.value)
            return replace(outcome, value=value, has_value=True, not_finite=not_finite(value))
        if report.stored and self._is_reliable(key):
            return replace(outcome, loader=self._loader(nodes, key))
        if self._config.executor.is_local or not report.url:
            try:
                return replace(outcome, value=self._fetch(key), has_value=True)
            except ResultVanished as error:
                return self._vanished(base, key, str(error))
        return replace(outcome, loader=partial(_load_run_file, store, report))

    def _vanished(self, base: GoalOutcome, key: ResultKey, message: str) -> GoalOutcome:
        self.vanished.append(key)
        failure = Failure(message, RESULT_GONE, transient=True, operation=base.operation)
        return replace(base, failure=failure)

    def _loader(self, nodes: Mapping[ResultKey, KeyNode], key: ResultKey) -> Callable[[], Value]:
        store, recompute = self._config.store, self._recompute

        def load() -> Value:
            try:
                return _load(store, key)
            except ResultVanished as error:
                if recompute is None:
                    raise
                logger.warning("%s; it is recomputed", error)
                return recompute(nodes, key)

        return load

    def _write(self, outcome: GoalOutcome, inputs: frozenset[str]) -> GoalOutcome:
        """Write the file of a `save` goal below the output folder, also when it was known."""
        if self._config.output is None or outcome.goal.operation != "save":
            return outcome
        try:
            # Not by its loader: this run is to recompute, and to count, what has vanished.
            if outcome.has_value or outcome.loader is None or outcome.key is None:
                value = outcome.value
            elif self._config.cache is CacheMode.BYPASS:
                value = outcome.load()
            else:
                value = _load(self._config.store, outcome.key)
            if not isinstance(value, SavedFile):
                raise TypeError(f"expected a file from a save goal, got {describe(value)}")
            path = target_path(self._config.output, outcome.goal.name, self._config.confine)
            _refuse_inputs(path, inputs)
            write_file(path, value.data)
        except (OSError, StoreError) as error:
            if isinstance(error, ResultVanished) and outcome.key is not None:
                self.vanished.append(outcome.key)
            reason = getattr(error, "strerror", None) or str(error)
            failure = Failure(
                f"{outcome.goal.name} cannot be written: {reason}",
                REASON_OUTPUT_UNAVAILABLE,
                transient=is_transient(error),
                operation=outcome.operation,
            )
            return replace(outcome, failure=failure)
        return replace(outcome, path=path)


def _refuse_inputs(path: Path, inputs: frozenset[str]) -> None:
    """Raise OSError for a file that would replace an input of the run."""
    if os.path.realpath(path) in inputs:
        raise OSError(errno.EEXIST, "it is an input of this run, which stays as it is")


def _local_inputs(nodes: Iterable[KeyNode]) -> frozenset[str]:
    """Return the files on this machine that a run has read, without links in their paths."""
    pins = [node.pin for node in nodes if isinstance(node, KeyOperation) and node.pin is not None]
    urls = [pin.url for pin in pins if pin.entries is None and not is_remote(pin.url)]
    return frozenset(os.path.realpath(local_path(url)) for url in urls)


def _why_no_key(
    goal: KeyGoal, state: RunState, tracker: RunTracker, stopped: str | None
) -> Failure:
    """Return why a goal never got a key: what it depends on cannot have one, or has failed."""
    graph, blocked = state.graph, state.blocked()
    pivots = {deferred.operation: deferred.pivot for deferred in graph.deferred}
    for operation in sorted(blockers(graph, goal.operation)):
        if operation in blocked:
            return tracker.locate(blocked[operation])
        pivot = pivots.get(operation)
        final = None if pivot is None else tracker.finals.get(pivot)
        if final is not None and final.origin:
            return tracker.failure(final)
    return _not_reached(goal, stopped or "not reached: it depends on a value that was not computed")


def _not_reached(goal: KeyGoal, message: str) -> Failure:
    return Failure(message, NOT_REACHED, transient=True, operation=goal.operation)


def _load_run_file(store: ResultStore, report: Report) -> Value:
    """Read a saved file that is among the files of its run, since no result may be stored."""
    folder, _, path = report.url.removeprefix(f"{store.url}/").partition("/")
    data = store.read_run_file(path) if folder == RUNS_PREFIX else None
    if data is None or sha256(data).hexdigest() != report.digest:
        raise ResultVanished(f"the file {report.url} has vanished, or was changed")
    return SavedFile(data, path[path.rindex(report.key) + len(report.key) :], report.media_type)


def _load(store: ResultStore, key: ResultKey) -> Value:
    value = store.get(key)
    if value is MISS:
        raise ResultVanished(f"the result {key} has vanished from the store {store.url}")
    return value
