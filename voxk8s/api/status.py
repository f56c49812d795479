"""Types of `WorkPlan.status`; field descriptions are what `kubectl explain` shows.

Two field managers write it: the runner owns the fields in `runner_status.RUNNER_FIELDS`, the
operator owns the others.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from voxk8s.api.base import OPAQUE, ApiStruct, Json, by_key, doc, items, number, text
from voxk8s.api.spec import GROUP_NAME_LENGTH, MAX_WORKER_GROUPS, NAME_LENGTH, URL_LENGTH

ConditionStatus: TypeAlias = Literal["True", "False", "Unknown"]
MESSAGE_LENGTH = 4096
RETRY_TOKEN_LENGTH = 256


class Condition(ApiStruct, frozen=True):
    """A condition, as in other Kubernetes resources."""

    type: Annotated[str, text("Type of the condition, such as Ready or Succeeded.", 316, 1)]
    status: Annotated[ConditionStatus, doc("True, False or Unknown.")]
    reason: Annotated[str, text("Reason for the status, in CamelCase.", 256, 1)]
    message: Annotated[str, text("Explanation for people.", 32_768)]
    last_transition_time: Annotated[datetime, doc("When the status last changed.")]
    observed_generation: (
        Annotated[int, number("Generation of the spec that the condition refers to.", 0)] | None
    ) = None


class OperationCounts(ApiStruct, frozen=True):
    """Numbers of distinct operations that the goals need, without constants."""

    total: Annotated[int, number("All operations.", 0)]
    cached: Annotated[int, number("Operations whose results were found in the store.", 0)]
    computed: Annotated[int, number("Operations computed in this run.", 0)]
    failed: Annotated[int, number("Operations that failed and are not retried.", 0)]
    running: Annotated[int, number("Operations being computed.", 0)]
    pending: Annotated[int, number("Operations that have not started.", 0)]


class GoalResult(ApiStruct, frozen=True):
    """The result of a goal: a value, or a file in the store."""

    goal: Annotated[str, text("Name of the goal.", 4096)]
    kind: Annotated[Literal["print", "save"], doc("print for a value, save for a file.")]
    operation: Annotated[str, text("Id of the operation in the plan.", 128)] | None = None
    value: Annotated[Json, doc("The value as JSON; long values are truncated.", **OPAQUE)] = (
        msgspec.field(default=msgspec.UNSET)
    )
    line: (
        Annotated[
            str,
            text(
                "The line that voxk8s run prints, where the API server writes the value otherwise:"
                " 709723.0 as 709723.",
                4096,
            ),
        ]
        | None
    ) = None
    truncated: Annotated[bool | None, doc("Whether the value is truncated here.")] = None
    url: Annotated[str, text("S3 URL of the file in the store.", URL_LENGTH)] | None = None
    digest: Annotated[str, text("sha256:<hex> of the complete value or file.", 71)] | None = None
    media_type: Annotated[str, text("Media type of the file.", 255)] | None = None
    size_bytes: Annotated[int, number("Size of the file in bytes.", 0)] | None = None
    not_finite: (
        Annotated[
            str,
            text("That NaN or infinities are in it, and the operation where they began.", 4096),
        ]
        | None
    ) = None


class OperationFailure(ApiStruct, frozen=True):
    """An operation that failed and is not retried."""

    operation: Annotated[str, text("Id of the operation in the plan.", 128)]
    kernel: Annotated[str, text("Name of the kernel.", NAME_LENGTH)]
    message: Annotated[str, text("Error message.", MESSAGE_LENGTH)]


class SkippedItem(ApiStruct, frozen=True):
    """An item that a loop went on without."""

    item: Annotated[str, text("Position of the item in its sequence, and its value.", 4096)]
    operation: Annotated[str, text("Id of the operation that failed.", 128)]
    kernel: Annotated[str, text("Name of the kernel.", NAME_LENGTH)]
    message: Annotated[str, text("Error message.", MESSAGE_LENGTH)]


class StoreCounts(ApiStruct, frozen=True):
    """What the runner and the workers did at the store."""

    hits: Annotated[int, number("Values that were read.", 0)] = 0
    misses: Annotated[int, number("Values that were to be read and were not there.", 0)] = 0
    known: Annotated[int, number("Keys that were looked up and have results.", 0)] = 0
    unknown: Annotated[int, number("Keys that were looked up and have none.", 0)] = 0
    created: Annotated[int, number("Values that were stored.", 0)] = 0
    existing: Annotated[int, number("Values that were stored already.", 0)] = 0
    nondeterministic: Annotated[
        int, number("Values that differ from those that were stored already.", 0)
    ] = 0
    corrupt: Annotated[int, number("Corrupt objects that were moved to quarantine.", 0)] = 0
    healed: Annotated[int, number("Damaged results that were repaired.", 0)] = 0
    requests: Annotated[int, number("Requests to the store.", 0)] = 0
    retries: Annotated[int, number("How often requests were sent again.", 0)] = 0
    bytes_read: Annotated[int, number("Bytes of objects that were read.", 0)] = 0
    bytes_written: Annotated[int, number("Bytes of objects that were written.", 0)] = 0


class KernelWork(ApiStruct, frozen=True):
    """The work of one kernel."""

    kernel: Annotated[str, text("Name of the kernel.", NAME_LENGTH)]
    computed: Annotated[int, number("Operations that were computed.", 0)] = 0
    found: Annotated[int, number("Operations whose results were in the store.", 0)] = 0
    failed: Annotated[int, number("Operations that failed.", 0)] = 0
    seconds: Annotated[float, number("Seconds of all computed operations.", 0)] = 0.0
    bytes: Annotated[int, number("Bytes of all computed values in memory.", 0)] = 0


class Outcome(ApiStruct, frozen=True):
    """How the run ended, as the runner reports it; absent while the run lasts."""

    state: Annotated[
        Literal["Succeeded", "Failed"], doc("Succeeded if all goals were reached, else Failed.")
    ]
    reason: Annotated[str, text("Reason for the state, in CamelCase.", 256)]
    message: Annotated[str, text("Explanation for people.", MESSAGE_LENGTH)] = ""
    non_deterministic: (
        Annotated[
            tuple[Annotated[str, text("A result key.", 64)], ...],
            items("Result keys for which two different values were computed.", 16),
        ]
        | None
    ) = None
    finish_time: Annotated[datetime | None, doc("When the run ended.")] = None
    store: Annotated[StoreCounts | None, doc("What the run did at the store.")] = None
    kernels: (
        Annotated[
            tuple[KernelWork, ...],
            items("Work by kernel; those with the most seconds. All are in results.json.", 50),
        ]
        | None
    ) = None


class Waiting(ApiStruct, frozen=True):
    """What the runner waits for, before or while it computes."""

    reason: Annotated[
        str,
        text("Reason: StoreUnreachable; Progressing if other runs compute the results.", 256),
    ]
    message: Annotated[str, text("Explanation for people.", MESSAGE_LENGTH)] = ""


class WorkerGroupStatus(ApiStruct, frozen=True):
    """The workers of a group beside the default one."""

    name: Annotated[str, text("Name of the group.", GROUP_NAME_LENGTH, 1)]
    desired_workers: Annotated[
        int, number("Number of workers that the group is to have until the run ends.", 0)
    ]
    workers: Annotated[int, number("Number of its ready workers.", 0)]


class ClusterStatus(ApiStruct, frozen=True):
    """The Dask cluster of the run."""

    name: Annotated[str, text("Name of the DaskCluster.", NAME_LENGTH)] | None = None
    dashboard_url: (
        Annotated[str, text("URL of the Dask dashboard inside the cluster.", URL_LENGTH)] | None
    ) = msgspec.field(name="dashboardURL", default=None)
    workers: Annotated[int, number("Number of ready workers, of all groups.", 0)] | None = None
    worker_groups: (
        Annotated[
            tuple[WorkerGroupStatus, ...],
            items(
                "Workers of the groups in spec.cluster.workerGroups that the run needs, while it"
                " has its cluster.",
                MAX_WORKER_GROUPS,
                **by_key("name"),
            ),
        ]
        | None
    ) = None


class RunnerStatus(ApiStruct, frozen=True):
    """The runner of the run."""

    job: Annotated[str, text("Name of the Job.", NAME_LENGTH)] | None = None
    attempts: Annotated[int, number("Number of pods that the Job has started.", 0)] | None = None


class ReportStatus(ApiStruct, frozen=True):
    """The report of the run."""

    url: Annotated[str, text("S3 URL of the report.", URL_LENGTH)] | None = None


class WorkPlanStatus(ApiStruct, frozen=True):
    """Observed state of a WorkPlan; bounded, all results are in the run's folder of the store."""

    observed_generation: Annotated[
        int, number("Generation of the spec that the operator has observed; -1 if none.", -1)
    ] = -1
    conditions: Annotated[
        tuple[Condition, ...],
        items(
            "Conditions of the WorkPlan.",
            16,
            **by_key("type"),
        ),
    ] = ()
    phase: Annotated[str, text("Summary for people; tools should read conditions.", 64)] | None = (
        None
    )
    reason: Annotated[str, text("Reason of the condition that decides the phase.", 256)] | None = (
        None
    )
    message: (
        Annotated[str, text("Message of the condition that decides the phase.", 32_768)] | None
    ) = None
    start_time: Annotated[datetime | None, doc("When the WorkPlan was accepted.")] = None
    completion_time: Annotated[datetime | None, doc("When the WorkPlan succeeded or failed.")] = (
        None
    )
    duration: (
        Annotated[
            str,
            text(
                "Time from start to completion, without suspensions; absent while the run lasts.",
                32,
            ),
        ]
        | None
    ) = None
    workers_ready_time: Annotated[
        datetime | None, doc("When the first worker became ready, which ends the start deadline.")
    ] = None
    suspend_time: Annotated[datetime | None, doc("When the current suspension began.")] = None
    suspended_seconds: (
        Annotated[float, number("Seconds spent in previous suspensions.", 0)] | None
    ) = None
    operations: Annotated[OperationCounts | None, doc("Numbers of operations by state.")] = None
    progress: (
        Annotated[str, text("Finished operations and all operations, such as 12/40.", 32)] | None
    ) = None
    estimated_completion_time: Annotated[
        datetime | None,
        doc(
            "When the run is expected to end, by the seconds that its operations have taken so far"
            " and in earlier runs; absent if that is not known."
        ),
    ] = None
    results: (
        Annotated[
            tuple[GoalResult, ...], items("Results of the goals, in the order of the plan.", 1000)
        ]
        | None
    ) = None
    results_omitted: (
        Annotated[int, number("Number of results omitted here; see results.json at runURL.", 0)]
        | None
    ) = None
    failures: (
        Annotated[
            tuple[OperationFailure, ...], items("Operations that failed and are not retried.", 100)
        ]
        | None
    ) = None
    failures_omitted: (
        Annotated[int, number("Number of failures omitted here; see results.json at runURL.", 0)]
        | None
    ) = None
    skipped_items: (
        Annotated[
            tuple[SkippedItem, ...],
            items("Items that failed and that loops went on without (onItemFailure: Skip).", 100),
        ]
        | None
    ) = None
    skipped_items_omitted: (
        Annotated[int, number("Number of items omitted here; see results.json at runURL.", 0)]
        | None
    ) = None
    outcome: Annotated[Outcome | None, doc("How the run ended, as the runner reports it.")] = None
    waiting: Annotated[Waiting | None, doc("What the runner waits for.")] = None
    cluster: Annotated[ClusterStatus | None, doc("The Dask cluster of the run.")] = None
    runner: Annotated[RunnerStatus | None, doc("The runner of the run.")] = None
    report: Annotated[ReportStatus | None, doc("The report of the run.")] = None
    run_url: (
        Annotated[str, text("S3 URL of the folder with the files of the run.", URL_LENGTH)] | None
    ) = msgspec.field(name="runURL", default=None)
    retry: (
        Annotated[
            str,
            text(
                "Value of the annotation voxk8s.io/retry when the run began; after its end any"
                " other one starts the next run.",
                RETRY_TOKEN_LENGTH,
            ),
        ]
        | None
    ) = None
    source_digest: (
        Annotated[str, text("sha256:<hex> of the plan document or program that was read.", 71)]
        | None
    ) = None
