"""Hands goals out: values, digests and addresses, files written here, and reasons of failures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from voxk8s.constants import INLINE_VALUE_BYTES
from voxk8s.describe import as_line, describe
from voxk8s.errors import StoreError
from voxk8s.execution.config import Config
from voxk8s.execution.files import target_path, write_file
from voxk8s.execution.inline_values import decode_inline, encode_inline
from voxk8s.execution.outcome import Report, Status
from voxk8s.execution.result import Failure, GoalOutcome
from voxk8s.execution.retry import is_transient
from voxk8s.execution.run.run_state import is_failure
from voxk8s.execution.run.run_tracker import Ledger
from voxk8s.plan import (
    Goal,
    InputRef,
    KeyGoal,
    KeyGraph,
    KeyOperation,
    OperationId,
    ResultKey,
    blockers,
)
from voxk8s.storage import MISS, Miss, Record, ResultStore
from voxk8s.storage.record_codec import read_value
from voxk8s.values import SavedFile, Value

logger = logging.getLogger(__name__)

Fetch = Callable[[ResultKey], Value]
"""Brings the value of a target whose task is still held."""
Remake = Callable[[Goal], Value]
"""Computes the value of a goal once more."""


class ResultGone(StoreError):
    """A result that the store held is not there any more, or its bytes are spoilt."""


class Delivery:
    """Makes the outcomes of goals; `fetch` is asked only for what is not in the store.

    Values that are large are read when they are asked for, perhaps long after the run; `remake`
    computes what is gone by then. What is gone already is in `gone`.
    """

    def __init__(self, config: Config, fetch: Fetch, remake: Remake | None) -> None:
        self._config = config
        self._fetch = fetch
        self._remake = remake
        self.gone: list[ResultKey] = []

    def pivot(self, key: ResultKey, report: Report | None) -> Value:
        """Give what a loop must know of its sequence; images in it stay where they are.

        Raises ResultGone.
        """
        if report is not None and report.value is not None:
            return decode_inline(report.value)
        if report is not None and report.skeleton is not None:
            return decode_inline(report.skeleton)
        if report is not None and not report.stored:
            return self._fetch(key)
        return _load(self._config.store, key)

    def outcomes(
        self,
        graph: KeyGraph,
        settled: Mapping[ResultKey, Report | None],
        errors: Mapping[OperationId, BaseException],
        ledger: Ledger,
        stopped: str | None,
    ) -> tuple[GoalOutcome, ...]:
        """Make the outcomes of all goals, in their order, and write files."""
        known = [
            goal.key
            for goal in graph.goals
            if goal.key is not None and goal.key in settled and settled[goal.key] is None
        ]
        records = self._config.store.records(known) if known else {}
        made: list[GoalOutcome] = []
        for goal in graph.goals:
            outcome = self._outcome(graph, goal, settled, errors, ledger, stopped, records)
            made.append(self._write(outcome) if outcome.error is None else outcome)
        return tuple(made)

    def _outcome(
        self,
        graph: KeyGraph,
        goal: KeyGoal,
        settled: Mapping[ResultKey, Report | None],
        errors: Mapping[OperationId, BaseException],
        ledger: Ledger,
        stopped: str | None,
        records: Mapping[str, Record],
    ) -> GoalOutcome:
        base = GoalOutcome(goal.goal, goal.operation, goal.key)
        if goal.key is None:
            return _waiting(base, graph, errors, ledger, stopped)
        node = graph.nodes[goal.key]
        if not isinstance(node, KeyOperation):
            text = as_line(node.value)
            return replace(base, value=node.value, has_value=True, text=text, cached=True)
        report = settled[goal.key] if goal.key in settled else ledger.final(goal.key)
        if goal.key not in settled and not is_failure(report):
            return replace(base, error=stopped or "not reached", transient=True)
        if report is None:
            return self._known(base, goal.key, records.get(goal.key))
        if is_failure(report):
            origin = ledger.failed(ResultKey(report.origin)) or report
            cause = graph.nodes.get(ResultKey(report.origin))
            operation = cause.operation if isinstance(cause, KeyOperation) else goal.operation
            return replace(
                base, error=ledger.explain(origin, operation), transient=origin.transient
            )
        return self._computed(base, goal.key, report)

    def _known(self, base: GoalOutcome, key: ResultKey, record: Record | None) -> GoalOutcome:
        store = self._config.store
        inline: Value | Miss = MISS
        if record is not None and record.inline is not None:
            inline = read_value(record, memoryview(record.inline))
        if record is None or (record.inline is not None and inline is MISS):
            self.gone.append(key)
            return replace(
                base, error=f"the result {key} was in the store and is gone", transient=True
            )
        outcome = replace(
            base,
            digest=record.digest,
            size=record.size,
            media_type=record.media_type,
            url=store.url_of(record.digest) if record.inline is None else "",
            text=record.summary or "",
            cached=True,
            loader=self._loader(base.goal, key),
        )
        if not isinstance(inline, Miss) and encode_inline(inline) is not None:
            outcome = replace(outcome, value=inline, has_value=True, text=as_line(inline))
        return outcome

    def _computed(self, base: GoalOutcome, key: ResultKey, report: Report) -> GoalOutcome:
        store = self._config.store
        outcome = replace(
            base,
            digest=report.digest,
            size=report.size,
            media_type=report.media_type,
            text=report.summary,
            cached=report.status is Status.FOUND,
            url=report.url,
        )
        if report.stored and (report.media_type or report.size > INLINE_VALUE_BYTES):
            outcome = replace(outcome, url=store.url_of(report.digest))
        if report.value is not None:
            return replace(outcome, value=decode_inline(report.value), has_value=True)
        if report.stored:
            return replace(outcome, loader=self._loader(base.goal, key))
        if self._config.executor.is_local or not report.url:
            return replace(outcome, value=self._fetch(key), has_value=True)
        return outcome

    def _loader(self, goal: Goal, key: ResultKey) -> Callable[[], Value]:
        store, remake = self._config.store, self._remake

        def load() -> Value:
            try:
                return _load(store, key)
            except ResultGone as error:
                if remake is None:
                    raise
                logger.warning("%s; it is computed again", error)
                return remake(goal)

        return load

    def _write(self, outcome: GoalOutcome) -> GoalOutcome:
        """Write the file of a `save` goal below the output folder, known or new."""
        if self._config.output is None or outcome.goal.operation != "save":
            return outcome
        try:
            # Not by its loader: what is gone is to be computed, and counted, by this run.
            if outcome.loader is None or outcome.key is None:
                value = outcome.value
            else:
                value = _load(self._config.store, outcome.key)
            if not isinstance(value, SavedFile):
                raise TypeError(f"a save goal gave {describe(value)}")
            path = target_path(self._config.output, outcome.goal.name, self._config.confine)
            write_file(path, value.data)
        except (OSError, StoreError) as error:
            if isinstance(error, ResultGone) and outcome.key is not None:
                self.gone.append(outcome.key)
            reason = getattr(error, "strerror", None) or str(error)
            return replace(
                outcome,
                error=f"{outcome.goal.name} cannot be written: {reason}",
                transient=is_transient(error),
            )
        return replace(outcome, path=path)

    @staticmethod
    def input_failures(
        graph: KeyGraph, errors: Mapping[OperationId, BaseException], ledger: Ledger
    ) -> Iterator[Failure]:
        """Give inputs that have no pin, and operations that can never be done, as failures."""
        for operation, error in errors.items():
            if operation in graph.unpinned:
                message = ledger.locate(operation, _input_error(graph, operation, error))
                kernel = input_name(graph.unpinned[operation])
                name = type(error).__name__
                yield Failure(operation, kernel, message, is_transient(error), error=name)
        for operation, message in graph.rejected.items():
            yield Failure(operation, "", ledger.locate(operation, message))


def input_name(ref: InputRef) -> str:
    """Name the kernel of an input that has no key."""
    return ref.operator or ref.role.value


def _input_error(graph: KeyGraph, operation: OperationId, error: BaseException) -> str:
    name = input_name(graph.unpinned[operation]) if operation in graph.unpinned else "an input"
    return f"{name} ({operation[:12]}) failed: {type(error).__name__}: {error}"


def _waiting(
    base: GoalOutcome,
    graph: KeyGraph,
    errors: Mapping[OperationId, BaseException],
    ledger: Ledger,
    stopped: str | None,
) -> GoalOutcome:
    """Say why a goal never got a key."""
    pivots = {deferred.operation: deferred.pivot for deferred in graph.deferred}
    for operation in sorted(blockers(graph, base.operation)):
        if operation in errors:
            error = errors[operation]
            text = ledger.locate(operation, _input_error(graph, operation, error))
            return replace(base, error=text, transient=is_transient(error))
        if operation in graph.rejected:
            text = ledger.locate(operation, graph.rejected[operation])
            return replace(base, error=text)
        pivot = pivots.get(operation)
        final = None if pivot is None else ledger.final(pivot)
        if final is not None and final.origin:
            report = ledger.failed(ResultKey(final.origin)) or final
            node = graph.nodes.get(ResultKey(final.origin))
            name = node.operation if isinstance(node, KeyOperation) else operation
            return replace(base, error=ledger.explain(report, name), transient=report.transient)
    return replace(base, error=stopped or "it waits for a value that never came", transient=True)


def _load(store: ResultStore, key: ResultKey) -> Value:
    value = store.get(key)
    if value is MISS:
        raise ResultGone(f"the result {key} is not in the store {store.url} any more")
    return value
