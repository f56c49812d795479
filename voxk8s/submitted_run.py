"""Programs that run on a cluster, from Python: `voxk8s.submit(…)` and the WorkPlan that it makes.

Everything is done by the rights of the kubeconfig, as the commands of the same names do it.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import msgspec

from voxk8s.cli.commands.results import download, read_report, read_run_file, write_page
from voxk8s.cli.commands.submit import check_size, spec_of, upload_inputs
from voxk8s.cli.commands.watch import follow
from voxk8s.cli.connection import namespace_of, read_workplan
from voxk8s.cli.local_inputs import check_present, local_inputs, refuse_local
from voxk8s.cli.workplan_text import headline, value_text
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.constants import API_VERSION, KIND, MANAGER_CLI, RUN_FILE_BYTES
from voxk8s.errors import InvalidUsage, Voxk8sError
from voxk8s.execution.run.run_thread import call_in_thread
from voxk8s.notebook_progress import progress_bar
from voxk8s.program import compile_given
from voxk8s.redact import redact, visible

if TYPE_CHECKING:
    from voxk8s.api.status import GoalResult
    from voxk8s.api.workplan import WorkPlanResource

T = TypeVar("T")
_PREFIX: Final = "python-"


class _Whole(msgspec.Struct):
    """What is read of results.json."""

    results: list[_Value]


class _Value(msgspec.Struct):
    goal: str
    value: Any = msgspec.UNSET


@dataclass(frozen=True, eq=False, repr=False)
class SubmittedRun:
    """A WorkPlan on a cluster. A notebook shows its state and its results.

    Methods raise NotFound when it was deleted, Forbidden with the right that is missing, and
    transient errors of the API server.
    """

    name: str
    namespace: str
    context: str | None = None

    def __repr__(self) -> str:
        """Return its name, without asking the cluster."""
        return f"<WorkPlan {self.namespace}/{self.name}>"

    @property
    def state(self) -> str:
        """Its phase, progress and message now, in one line."""
        return _line(self.resource())

    def resource(self) -> WorkPlanResource:
        """Return the WorkPlan as it is now: `.status` has conditions, counts and results."""
        return self._call(self._read)

    def wait(self, seconds: float | None = None) -> Self:
        """Wait for the end of the run, with its progress; return itself, failed or not.

        Raises GaveUp when it was deleted, or is not finished after so many seconds.
        """
        with progress_bar(sys.stderr) as bar:

            def tell(line: str, resource: WorkPlanResource) -> None:
                counts = resource.status.operations
                done = counts.computed + counts.cached if counts else 0
                bar.show(f"{self.name}: {line}", done, counts.total if counts else 0)

            async def wait(kube: KubeClient) -> None:
                await follow(kube, self.name, self.namespace, tell=tell, seconds=seconds)

            self._call(wait)
        return self

    @property
    def values(self) -> dict[str, Any]:
        """The values of `print` goals by name: numbers, texts, lists, mappings.

        What the status has no room for is read from the run's folder in the store. Raises
        InvalidUsage where that is gone, or nothing that a run writes.
        """
        status = self.resource().status
        found = status.results or ()
        if not (status.results_omitted or any(each.truncated for each in found)):
            return {
                each.goal: _number(each)
                for each in found
                if each.kind == "print" and each.value is not msgspec.UNSET
            }

        if not status.run_url:
            raise InvalidUsage(f"the status of {self.name} has no room for all its results yet")
        url = f"{status.run_url}/results.json"

        async def read(kube: KubeClient) -> bytes | None:
            return await read_run_file(kube, await self._read(kube), url)

        content = self._call(read)
        if content is None:
            raise InvalidUsage(f"{url}, which has all results of {self.name}, was deleted")
        if len(content) > RUN_FILE_BYTES:
            raise InvalidUsage(f"{url} has more than {RUN_FILE_BYTES // 10**6} MB, and is not read")
        try:
            whole = msgspec.json.decode(content, type=_Whole).results
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidUsage(f"{url} is not what a run writes: {error}") from error
        return {each.goal: each.value for each in whole if each.value is not msgspec.UNSET}

    def download(self, folder: str | os.PathLike[str] = ".") -> dict[str, Path]:
        """Fetch saved files into a folder; return their paths by the names of goals.

        Bytes are verified, and what is there already is not fetched again. Raises InvalidUsage for
        a name that leaves the folder, and NoKeys when the user may not read the store.
        """
        target = Path(folder)

        async def fetch(kube: KubeClient) -> WorkPlanResource:
            resource = await self._read(kube)
            await download(kube, resource, target, quiet=True)
            return resource

        results = self._call(fetch).status.results or ()
        saved = [each.goal for each in results if each.kind == "save" and each.url]
        return {goal: target / goal for goal in saved}

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Fetch the HTML page about the run into a file; raises InvalidUsage if there is none."""
        target = Path(path)

        async def fetch(kube: KubeClient) -> bytes:
            return await read_report(kube, await self._read(kube))

        write_page(target, self._call(fetch))
        return target

    def delete(self) -> None:
        """Delete the WorkPlan; a run under way ends, its results are kept in the store."""

        async def delete(kube: KubeClient) -> None:
            resource = await self._read(kube)
            await kube.delete(WORK_PLANS, self.name, self.namespace, uid=resource.metadata.uid)

        self._call(delete)

    def _repr_html_(self) -> str:
        """Return its state, and a table of its results; or why the cluster does not say."""
        try:
            resource = self.resource()
        except Voxk8sError as error:
            return f"<small>{escape(f'{self!r}: {visible(redact(str(error)))}')}</small>"
        status = resource.status
        rows = "".join(_row(each.goal, value_text(each)) for each in status.results or ())
        rows += "".join(_row("failed", each.message) for each in status.failures or ())
        where = f"{self.namespace}/{self.name}: {_line(resource)}"
        return f"<table>{rows}</table><small>{escape(where)}</small>"

    async def _read(self, kube: KubeClient) -> WorkPlanResource:
        return await read_workplan(kube, self.name, self.namespace)

    def _call(self, work: Callable[[KubeClient], Awaitable[T]]) -> T:
        return _with_kube(work, self.context)


def submit(
    program: str | os.PathLike[str],
    given: Mapping[str, object] | None = None,
    /,
    *,
    name: str | None = None,
    namespace: str | None = None,
    context: str | None = None,
    upload: bool = False,
    spec: Mapping[str, Any] | None = None,
    on_item_failure: str | None = None,
    **parameters: object,
) -> SubmittedRun:
    """Run an ImgQL program on a cluster, as a WorkPlan: its text, or the path of an .imgql file.

    `parameters` are the values of `$NAME`; a mapping after the program has those that are called
    as an argument of this function. `spec` has more fields of the WorkPlan's spec, such as
    `{"cluster": {"maxWorkers": 8}}`. With `on_item_failure="skip"`, loops go on without the items
    that fail, which the status names. With `upload`, inputs of this machine are brought to the
    cluster's store. Returns at once: `submit(…).wait()` waits. Raises InvalidProgram with all
    errors of the program, InvalidUsage for inputs that the cluster cannot read and other words for
    `on_item_failure`, and what the API server answers.
    """
    more = dict(spec or {})
    if on_item_failure not in (None, "fail", "skip"):
        raise InvalidUsage(f"on_item_failure: expected fail or skip, got {on_item_failure!r}")
    if on_item_failure is not None:
        more["onItemFailure"] = on_item_failure.capitalize()
    if "source" in more:
        raise InvalidUsage("expected a spec without source, which is the program")
    skips = more.get("onItemFailure") == "Skip"
    text, values, compiled = compile_given(program, {**(given or {}), **parameters}, skips=skips)
    where = namespace_of(namespace, context, os.environ)
    names = local_inputs(compiled.plan)
    if not upload:
        refuse_local(names, "upload=True")
    check_present(names)

    async def create(kube: KubeClient) -> str:
        urls = await upload_inputs(kube, where, names) if names else {}
        source = spec_of(text, compiled.plan, values, compiled.expectations, urls, skips=skips)
        if "expect" in source and "expect" in more:
            more["expect"] = [*source["expect"], *more["expect"]]
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name} if name else {"generateName": _PREFIX},
            "spec": {**source, **more},
        }
        check_size(body, "the program")
        created = await kube.create(WORK_PLANS, body, where, manager=MANAGER_CLI)
        return str(created["metadata"]["name"])

    return SubmittedRun(_with_kube(create, context), where, context)


def _number(result: GoalResult) -> Any:
    """Return a value: the API server writes 5.0 as 5, and the line of a result says what it was."""
    value = result.value
    if type(value) is int and result.line is not None and not result.line.lstrip("-").isdigit():
        with suppress(ValueError):
            return float(result.line)
    return value


def _row(name: str, value: str) -> str:
    return (
        f"<tr><th style='text-align:left'>{escape(visible(name))}</th>"
        "<td style='text-align:left'>"
        f"<pre style='margin:0'>{escape(visible(value))}</pre></td></tr>"
    )


def _line(resource: WorkPlanResource) -> str:
    return visible(redact(headline(resource, datetime.now(UTC))))


def _with_kube(work: Callable[[KubeClient], Awaitable[T]], context: str | None) -> T:
    async def connected() -> T:
        connecting = KubeClient.connect(os.environ, context=context, connections=0)
        async with await connecting as kube:
            return await work(kube)

    return _in_own_loop(connected)


def _in_own_loop(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return what a coroutine returns; its loop is in another thread: notebooks have theirs."""
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []
    stopped = threading.Event()

    async def main() -> T:
        task = asyncio.create_task(make())
        running.append((asyncio.get_running_loop(), task))
        if stopped.is_set():
            task.cancel()
        return await task

    def cancel() -> None:
        stopped.set()
        for loop, task in running:
            with suppress(RuntimeError):  # the loop is closed: it has ended by itself
                loop.call_soon_threadsafe(task.cancel)

    def work() -> T:
        return asyncio.run(main())

    if threading.current_thread() is threading.main_thread() or not _has_loop():
        return call_in_thread(work, cancel)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, work).result()


def _has_loop() -> bool:
    """Whether this thread runs a loop, as those of sub-shells of notebooks do."""
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        return True
    return False
