"""The report of a WorkPlan's run, as it lies in the run's folder of the store."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from voxk8s.api import WorkPlanResource
from voxk8s.cluster.plan_source import Document
from voxk8s.constants import RUNS_PREFIX
from voxk8s.execution import ExecutionResult, GoalOutcome
from voxk8s.history import Recorder, account, from_store, known_since, show_goals
from voxk8s.plan import OperationId
from voxk8s.report import report
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.storage import ResultStore


def build_report(
    result: ExecutionResult,
    recorder: Recorder,
    workplan: WorkPlanResource,
    config: RunnerConfig,
    store: ResultStore,
    *,
    document: Document | None = None,
    places: Mapping[OperationId, object] | None = None,
    problems: Sequence[str] = (),
) -> str:
    """Give the page about a run that is over.

    `document` is the program, whose lines failures show. `problems` are those of copying files.
    """
    goals = show_goals(
        result.goals,
        lambda goal: _link(goal, store.url, config.run_folder),
        known_since(store, result.goals),
        from_store(store),
    )
    run = account(
        result,
        recorder,
        title=f"{config.namespace}/{config.name}",
        goals=goals,
        problems=problems,
        places=places,
        text_of=_texts(document),
        program=_text(document),
        facts=_facts(workplan, config),
    )
    return report(run)


def _link(goal: GoalOutcome, store: str, folder: str) -> str:
    """Lead to a file by the way from the run's folder: wherever a browser finds the report."""
    if goal.goal.operation != "save" or not goal.url.startswith(f"{store}/"):
        return ""
    way = posixpath.relpath(goal.url.removeprefix(f"{store}/"), f"{RUNS_PREFIX}/{folder}")
    return f"./{quote(way)}"


def _texts(document: Document | None) -> Callable[[str], str]:
    """Give what knows the texts of a program and of the files that it imports."""
    texts: Mapping[str, str] = {}
    if document is not None:
        texts = {**document.files, document.name: _text(document)}
    return lambda file: texts.get(file, "")


def _text(document: Document | None) -> str:
    """Give the text of a program; plan documents are for machines."""
    if document is None or document.format != "imgql":
        return ""
    return document.data.decode("utf-8", "replace")


def _facts(workplan: WorkPlanResource, config: RunnerConfig) -> list[tuple[str, str]]:
    spec = workplan.spec
    retry = spec.effective_retry
    facts = [
        *((f"${name}", value) for name, value in (spec.source.parameters or {}).items()),
        ("WorkPlan", f"{config.namespace}/{config.name}"),
        ("uid", config.uid),
        ("store", config.store),
        ("cache", spec.cache),
        ("onFailure", spec.on_failure),
        ("retry.limit", str(retry.limit)),
    ]
    if spec.output is not None:
        facts.append(("output.url", spec.output.url))
    return facts
