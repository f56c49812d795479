"""Runs a WorkPlan to its outcome, resuming after the loss of the scheduler or of the store."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from voxk8s.api.status import Waiting
from voxk8s.api.workplan import WorkPlanResource, decode_resource, encode
from voxk8s.cluster import plan_source
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.output_url import check_output
from voxk8s.cluster.run_inputs import claims_of
from voxk8s.constants import REASON_SOURCE_UNAVAILABLE
from voxk8s.errors import PermanentError, SchedulerLost, StoreError
from voxk8s.history import Recorder, UsageRecorder
from voxk8s.plan import OperationId, WorkPlan
from voxk8s.plan.expectation import Expectation, differences
from voxk8s.runner import copy_outputs, scheduler_connection, status_fields
from voxk8s.runner.publish_status import StatusPublisher
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.runner.status_reporter import StatusReporter
from voxk8s.runner.store_wait import FIRST_PAUSE, MAX_PAUSE, StoreWait
from voxk8s.runner.worker_usage import PAUSE_SECONDS, worker_usage
from voxk8s.storage import ResultStore, open_store

if TYPE_CHECKING:
    from voxk8s.execution import ExecutionEngine, ExecutionResult

_log = logging.getLogger(__name__)
_RESULTS_FILE = "results.json"
_REPORT_FILE = "report.html"
_STORE_RETRY_SECONDS = 600.0
"""Seconds for which workers retry to store what they have computed."""
_MAX_REPEATS = 5
"""How often a run is repeated whose operations failed because of an outage of the store."""


@dataclass(frozen=True, slots=True)
class _End:
    """The last fields of the status; if the run was stopped, what adds pictures to its report."""

    fields: dict[str, Any]
    add_pictures: Callable[[], str] | None = None


class WorkPlanRun:
    """One run of a WorkPlan."""

    def __init__(self, kube: KubeClient, config: RunnerConfig) -> None:
        """Prepare to run the WorkPlan in `config`."""
        self._kube = kube
        self._config = config
        self._reporter = StatusReporter()
        self._publisher = StatusPublisher(kube, config, time.monotonic)
        self._store: ResultStore = open_store(config.store)
        self._store_wait = StoreWait(self._store, self._reporter)
        self._engine: ExecutionEngine | None = None
        self._stopping = threading.Event()
        self._places: Mapping[OperationId, object] = {}
        self._expectations: Sequence[Expectation] = ()
        self._document: plan_source.Document | None = None
        self._recorder = Recorder()
        self._usage = UsageRecorder(PAUSE_SECONDS)

    def stop(self) -> bool:
        """Cancel the run: no more operations are started.

        Returns whether it executes its plan, or has done so: then `run` ends by itself, with the
        outcome or a partial report. Otherwise there is nothing to report, and the task of `run` is
        to be cancelled.
        """
        self._stopping.set()
        engine = self._engine
        if engine is None:
            return False
        engine.cancel()
        return True

    async def run(self) -> bool:
        """Run the plan and write the outcome, or else a partial report, into the status.

        Returns whether there is an outcome: a run that was stopped has none. Raises WorkPlanGone,
        CredentialsRefused, or an error of the Kubernetes client.
        """
        importing = asyncio.create_task(asyncio.to_thread(_import_engine))
        workplan = decode_resource(await self._publisher.read_workplan())
        self._reporter.published_progress = workplan.status.progress
        self._reporter.published_counts = workplan.status.operations
        publishing = asyncio.create_task(self._publisher.publish_changes(self._reporter))
        try:
            end = await self._run(workplan, importing)
        finally:
            publishing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await publishing
        await self._publisher.publish(end.fields)
        if end.add_pictures is None:
            return True
        await asyncio.to_thread(end.add_pictures)
        return False

    async def _run(self, workplan: WorkPlanResource, importing: asyncio.Task[None]) -> _End:
        try:
            plan = await self._plan(workplan)
            await importing
            await self._store_wait.until_usable()
            result = await self._execute(workplan, plan)
        except PermanentError as error:
            _log.error("the plan cannot run: %s", error)
            outcome = status_fields.rejected_outcome(error, _now())
            return _End(self._reporter.fields(ended=True) | {"outcome": encode(outcome)})
        # One that had reached every goal before it was stopped has an outcome.
        if self._stopping.is_set() and not result.success:
            return await self._end_early(workplan, plan, result)
        return _End(await self._deliver(workplan, plan, result))

    async def _plan(self, workplan: WorkPlanResource) -> WorkPlan:
        from voxk8s.kernels import registry

        source = workplan.spec.source
        document = await self._read(workplan)
        plan_source.check_digest(document, source.digest)
        self._document = document
        read = await asyncio.to_thread(
            plan_source.read_source_plan,
            document,
            source.parameters,
            registry(),
            on_item_failure=workplan.spec.on_item_failure,
        )
        plan, self._places = read.plan, read.places
        self._expectations = read.expected_also(workplan.spec.expect or ())
        plan_source.check_inputs(plan, registry(), claims_of(workplan))
        if workplan.spec.output is not None:
            check_output(
                plan, workplan.spec.output.url, self._config.store, self._config.chart_store
            )
        return plan

    async def _read(self, workplan: WorkPlanResource) -> plan_source.Document:
        source = workplan.spec.source
        wait = FIRST_PAUSE
        while True:
            try:
                document = await plan_source.read_source(self._kube, self._config.namespace, source)
                if document is None:
                    document = await asyncio.to_thread(
                        plan_source.fetch_document, source.url or "", self._config.inputs
                    )
            except plan_source.SourceUnavailable as error:
                self._reporter.waiting = Waiting(REASON_SOURCE_UNAVAILABLE, str(error)[:4000])
                await asyncio.sleep(wait)
                wait = min(wait * 2, MAX_PAUSE)
            else:
                self._reporter.waiting = None
                return document

    async def _execute(self, workplan: WorkPlanResource, plan: WorkPlan) -> ExecutionResult:
        """Execute the plan, again after each loss of the scheduler or outage of the store."""
        wait = FIRST_PAUSE
        repeats = 0
        while True:
            await scheduler_connection.wait_until_listening(self._config.scheduler)
            try:
                result = await asyncio.to_thread(self._attempt, workplan, plan)
            except SchedulerLost as error:
                if self._stopping.is_set():
                    raise asyncio.CancelledError from error
                self._engine = None
                _log.warning("%s; resuming from the store with a new scheduler", error)
                await asyncio.sleep(FIRST_PAUSE)
                continue
            except StoreError as error:
                if self._stopping.is_set():
                    raise asyncio.CancelledError from error
                outage = error
            else:
                if self._stopping.is_set():
                    return result
                found = await self._store_wait.outage_behind(result.failures)
                # A store that fails only for certain results would fail forever.
                if found is None or repeats == _MAX_REPEATS or self._stopping.is_set():
                    return result
                repeats, outage = repeats + 1, found
            self._engine = None
            _log.warning("%s; resuming when the store is back", outage)
            await self._store_wait.until_recovered(outage, wait)
            wait = min(wait * 2, MAX_PAUSE)

    def _attempt(self, workplan: WorkPlanResource, plan: WorkPlan) -> ExecutionResult:
        from voxk8s.execution import ExecutionEngine
        from voxk8s.execution.executors.dask_executors import DistributedExecutor
        from voxk8s.execution.retry import RetryPolicy

        spec = workplan.spec
        retry = spec.effective_retry
        client = scheduler_connection.connect(self._config.scheduler)
        try:
            self._engine = ExecutionEngine(
                self._store,
                executor=DistributedExecutor(client, promised=self._config.offers),
                listeners=(self._reporter, self._recorder),
                cache=spec.cache.lower(),
                on_failure=spec.on_failure.lower(),
                on_item_failure=spec.on_item_failure.lower(),
                retry=RetryPolicy(
                    retry.limit,
                    retry.backoff_seconds,
                    retry.max_backoff_seconds,
                    _STORE_RETRY_SECONDS,
                ),
                inputs=self._config.inputs,
                write_files=False,
                run_folder=self._config.run_folder,
                label=f"WorkPlan {self._config.namespace}/{self._config.name}",
            )
            if self._stopping.is_set():
                self._engine.cancel()
            with self._usage(worker_usage(client)):
                return self._engine.execute_workplan(plan, places=self._places)
        finally:
            threading.Thread(
                target=scheduler_connection.disconnect, args=(client,), daemon=True
            ).start()

    async def _deliver(
        self, workplan: WorkPlanResource, plan: WorkPlan, result: ExecutionResult
    ) -> dict[str, Any]:
        problems: list[str] = []
        if workplan.spec.output is not None:
            problems = await asyncio.to_thread(
                copy_outputs.copy_outputs,
                result.goals,
                self._store,
                workplan.spec.output.url,
                self._config.inputs,
            )
        unmet = await asyncio.to_thread(differences, self._expectations, result)
        outcome = status_fields.run_outcome(result, problems, _now(), unmet)
        self._reporter.progress = result.progress
        results = status_fields.results_json(result, outcome)
        results_url, report_url = await asyncio.gather(
            asyncio.to_thread(self._write, _RESULTS_FILE, results, "application/json"),
            asyncio.to_thread(self._report, workplan, plan, result, [*problems, *unmet]),
        )
        run_url = results_url.rpartition("/")[0]
        return status_fields.final_fields(
            result, outcome, self._reporter.progress_text(), run_url, report_url
        )

    async def _end_early(
        self, workplan: WorkPlanResource, plan: WorkPlan, result: ExecutionResult
    ) -> _End:
        """Write a report of what is known of a run that was stopped.

        The pod has only seconds left. Drawing pictures may take longer, so it comes last.
        """
        write = partial(self._report, workplan, plan, result, ())
        url = await asyncio.to_thread(write, pictures=False)
        self._reporter.progress = status_fields.at_rest(result.progress)
        return _End(self._reporter.fields(ended=True, report_url=url), write)

    def _report(
        self,
        workplan: WorkPlanResource,
        plan: WorkPlan,
        result: ExecutionResult,
        problems: Sequence[str],
        *,
        pictures: bool = True,
    ) -> str:
        """Write the HTML report; returns its URL, or an empty text if it failed."""
        try:
            # Imported here because it is needed only at the end.
            from voxk8s.runner.run_report import build_report

            page = build_report(
                result,
                plan,
                self._recorder,
                workplan,
                self._config,
                self._store,
                document=self._document,
                places=self._places,
                problems=problems,
                usage=self._usage.samples(),
                pictures=pictures,
            )
        except Exception:  # noqa: BLE001 - a run does not fail because of its report
            _log.exception("cannot build the report of the run")
            return ""
        return self._write(_REPORT_FILE, page.encode(), "text/html; charset=utf-8")

    def _write(self, name: str, data: bytes, media_type: str) -> str:
        """Write a file into the run's folder; returns its URL, or an empty text if it failed."""
        try:
            path = f"{self._config.run_folder}/{name}"
            return self._store.write_run_file(path, data, media_type)
        except StoreError as error:
            _log.warning("cannot write %s of the run: %s", name, error)
            return ""


def _import_engine() -> None:
    """Import the slow modules, in parallel with requests to the API server and the store."""
    for module in ("distributed", "voxk8s.execution.engine", "voxk8s.execution.executors"):
        importlib.import_module(module)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
