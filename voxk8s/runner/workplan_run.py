"""One run from its WorkPlan to its outcome, through losses of the scheduler and of the store."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from voxk8s import api
from voxk8s.api import Waiting, WorkPlanResource, decode_resource
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.output_url import check_output
from voxk8s.cluster.plan_source import (
    Document,
    SourceUnavailable,
    check_digest,
    check_no_local_inputs,
    fetch_document,
    read_plan_and_locations,
    read_source,
)
from voxk8s.constants import REASON_SOURCE_UNAVAILABLE
from voxk8s.errors import PermanentError, SchedulerLost, StoreError
from voxk8s.history import Recorder
from voxk8s.plan import OperationId, WorkPlan
from voxk8s.runner import copy_outputs, scheduler_connection, status_fields
from voxk8s.runner.publish_status import StatusPublisher
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.runner.status_reporter import StatusReporter
from voxk8s.runner.store_wait import FIRST_PAUSE, LONGEST_PAUSE, StoreWait
from voxk8s.storage import ResultStore, open_store

if TYPE_CHECKING:
    from voxk8s.execution import ExecutionEngine, ExecutionResult

_log = logging.getLogger(__name__)
_RESULTS = "results.json"
_REPORT = "report.html"
_STORE_PATIENCE = 600.0
"""Seconds for which workers keep what they have computed for a store that does not answer."""
_REPEATS = 5
"""So often a run whose operations failed by a silent store begins anew."""


class Run:
    """Runs one WorkPlan."""

    def __init__(self, kube: KubeClient, config: RunnerConfig) -> None:
        """Run the WorkPlan of the configuration."""
        self._kube = kube
        self._config = config
        self._narrator = StatusReporter()
        self._publisher = StatusPublisher(kube, config, time.monotonic)
        self._store: ResultStore = open_store(config.store)
        self._patience = StoreWait(self._store, self._narrator)
        self._engine: ExecutionEngine | None = None
        self._stopping = threading.Event()
        self._places: Mapping[OperationId, object] = {}
        self._document: Document | None = None
        self._recorder = Recorder()

    def stop(self) -> None:
        """Stop soon: nothing more is started."""
        self._stopping.set()
        if self._engine is not None:
            self._engine.cancel()

    async def run(self) -> None:
        """Run to the outcome, and write it.

        Raises WorkPlanGone, CredentialsRefused, or what the API server could not be told.
        """
        importing = asyncio.create_task(asyncio.to_thread(_import_engine))
        workplan = decode_resource(await self._publisher.read_workplan())
        self._narrator.before = workplan.status.progress
        self._narrator.told = workplan.status.operations
        narrating = asyncio.create_task(self._publisher.narrate(self._narrator))
        try:
            part = await self._part(workplan, importing)
        finally:
            narrating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await narrating
        if part is not None:
            await self._publisher.publish(part)

    async def _part(
        self, workplan: WorkPlanResource, importing: asyncio.Task[None]
    ) -> dict[str, Any] | None:
        try:
            plan = await self._plan(workplan)
            await importing
            await self._patience.until_it_answers()
            result = await self._execute(workplan, plan)
        except PermanentError as error:
            _log.error("the plan cannot run: %s", error)
            part = {"outcome": api.encode(status_fields.refusal(error, _now()))}
            return self._narrator.part() | part
        if self._stopping.is_set():
            return None
        return await self._deliver(workplan, result)

    async def _plan(self, workplan: WorkPlanResource) -> WorkPlan:
        from voxk8s.kernels import registry

        source = workplan.spec.source
        document = await self._read(workplan)
        check_digest(document, source.digest)
        self._document = document
        plan, self._places = await asyncio.to_thread(
            read_plan_and_locations, document, source.parameters, registry()
        )
        check_no_local_inputs(plan, registry())
        if workplan.spec.output is not None:
            check_output(plan, workplan.spec.output.url, self._config.store)
        return plan

    async def _read(self, workplan: WorkPlanResource) -> Document:
        source = workplan.spec.source
        wait = FIRST_PAUSE
        while True:
            try:
                document = await read_source(self._kube, self._config.namespace, source)
                if document is None:
                    document = await asyncio.to_thread(
                        fetch_document, source.url or "", self._config.inputs
                    )
            except SourceUnavailable as error:
                self._narrator.waiting = Waiting(REASON_SOURCE_UNAVAILABLE, str(error)[:4000])
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_PAUSE)
            else:
                self._narrator.waiting = None
                return document

    async def _execute(self, workplan: WorkPlanResource, plan: WorkPlan) -> ExecutionResult:
        """Execute until it is done, however often scheduler or store go away meanwhile."""
        wait = FIRST_PAUSE
        repeats = 0
        while True:
            await scheduler_connection.wait_until_listening(self._config.scheduler)
            try:
                result = await asyncio.to_thread(self._attempt, workplan, plan)
            except SchedulerLost as error:
                _log.warning("%s; the run goes on with a new one, from the store", error)
                await asyncio.sleep(FIRST_PAUSE)
                continue
            except StoreError as error:
                silence = error
            else:
                blamed = await self._patience.silence(result.failures)
                # A store that fails for one result only would do so for ever.
                if blamed is None or repeats == _REPEATS or self._stopping.is_set():
                    return result
                repeats, silence = repeats + 1, blamed
            _log.warning("%s; the run goes on when the store is back", silence)
            await self._patience.until_it_is_back(silence, wait)
            wait = min(wait * 2, LONGEST_PAUSE)

    def _attempt(self, workplan: WorkPlanResource, plan: WorkPlan) -> ExecutionResult:
        from voxk8s.execution import ExecutionEngine
        from voxk8s.execution.retry import RetryPolicy

        spec = workplan.spec
        retry = spec.effective_retry
        client = scheduler_connection.connect(self._config.scheduler)
        try:
            self._engine = ExecutionEngine(
                self._store,
                executor=client,
                listeners=(self._narrator, self._recorder),
                cache=spec.cache.lower(),
                on_failure=spec.on_failure.lower(),
                retry=RetryPolicy(
                    retry.limit, retry.backoff_seconds, retry.max_backoff_seconds, _STORE_PATIENCE
                ),
                inputs=self._config.inputs,
                write_files=False,
                run_folder=self._config.run_folder,
                label=f"WorkPlan {self._config.namespace}/{self._config.name}",
            )
            if self._stopping.is_set():
                self._engine.cancel()
            return self._engine.execute_workplan(plan, places=self._places)
        finally:
            self._engine = None
            threading.Thread(
                target=scheduler_connection.disconnect, args=(client,), daemon=True
            ).start()

    async def _deliver(self, workplan: WorkPlanResource, result: ExecutionResult) -> dict[str, Any]:
        problems: list[str] = []
        if workplan.spec.output is not None:
            problems = await asyncio.to_thread(
                copy_outputs.copy_outputs,
                result.goals,
                self._store,
                workplan.spec.output.url,
                self._config.inputs,
            )
        end = status_fields.outcome_of(result, problems, _now())
        self._narrator.progress = result.progress
        full = status_fields.full_report(result, end)
        results_url, report_url = await asyncio.gather(
            asyncio.to_thread(self._write, _RESULTS, full, "application/json"),
            asyncio.to_thread(self._report, workplan, result, problems),
        )
        run_url = results_url.rpartition("/")[0]
        return status_fields.final_part(result, end, self._narrator.text(), run_url, report_url)

    def _report(
        self, workplan: WorkPlanResource, result: ExecutionResult, problems: Sequence[str]
    ) -> str:
        """Write the report for people, and give its URL."""
        try:
            # Imported here: it is needed at the end only.
            from voxk8s.runner.run_report import build_report

            page = build_report(
                result,
                self._recorder,
                workplan,
                self._config,
                self._store,
                document=self._document,
                places=self._places,
                problems=problems,
            )
        except Exception:  # noqa: BLE001 - whatever is wrong with the page, results are there
            _log.exception("the report of the run could not be made")
            return ""
        return self._write(_REPORT, page.encode(), "text/html; charset=utf-8")

    def _write(self, name: str, data: bytes, media_type: str) -> str:
        """Write a file of the run and give its URL; the status has the essentials in any case."""
        try:
            path = f"{self._config.run_folder}/{name}"
            return self._store.write_run_file(path, data, media_type)
        except StoreError as error:
            _log.warning("%s of the run could not be written: %s", name, error)
            return ""


def _import_engine() -> None:
    """Import what takes long, while the API server and the store are asked."""
    for name in ("distributed", "voxk8s.execution.engine", "voxk8s.execution.executors"):
        importlib.import_module(name)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
