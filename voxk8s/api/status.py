"""What the operator and the runner say about a WorkPlan: `WorkPlan.status`.

Two field managers write it. The runner owns `operations`, `progress`, `results`,
`resultsOmitted`, `failures`, `failuresOmitted`, `outcome`, `waiting`, `report` and `runURL`; the
operator owns the rest.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from voxk8s.api.base import OPAQUE, ApiStruct, Json, doc, items, number, text
from voxk8s.api.spec import NAME_LENGTH, URL_LENGTH

ConditionStatus: TypeAlias = Literal["True", "False", "Unknown"]
MESSAGE_LENGTH = 4096


class Condition(ApiStruct, frozen=True):
    """One thing that is true, false or not known of the WorkPlan."""

    type: Annotated[str, text("What is said.", 316, 1)]
    status: Annotated[ConditionStatus, doc("Whether it is so.")]
    reason: Annotated[str, text("Why, in one word.", 256, 1)]
    message: Annotated[str, text("Why, for a person.", 32_768)]
    last_transition_time: Annotated[datetime, doc("When status last changed.")]
    observed_generation: (
        Annotated[int, number("Generation of the spec that was looked at.", 0)] | None
    ) = None


class OperationCounts(ApiStruct, frozen=True):
    """Distinct operations that the goals need, without constants."""

    total: Annotated[int, number("All of them.", 0)]
    cached: Annotated[int, number("Found in the store.", 0)]
    computed: Annotated[int, number("Computed in this run.", 0)]
    failed: Annotated[int, number("Failed for good.", 0)]
    running: Annotated[int, number("Being computed now.", 0)]
    pending: Annotated[int, number("Waiting.", 0)]


class GoalResult(ApiStruct, frozen=True):
    """The result of one goal: a value, or a file in the store."""

    goal: Annotated[str, text("Name of the goal.", 4096)]
    kind: Annotated[Literal["print", "save"], doc("What the plan asked for.")]
    operation: Annotated[str, text("Id of the goal's operation.", 128)] | None = None
    value: Annotated[Json, doc("The value, as JSON; long ones are cut.", **OPAQUE)] = msgspec.field(
        default=msgspec.UNSET
    )
    truncated: Annotated[bool | None, doc("The value is longer than what is shown.")] = None
    url: Annotated[str, text("S3 URL of the file.", URL_LENGTH)] | None = None
    digest: Annotated[str, text("sha256:<hex> of the whole value or file.", 71)] | None = None
    media_type: Annotated[str, text("What kind of file it is.", 255)] | None = None
    size_bytes: Annotated[int, number("Bytes of the value or file.", 0)] | None = None


class OperationFailure(ApiStruct, frozen=True):
    """An operation that failed for good."""

    operation: Annotated[str, text("Its id in the plan.", 128)]
    kernel: Annotated[str, text("Its kernel.", NAME_LENGTH)]
    message: Annotated[str, text("What went wrong.", MESSAGE_LENGTH)]


class Outcome(ApiStruct, frozen=True):
    """How the run ended, as the runner saw it; absent while it lasts."""

    state: Annotated[Literal["Succeeded", "Failed"], doc("Whether every goal was reached.")]
    reason: Annotated[str, text("Why, in one word.", 256)]
    message: Annotated[str, text("Why, for a person.", MESSAGE_LENGTH)] = ""
    non_deterministic: (
        Annotated[
            tuple[Annotated[str, text("A result key.", 64)], ...],
            items("Result keys that gave two different values.", 16),
        ]
        | None
    ) = None
    finish_time: Annotated[datetime | None, doc("When the last goal was done.")] = None


class Waiting(ApiStruct, frozen=True):
    """What the runner waits for: before it can go on, or beside its work."""

    reason: Annotated[
        str,
        text("Why, in one word: StoreUnreachable; Progressing if other runs compute it.", 256),
    ]
    message: Annotated[str, text("Why, for a person.", MESSAGE_LENGTH)] = ""


class ClusterStatus(ApiStruct, frozen=True):
    """The Dask cluster of the run."""

    name: Annotated[str, text("Name of the DaskCluster.", NAME_LENGTH)] | None = None
    dashboard_url: (
        Annotated[str, text("Dashboard of the scheduler, within the cluster.", URL_LENGTH)] | None
    ) = msgspec.field(name="dashboardURL", default=None)
    workers: Annotated[int, number("Workers that are ready.", 0)] | None = None


class RunnerStatus(ApiStruct, frozen=True):
    """The pod that drives the run."""

    job: Annotated[str, text("Name of its Job.", NAME_LENGTH)] | None = None
    attempts: Annotated[int, number("Pods that were started.", 0)] | None = None


class ReportStatus(ApiStruct, frozen=True):
    """The report of the run."""

    url: Annotated[str, text("S3 URL of the report.", URL_LENGTH)] | None = None


class WorkPlanStatus(ApiStruct, frozen=True):
    """How far a WorkPlan is; everything in it is bounded, the whole lies in the run's folder."""

    observed_generation: Annotated[
        int, number("Generation of the spec that was looked at; -1 before the first look.", -1)
    ] = -1
    conditions: Annotated[
        tuple[Condition, ...],
        items(
            "What is true of the WorkPlan.",
            16,
            x_kubernetes_list_type="map",
            x_kubernetes_list_map_keys=["type"],
        ),
    ] = ()
    phase: Annotated[str, text("One word for a person; tools read conditions.", 64)] | None = None
    reason: Annotated[str, text("Reason of the deciding condition.", 256)] | None = None
    message: Annotated[str, text("Message of the deciding condition.", 32_768)] | None = None
    start_time: Annotated[datetime | None, doc("When the WorkPlan was accepted.")] = None
    completion_time: Annotated[datetime | None, doc("When it ended.")] = None
    duration: (
        Annotated[str, text("Time from start to end, without time spent suspended.", 32)] | None
    ) = None
    workers_ready_time: Annotated[
        datetime | None, doc("When the first worker was ready: the end of the start deadline.")
    ] = None
    suspend_time: Annotated[datetime | None, doc("When the present suspension began.")] = None
    suspended_seconds: (
        Annotated[float, number("Time spent in suspensions that are over.", 0)] | None
    ) = None
    operations: Annotated[OperationCounts | None, doc("Operations by their state.")] = None
    progress: Annotated[str, text("Operations done, and all of them: 12/40.", 32)] | None = None
    results: Annotated[tuple[GoalResult, ...], items("Results in goal order.", 1000)] | None = None
    results_omitted: (
        Annotated[int, number("Results that are left out here; all are in the run's folder.", 0)]
        | None
    ) = None
    failures: (
        Annotated[tuple[OperationFailure, ...], items("Operations that failed for good.", 100)]
        | None
    ) = None
    failures_omitted: (
        Annotated[int, number("Failures that are left out here; all are in the run's folder.", 0)]
        | None
    ) = None
    outcome: Annotated[Outcome | None, doc("How the run ended, as the runner saw it.")] = None
    waiting: Annotated[Waiting | None, doc("What the runner waits for.")] = None
    cluster: Annotated[ClusterStatus | None, doc("The Dask cluster of the run.")] = None
    runner: Annotated[RunnerStatus | None, doc("The pod that drives the run.")] = None
    report: Annotated[ReportStatus | None, doc("The report of the run.")] = None
    run_url: (
        Annotated[str, text("S3 URL of the folder with everything about the run.", URL_LENGTH)]
        | None
    ) = msgspec.field(name="runURL", default=None)
    source_digest: (
        Annotated[str, text("sha256:<hex> of the document that was read.", 71)] | None
    ) = None
