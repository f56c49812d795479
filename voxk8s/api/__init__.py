"""The WorkPlan resource: its types, its conditions and its CRD. Pure.

`spec` and `status` hold the types, with `base`; `workplan` decodes and encodes.
`crd` generates the CustomResourceDefinition from them, by `openapi_schema` and `cel_rules`.
`runner_status` builds the part of the status that the runner owns, within `status_limits`.
"""

from voxk8s.api.base import ApiStruct, Json
from voxk8s.api.conditions import find_condition, is_condition, remove_condition, set_condition
from voxk8s.api.runner_status import (
    RUNNER_FIELDS,
    encode_runner_status,
    parse_finished,
    progress_text,
)
from voxk8s.api.spec import (
    Cache,
    Cluster,
    ConfigMapReference,
    EnvironmentVariable,
    LocalReference,
    OnFailure,
    Output,
    PodTemplate,
    Resources,
    Retry,
    Source,
    Store,
    TimeToLive,
    Toleration,
    WorkPlanSpec,
)
from voxk8s.api.status import (
    ClusterStatus,
    Condition,
    ConditionStatus,
    GoalResult,
    OperationCounts,
    OperationFailure,
    Outcome,
    ReportStatus,
    RunnerStatus,
    Waiting,
    WorkPlanStatus,
)
from voxk8s.api.status_limits import bound_failures, bound_results, json_value, truncate_value
from voxk8s.api.workplan import (
    INITIAL_STATUS,
    ObjectMeta,
    OwnerReference,
    WorkPlanResource,
    decode_resource,
    decode_status,
    encode,
)

__all__ = [
    "INITIAL_STATUS",
    "RUNNER_FIELDS",
    "ApiStruct",
    "Cache",
    "Cluster",
    "ClusterStatus",
    "Condition",
    "ConditionStatus",
    "ConfigMapReference",
    "EnvironmentVariable",
    "GoalResult",
    "Json",
    "LocalReference",
    "ObjectMeta",
    "OnFailure",
    "OperationCounts",
    "OperationFailure",
    "Outcome",
    "Output",
    "OwnerReference",
    "PodTemplate",
    "ReportStatus",
    "Resources",
    "Retry",
    "RunnerStatus",
    "Source",
    "Store",
    "TimeToLive",
    "Toleration",
    "Waiting",
    "WorkPlanResource",
    "WorkPlanSpec",
    "WorkPlanStatus",
    "bound_failures",
    "bound_results",
    "decode_resource",
    "decode_status",
    "encode",
    "encode_runner_status",
    "find_condition",
    "is_condition",
    "json_value",
    "parse_finished",
    "progress_text",
    "remove_condition",
    "set_condition",
    "truncate_value",
]
