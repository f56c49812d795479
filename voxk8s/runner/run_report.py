"""Builds the HTML report of a run, for the run's folder in the store."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster.plan_source import Document
from voxk8s.constants import RUNS_PREFIX
from voxk8s.execution import ExecutionResult, GoalOutcome
from voxk8s.history import (
    Recorder,
    Scans,
    collect_run,
    from_store,
    input_files,
    known_since,
    show_goals,
)
from voxk8s.plan import OperationId, WorkPlan
from voxk8s.redact import shown_parameter
from voxk8s.report import Usage, report
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.settings import Settings
from voxk8s.storage import ResultStore
from voxk8s.viewer import LayerStack, insert_layers


def build_report(
    result: ExecutionResult,
    plan: WorkPlan,
    recorder: Recorder,
    workplan: WorkPlanResource,
    config: RunnerConfig,
    store: ResultStore,
    *,
    document: Document | None = None,
    places: Mapping[OperationId, object] | None = None,
    problems: Sequence[str] = (),
    usage: Sequence[Usage] = (),
    pictures: bool = True,
) -> str:
    """Return the HTML page about a run that has ended, or was stopped.

    `document` is the source; of a program, lines are shown at failures. `problems` are messages
    about files that could not be copied, and about values that are not as expected. `usage` is what
    the workers used over time. Without `pictures` no image is read and drawn.
    """
    scans = Scans(plan, config.inputs)
    layers = LayerStack(int(Settings.from_env(os.environ).report_voxels * 1e6))
    goals = show_goals(
        result.goals,
        lambda goal: _link(goal, store.url, config.run_folder),
        known_since(store, result.goals),
        from_store(store, scans, layers.add) if pictures else _no_picture,
    )
    run = collect_run(
        result,
        recorder,
        title=f"{config.namespace}/{config.name}",
        goals=goals,
        problems=problems,
        places=places,
        text_of=_source_texts(document),
        program=_program_text(document),
        facts=_run_settings(workplan, config),
        inputs=input_files(result, store, scans),
        parameters=_parameters(workplan),
        repeat=_command(workplan, document),
        usage=usage,
        plan=plan,
    )
    return report(run, insert_layers(layers))


def _no_picture(_: GoalOutcome) -> None:
    """Return no picture."""


def _link(goal: GoalOutcome, store: str, folder: str) -> str:
    """Return a link to a saved file relative to the report, which works wherever the store is."""
    if goal.goal.operation != "save" or not goal.url.startswith(f"{store}/"):
        return ""
    path = posixpath.relpath(goal.url.removeprefix(f"{store}/"), f"{RUNS_PREFIX}/{folder}")
    return f"./{quote(path)}"


def _source_texts(document: Document | None) -> Callable[[str], str]:
    """Return a function from the name of a source file to its text, for the program's files."""
    texts: Mapping[str, str] = {}
    if document is not None:
        texts = {**document.files, document.name: _program_text(document)}
    return lambda file: texts.get(file, "")


def _program_text(document: Document | None) -> str:
    """Return the text of a program; empty for plan documents, which people do not read."""
    if document is None or document.format != "imgql":
        return ""
    return document.data.decode("utf-8", "replace")


def _parameters(workplan: WorkPlanResource) -> list[tuple[str, str]]:
    given = workplan.spec.source.parameters or {}
    return [(name, shown_parameter(name, value)) for name, value in given.items()]


def _command(workplan: WorkPlanResource, document: Document | None) -> str:
    """Return the command that submits the source again."""
    file = "plan.yaml" if document is None else posixpath.basename(document.name) or "plan.yaml"
    if document is not None and document.format == "imgql" and not file.endswith(".imgql"):
        file += ".imgql"  # The program of a spec has a name without a suffix.
    words = ["voxk8s", "submit", file]
    for name, value in _parameters(workplan):
        words += ["--param", f"{name}={value}"]
    return shlex.join(words)


def _run_settings(workplan: WorkPlanResource, config: RunnerConfig) -> list[tuple[str, str]]:
    spec = workplan.spec
    retry = spec.effective_retry
    facts = [
        ("WorkPlan", f"{config.namespace}/{config.name}"),
        ("uid", config.uid),
        ("store", config.store),
        ("cache", spec.cache),
        ("onFailure", spec.on_failure),
        ("onItemFailure", spec.on_item_failure),
        ("retry.limit", str(retry.limit)),
    ]
    if spec.output is not None:
        facts.append(("output.url", spec.output.url))
    return facts
