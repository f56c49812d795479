"""The state of a run's operations: counts, failures and metrics. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from voxk8s.execution import events
from voxk8s.execution.events import Event, Progress
from voxk8s.execution.lazy_mapping import LazyMapping
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.result import KernelTotals, OperationMetrics
from voxk8s.execution.source_locations import NO_LOCATIONS, SourceLocations
from voxk8s.failure import Failure
from voxk8s.plan import KeyNode, KeyOperation, OperationId, Resolution, ResultKey, Role


class RunTracker:
    """Turns reports of operations, which may come twice, into events and totals."""

    def __init__(self, run: str, locations: SourceLocations = NO_LOCATIONS) -> None:
        self._run = run
        self._locations = locations
        self._nodes: Mapping[ResultKey, KeyNode] = {}
        self._total = 0
        self._skipped = 0
        self._waiting = 0
        self._blocked: tuple[Failure, ...] = ()
        self._found: set[ResultKey] = set()
        self._computed: dict[ResultKey, Report] = {}
        self._different: dict[ResultKey, Report] = {}
        self._work: set[ResultKey] = set()
        self._left: set[ResultKey] = set()
        """Those of `_work` that have not ended, so that counting takes no time."""
        self.finals: dict[ResultKey, Report] = {}
        """The last report on each operation that has ended."""
        self.failed: dict[ResultKey, Report] = {}
        """The reports of operations that failed themselves."""
        self.durable: set[ResultKey] = set()
        """Results that this run has stored."""

    def set_resolution(
        self,
        nodes: Mapping[ResultKey, KeyNode],
        resolution: Resolution,
        blocked: Iterable[Failure] = (),
    ) -> None:
        """Update what is known and what is to compute, whenever the graph has been resolved.

        `blocked` are the operations that can never have a key, such as an input without a pin.
        """
        self._nodes = nodes
        self._found |= {key for key in resolution.known if key not in self._computed}
        self._work |= set(resolution.compute)
        self._waiting = resolution.waiting
        self._blocked = tuple(self.locate(each) for each in blocked)
        done = len(self._found | self._computed.keys() | self._work)
        self._skipped = max(0, resolution.total - resolution.waiting - done)
        self._total = resolution.total
        self._left = self._work - self._computed.keys() - self._found - self.failed.keys()

    def forget(self, keys: Iterable[ResultKey]) -> None:
        """Forget that results are known, since they have vanished from the store."""
        for key in keys:
            self._found.discard(key)
            self.durable.discard(key)
            self.finals.pop(key, None)

    def apply(self, run: str, reports: Iterable[Report]) -> list[Event]:
        """Apply reports and return the events that follow; ignores what this run does not need."""
        found: list[Event] = []
        for report in reports:
            key = ResultKey(report.key)
            node = self._nodes.get(key)
            if not isinstance(node, KeyOperation):
                continue
            if run != self._run and key not in self._work:
                continue  # no goal of this run needs it
            match report.status:
                case Status.COMPUTED | Status.FOUND:
                    self._ended(run, node, report, found)
                case Status.FAILED | Status.SKIPPED if report.is_recomputable:
                    pass  # it has not ended: the run computes it again
                case Status.FAILED | Status.SKIPPED if run != self._run and (
                    self.has_value(key) or not report.is_of_kernel
                ):
                    pass  # what failed in another run has succeeded, or may succeed, in this one
                case Status.FAILED:
                    self.finals[key] = report
                    if key not in self.failed:
                        self.failed[key] = report
                        self._left.discard(key)
                        found.append(
                            events.OperationFailed(
                                key,
                                self.failure(report),
                                report.seconds,
                                report.started,
                                report.worker,
                            )
                        )
                case Status.SKIPPED:
                    self.finals[key] = report
                case Status.WAITING:
                    found.append(
                        events.OperationWaits(key, node.operation, node.kernel, report.holder)
                    )
                case Status.RETRYING:
                    found.append(events.OperationRetried(key, self.failure(report)))
        return found

    def _ended(self, run: str, node: KeyOperation, report: Report, found: list[Event]) -> None:
        """Record that an operation succeeded, and append the events that follow."""
        key = node.key
        if run == self._run:
            # What another run reports may lie in another store: it says nothing of ours.
            self.finals[key] = report
            if report.stored:
                self.durable.add(key)
        if report.stored == "nondeterministic" and key not in self._different:
            self._different[key] = report
            found.append(events.NonDeterminism(key, node.operation, node.kernel))
        is_found = report.status is Status.FOUND or run != self._run
        if key in self._computed or (is_found and key in self._found):
            return
        if is_found:
            self._found.add(key)
        else:
            # The store may have been asked again before this report came.
            self._found.discard(key)
            self._computed[key] = report
        self.failed.pop(key, None)
        self._left.discard(key)
        found.append(
            events.OperationFinished(
                key,
                node.operation,
                node.kernel,
                report.seconds,
                report.attempts,
                report.started,
                report.memory,
                bool(report.stored),
                report.worker,
                is_found,
                report.cpu_seconds,
            )
        )

    def has_value(self, key: ResultKey) -> bool:
        """Whether this run has computed an operation, or found its result."""
        return key in self._computed or key in self._found

    def lost_value(self, key: ResultKey) -> Event | None:
        """Record that an operation with a stored result has none any more; None if it is known."""
        node = self._nodes.get(key)
        if not isinstance(node, KeyOperation) or key in self._different:
            return None
        self._different[key] = Report(key, Status.SKIPPED, node.kernel)
        return events.NonDeterminism(key, node.operation, node.kernel, failed=True)

    def failure_report(self, key: ResultKey, failure: Failure) -> Report:
        """Create the report of a failure that no task could send, as when its worker died."""
        node = self._nodes.get(key)
        kernel = node.kernel if isinstance(node, KeyOperation) else ""
        return Report(key, Status.FAILED, kernel, origin=key, failure=failure)

    def progress(self, parallelism: int = 0) -> Progress:
        """Return the current counts; at most `parallelism` of the operations left are running."""
        left = len(self._left)
        running = min(left, parallelism)
        return Progress(
            total=self._total,
            cached=len(self._found),
            computed=len(self._computed),
            failed=len(self.failed) + len(self._blocked),
            running=running,
            pending=left - running + self._waiting - len(self._blocked),
            skipped=self._skipped,
        )

    @property
    def all_planned(self) -> bool:
        """Whether no operation waits for a value of the run before it can be planned."""
        return self._waiting <= len(self._blocked)

    def failures(self) -> tuple[Failure, ...]:
        """Return failures in their order, then those of operations without a key."""
        return (*map(self.failure, self.failed.values()), *self._blocked)

    def failure(self, report: Report) -> Failure:
        """Return the failure of the operation that failed first, with its place in the program."""
        key = ResultKey(report.origin or report.key)
        first = self.failed.get(ResultKey(report.origin), report)
        node, operation = self._nodes.get(key), self._operation(key)
        failure = replace(
            first.failure or Failure(""),
            kernel=node.kernel if isinstance(node, KeyOperation) else first.kernel,
            operation=operation,
        )
        place = node.location_id if isinstance(node, KeyOperation) else operation
        return self._locations.locate(failure, place)

    def locate(self, failure: Failure) -> Failure:
        """Return a failure with its operation's place in the program."""
        return self._locations.locate(failure, failure.operation)

    def metrics(self) -> Mapping[OperationId, OperationMetrics]:
        """Return metrics by operation id, of operations that were computed, failed or known.

        A saved file has the id of what it shows; its measurements are given where it was known.
        They are made at their first use: those of a million operations take seconds.
        """
        return LazyMapping(self._metrics)

    def by_key(self) -> Mapping[ResultKey, OperationMetrics]:
        """Return metrics by key, of operations that were computed, failed or known."""
        return LazyMapping(self._by_key)

    def _metrics(self) -> dict[OperationId, OperationMetrics]:
        ended = self.failed | self._computed
        files = {key: report for key, report in ended.items() if self._is_save(key)}
        result = {
            self._operation(key): self._measured(key, report)
            for key, report in (files | ended).items()
        }
        for node in self._found_nodes():
            result.setdefault(node.operation, _known(node))
        return result

    def _by_key(self) -> dict[ResultKey, OperationMetrics]:
        known = {node.key: _known(node) for node in self._found_nodes()}
        ended = self.failed | self._computed
        return known | {key: self._measured(key, report) for key, report in ended.items()}

    def _measured(self, key: ResultKey, report: Report) -> OperationMetrics:
        return OperationMetrics(
            report.kernel,
            report.seconds,
            report.attempts,
            report.memory,
            stored=bool(report.stored),
            started=report.started,
            worker=report.worker,
            failed=key not in self._computed,
            geometry=report.geometry,
            cpu_seconds=report.cpu_seconds,
        )

    def _found_nodes(self) -> Iterator[KeyOperation]:
        for key in self._found:
            node = self._nodes.get(key)
            if isinstance(node, KeyOperation):
                yield node

    def kernels(self) -> dict[str, KernelTotals]:
        """Return totals by kernel, that with the most seconds first."""
        sums: dict[str, list[float]] = {}
        for report in self._computed.values():
            total = sums.setdefault(report.kernel, [0, 0, 0, 0.0, 0])
            total[0] += 1
            total[3] += report.seconds
            total[4] += report.memory
        for key in self._found:
            node = self._nodes.get(key)
            if isinstance(node, KeyOperation):
                sums.setdefault(node.kernel, [0, 0, 0, 0.0, 0])[1] += 1
        for key, report in self.failed.items():
            if key not in self._computed:
                sums.setdefault(report.kernel, [0, 0, 0, 0.0, 0])[2] += 1
        ordered = sorted(sums.items(), key=lambda item: (-item[1][3], item[0]))
        return {
            kernel: KernelTotals(int(computed), int(found), int(failed), seconds, int(size))
            for kernel, (computed, found, failed, seconds, size) in ordered
        }

    def _is_save(self, key: ResultKey) -> bool:
        node = self._nodes.get(key)
        return isinstance(node, KeyOperation) and node.role is Role.SAVE

    def nondeterministic(self) -> tuple[OperationId, ...]:
        """Return the operations whose values differ from the stored ones."""
        return tuple(self._operation(key) for key in self._different)

    def _operation(self, key: ResultKey) -> OperationId:
        node = self._nodes.get(key)
        return node.operation if isinstance(node, KeyOperation) else OperationId(key)


def _known(node: KeyOperation) -> OperationMetrics:
    return OperationMetrics(node.kernel, attempts=0, cached=True, stored=True)
