"""Types of `WorkPlan.spec`; field descriptions are what `kubectl explain` shows."""

from typing import Annotated, Final, Literal, TypeAlias

from voxk8s.api.base import OPAQUE, ApiStruct, Json, by_key, doc, items, number, text
from voxk8s.api.plan_schema import PLAN_SCHEMA
from voxk8s.constants import MANAGED_BY_OPERATOR

NAME_LENGTH = 253
URL_LENGTH = 2048
GROUP_NAME_LENGTH = 16
MAX_WORKER_GROUPS = 8
_DAY = 24 * 3600
_YEAR = 365 * _DAY

# A structural schema has no type for "integer or object" that a CEL rule could inspect. Text is
# rejected by a pattern that it cannot match, which the error message then quotes as the hint.
_NO_TEXT = "^a number of seconds, or succeeded and failed$"
# For the same reason the schema of the object is written by hand.
_SECONDS: Final = {"type": "integer", "format": "int64", "minimum": 0}
_NEITHER_LIST_NOR_FLAG: Final = {"minItems": 1, "maxItems": 0, "not": {"enum": [True, False]}}
_NEITHER_LIST_NOR_OBJECT: Final = {
    "minItems": 1,
    "maxItems": 0,
    "minProperties": 1,
    "maxProperties": 0,
}
_OUTCOMES: Final = {
    "succeeded": {
        **_SECONDS,
        "description": "Seconds to keep it after success; forever if omitted.",
    },
    "failed": {**_SECONDS, "description": "Seconds to keep it after failure; forever if omitted."},
}

Cache: TypeAlias = Literal["Use", "Refresh", "Bypass"]
OnFailure: TypeAlias = Literal["Continue", "FailFast"]
OnItemFailure: TypeAlias = Literal["Fail", "Skip"]


class LocalReference(ApiStruct, frozen=True):
    """A reference to an object in the namespace of the WorkPlan."""

    name: Annotated[str, text("Name of the object.", NAME_LENGTH, 1)]


class ConfigMapReference(ApiStruct, frozen=True):
    """A key of a ConfigMap in the namespace of the WorkPlan."""

    name: Annotated[str, text("Name of the ConfigMap.", NAME_LENGTH, 1)]
    key: Annotated[
        str,
        text("Key, ending in .imgql (a program), .json, .yaml or .yml (a plan).", NAME_LENGTH, 1),
    ]


class Source(ApiStruct, frozen=True):
    """Source of the plan: exactly one of plan, program, configMapRef and url."""

    plan: Annotated[
        dict[str, Json] | None,
        doc(
            "A plan document with nodes and goals, up to about 1 MB; use url for larger ones. The"
            " larger it is, the less often is the status updated: every 16 s at 1 MB.",
            **PLAN_SCHEMA,
            **OPAQUE,
        ),
    ] = None
    program: Annotated[str, text("An ImgQL program.", 1_000_000)] | None = None
    config_map_ref: Annotated[
        ConfigMapReference | None,
        doc("Key of a ConfigMap that holds a plan document or an ImgQL program."),
    ] = None
    url: (
        Annotated[
            str,
            text(
                "URL of a plan document or an ImgQL program: s3:// (read with the credentials of"
                " the store), https:// or http://. It ends in .imgql, .json, .yaml or .yml.",
                URL_LENGTH,
                1,
            ),
        ]
        | None
    ) = None
    digest: (
        Annotated[str, text("Digest that the document at url must have: sha256:<hex>.", 71, 71)]
        | None
    ) = None
    parameters: Annotated[
        dict[str, Annotated[str, text("Value of the parameter.", 65_536)]] | None,
        doc("Values of the parameters $NAME of a program, by name.", maxProperties=256),
    ] = None


class Store(ApiStruct, frozen=True):
    """A result store to use instead of the operator's default store."""

    url: Annotated[str, text("Bucket and prefix, as s3://bucket/prefix.", URL_LENGTH, 1)]
    endpoint: Annotated[str, text("URL of the S3 server; AWS if omitted.", URL_LENGTH)] | None = (
        None
    )
    region: Annotated[str, text("Region of the bucket.", 63)] | None = None
    credentials_secret_ref: Annotated[
        LocalReference | None,
        doc(
            "Secret with the keys AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, optionally,"
            " AWS_SESSION_TOKEN."
        ),
    ] = None


_QUANTITY: Final = (
    r"^\+?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})"
    r"([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$"
)
Quantity: TypeAlias = Annotated[
    int | str,
    doc(
        "A Kubernetes quantity, such as 500m or 2Gi.",
        x_kubernetes_int_or_string=True,
        pattern=_QUANTITY,
    ),
]


class Resources(ApiStruct, frozen=True):
    """Compute resources of a container, as in a Pod."""

    requests: Annotated[
        dict[str, Quantity] | None,
        doc("Resources that are reserved on the node.", maxProperties=16),
    ] = None
    limits: Annotated[
        dict[str, Quantity] | None,
        doc("Maximum resources that the container may use.", maxProperties=16),
    ] = None


class Toleration(ApiStruct, frozen=True):
    """A toleration of node taints, as in a Pod."""

    key: Annotated[str, text("Key of the taint; all keys if omitted.", 317)] | None = None
    operator: Annotated[
        Literal["Exists", "Equal"] | None, doc("How the value is compared; Equal if omitted.")
    ] = None
    value: Annotated[str, text("Value of the taint.", 63)] | None = None
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None,
        doc("Effect of the taint; all effects if omitted."),
    ] = None
    toleration_seconds: (
        Annotated[
            int,
            number(
                "Seconds for which a NoExecute taint is tolerated; forever if omitted.", 0, _YEAR
            ),
        ]
        | None
    ) = None


class EnvironmentVariable(ApiStruct, frozen=True):
    """An environment variable with a literal value.

    References to Secrets are omitted on purpose: a WorkPlan must not read arbitrary Secrets.
    """

    name: Annotated[str, text("Name of the variable.", NAME_LENGTH, 1)]
    value: Annotated[str, text("Value of the variable.", 4096)] = ""


class EnvironmentSource(ApiStruct, frozen=True):
    """A ConfigMap or a Secret whose keys become environment variables: one of both."""

    config_map_ref: Annotated[LocalReference | None, doc("The ConfigMap.")] = None
    secret_ref: Annotated[LocalReference | None, doc("The Secret.")] = None
    prefix: Annotated[str, text("Beginning of the variables' names.", NAME_LENGTH)] | None = None

    @property
    def source(self) -> str:
        """Return the source as the chart's policy names it: configmap/NAME or secret/NAME."""
        if self.secret_ref is not None:
            return f"secret/{self.secret_ref.name}"
        return f"configmap/{self.config_map_ref.name if self.config_map_ref else ''}"


class HostAlias(ApiStruct, frozen=True):
    """Names of an address, as in a Pod."""

    ip: Annotated[str, text("The address.", 45, 2)]
    hostnames: Annotated[
        tuple[Annotated[str, text("A name of the address.", NAME_LENGTH, 1)], ...],
        items("Names of the address.", 16),
    ]


class TopologySpread(ApiStruct, frozen=True):
    """How the pods of one component of the run are spread, as in a Pod."""

    topology_key: Annotated[str, text("Label of nodes, such as a zone.", 317, 1)]
    max_skew: Annotated[int, number("How much the numbers of pods may differ.", 1, 10_000)] = 1
    when_unsatisfiable: Annotated[
        Literal["DoNotSchedule", "ScheduleAnyway"], doc("What happens if that is impossible.")
    ] = "ScheduleAnyway"


class PodTemplate(ApiStruct, frozen=True):
    """Settings for the pods of one component; omitted fields have the operator's defaults."""

    resources: Annotated[Resources | None, doc("CPU, memory and devices of the container.")] = None
    node_selector: Annotated[
        dict[str, Annotated[str, text("Value of the label.", 63)]] | None,
        doc("Labels that the node must have.", maxProperties=32),
    ] = None
    tolerations: (
        Annotated[tuple[Toleration, ...], items("Tolerations of node taints.", 32)] | None
    ) = None
    affinity: Annotated[
        dict[str, Json] | None,
        doc("Affinity as in a Pod, validated when the pods are created.", **OPAQUE),
    ] = None
    priority_class_name: (
        Annotated[str, text("Name of the PriorityClass of the pods.", NAME_LENGTH)] | None
    ) = None
    labels: Annotated[
        dict[str, Annotated[str, text("Value of the label.", 63)]] | None,
        doc("Additional labels; labels that voxk8s sets take precedence.", maxProperties=32),
    ] = None
    annotations: Annotated[
        dict[str, Annotated[str, text("Value of the annotation.", 4096)]] | None,
        doc("Annotations of the pods.", maxProperties=32),
    ] = None
    env: (
        Annotated[
            tuple[EnvironmentVariable, ...],
            items(
                "Additional variables; variables that voxk8s sets take precedence.",
                64,
                **by_key("name"),
            ),
        ]
        | None
    ) = None
    env_from: (
        Annotated[
            tuple[EnvironmentSource, ...],
            items("ConfigMaps and Secrets with variables; others of their names win.", 16),
        ]
        | None
    ) = None
    runtime_class_name: (
        Annotated[str, text("Name of the RuntimeClass of the pods.", NAME_LENGTH)] | None
    ) = None
    scheduler_name: (
        Annotated[str, text("Name of the scheduler of the pods.", NAME_LENGTH)] | None
    ) = None
    host_aliases: (
        Annotated[
            tuple[HostAlias, ...], items("Names of addresses in the pods.", 16, **by_key("ip"))
        ]
        | None
    ) = None
    topology_spread_constraints: (
        Annotated[
            tuple[TopologySpread, ...],
            items("How the pods of the component are spread over nodes.", 8),
        ]
        | None
    ) = None


class Volume(ApiStruct, frozen=True):
    """A volume with inputs."""

    claim_name: Annotated[
        str,
        doc(
            "Name of a PersistentVolumeClaim in the namespace of the WorkPlan.",
            minLength=1,
            maxLength=NAME_LENGTH,
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        ),
    ]


class WorkerGroup(ApiStruct, frozen=True):
    """Workers beside the default ones, for operations that need what these do not offer."""

    name: Annotated[
        str,
        doc(
            "Name of the group, such as gpu or spot.",
            minLength=1,
            maxLength=GROUP_NAME_LENGTH,
            pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$",
        ),
    ]
    min_workers: Annotated[
        int,
        number(
            "Minimum number of workers while the run lasts, whether operations need the group or"
            " not.",
            0,
            10_000,
        ),
    ] = 0
    max_workers: Annotated[
        int,
        number(
            "Maximum number of workers. More than minWorkers are started if operations are left"
            " that need the group, no more than these keep busy, and stay until the run ends.",
            1,
            10_000,
        ),
    ] = 1
    threads_per_worker: (
        Annotated[
            int,
            number(
                "Number of operations that one worker computes at a time; that of the cluster if"
                " omitted.",
                1,
                1024,
            ),
        ]
        | None
    ) = None
    provides: Annotated[
        dict[str, Annotated[int, number("Amount.", 1, 10**15)]] | None,
        doc(
            "What each worker offers to operations of kernels that need it, by name, such as"
            " MEMORY: 64. A limit of nvidia.com/gpu offers GPU without being named here. A group"
            " that offers nothing takes what is too much for the default workers.",
            maxProperties=16,
        ),
    ] = None
    worker: Annotated[PodTemplate | None, doc("Pods of the workers of the group.")] = None
    image: (
        Annotated[str, text("Image of these pods; that of the cluster if omitted.", 1024)] | None
    ) = None


class Cluster(ApiStruct, frozen=True):
    """The Dask cluster of the run."""

    min_workers: Annotated[
        int, number("Minimum number of workers while the run lasts.", 0, 10_000)
    ] = 0
    max_workers: Annotated[int, number("Maximum number of workers.", 1, 10_000)] = 8
    threads_per_worker: Annotated[
        int, number("Number of operations that one worker computes at a time.", 1, 1024)
    ] = 4
    worker: Annotated[
        PodTemplate | None, doc("Pods of the Dask workers, which compute operations.")
    ] = None
    worker_groups: (
        Annotated[
            tuple[WorkerGroup, ...],
            items(
                "More workers, of other kinds: with GPUs, on spot nodes, or with more memory.",
                MAX_WORKER_GROUPS,
                **by_key("name"),
            ),
        ]
        | None
    ) = None
    scheduler: Annotated[PodTemplate | None, doc("Pod of the Dask scheduler.")] = None
    runner: Annotated[
        PodTemplate | None, doc("Pod of the runner, which submits operations to the scheduler.")
    ] = None
    image: (
        Annotated[
            str, text("Image of all pods of the run; the operator's default if omitted.", 1024)
        ]
        | None
    ) = None
    image_pull_secrets: (
        Annotated[
            tuple[LocalReference, ...],
            items("Secrets with credentials of the image registry.", 16, **by_key("name")),
        ]
        | None
    ) = None
    service_account_name: (
        Annotated[
            str,
            text(
                "ServiceAccount of workers and runner, which has access to the store or to inputs;"
                " the chart's if omitted. The chart's policy must allow it. Not together with"
                " store.endpoint.",
                NAME_LENGTH,
            ),
        ]
        | None
    ) = None
    volumes: (
        Annotated[
            tuple[Volume, ...],
            items(
                "Volumes that workers and runner mount read-only: inputs in them are"
                " pvc://CLAIM/path. The chart's policy must allow them.",
                16,
                **by_key("claimName"),
            ),
        ]
        | None
    ) = None
    keep_on_failure_seconds: (
        Annotated[
            int,
            number(
                "Seconds to keep the Dask cluster after the run has failed, to look at it. It"
                " counts for limits of clusters.",
                0,
                _DAY,
            ),
        ]
        | None
    ) = None


class Output(ApiStruct, frozen=True):
    """Where saved files are copied to, under their own names."""

    url: Annotated[
        str, text("An s3:// prefix, written with the credentials of the store.", URL_LENGTH, 1)
    ]


class Retry(ApiStruct, frozen=True):
    """How an operation is retried after a transient error."""

    limit: Annotated[int, number("Maximum number of retries.", 0, 100)] = 3
    backoff_seconds: Annotated[
        float, number("Seconds before the first retry; doubled for each further one.", 0, _DAY)
    ] = 1.0
    max_backoff_seconds: Annotated[
        float, number("Maximum seconds between two attempts.", 0, _DAY)
    ] = 60.0


class TimeToLive(ApiStruct, frozen=True):
    """Seconds to keep a finished WorkPlan, by its outcome; forever if omitted."""

    succeeded: Annotated[int, number("Seconds to keep it after success.", 0)] | None = None
    failed: Annotated[int, number("Seconds to keep it after failure.", 0)] | None = None


class Expected(ApiStruct, frozen=True):
    """The value that a printed goal is expected to have."""

    goal: Annotated[str, text("Name of a goal that prints a value.", 4096, 1)]
    value: Annotated[
        bool | int | float | str,
        doc(
            "The value: a number, a string or a truth value.",
            **_NEITHER_LIST_NOR_OBJECT,
            **OPAQUE,
        ),
    ]
    within: Annotated[float, number("How far a number may be from the value.", 0)] = 0.0


class WorkPlanSpec(ApiStruct, frozen=True):
    """A plan and how to run it."""

    source: Annotated[Source, doc("Source of the plan. Immutable.")]
    store: Annotated[
        Store | None, doc("Result store; the operator's default store if omitted.")
    ] = None
    cluster: Annotated[
        Cluster, doc("The Dask cluster that computes the operations whose results are not stored.")
    ] = Cluster()
    output: Annotated[
        Output | None,
        doc("Where to copy saved files, in addition to the result store."),
    ] = None
    cache: Annotated[
        Cache,
        doc(
            "Use: read results from the store and write new ones. Refresh: compute everything and"
            " write the results. Bypass: compute everything and store no results."
        ),
    ] = "Use"
    on_failure: Annotated[
        OnFailure,
        doc(
            "Continue: after a failure, still reach the goals that do not depend on it. FailFast:"
            " stop the run."
        ),
    ] = "Continue"
    on_item_failure: Annotated[
        OnItemFailure,
        doc(
            "What a loop does with an item that fails for good. Fail: the loop fails. Skip: it goes"
            " on without the item, which status.skippedItems names."
        ),
    ] = "Fail"
    expect: (
        Annotated[
            tuple[Expected, ...],
            items(
                "Values that goals are expected to have, beside those of `expect` in a program. If"
                " one differs, the WorkPlan fails with the reason ExpectationFailed; all results"
                " are delivered.",
                256,
            ),
        ]
        | None
    ) = None
    retry: Annotated[Retry | None, doc("How operations are retried after transient errors.")] = None
    start_deadline_seconds: (
        Annotated[
            int,
            number(
                "Maximum seconds from acceptance to the first ready worker, and to one of each"
                " worker group that the run needs if nothing can be computed before.",
                1,
                _YEAR,
            ),
        ]
        | None
    ) = None
    active_deadline_seconds: (
        Annotated[
            int,
            number(
                "Maximum seconds from acceptance to the end; suspensions are excluded.", 1, _YEAR
            ),
        ]
        | None
    ) = None
    ttl_seconds_after_finished: Annotated[
        int | TimeToLive | None,
        doc(
            "Seconds to keep the WorkPlan after its end: a number, or {succeeded, failed}; forever"
            " if omitted. Results are not deleted with it.",
            minimum=0,
            multipleOf=1,
            pattern=_NO_TEXT,
            properties=_OUTCOMES,
            **_NEITHER_LIST_NOR_FLAG,
            **OPAQUE,
        ),
    ] = None
    suspend: Annotated[
        bool, doc("Delete the Dask cluster and pause the run; results stay in the store.")
    ] = False
    managed_by: (
        Annotated[
            str,
            text(
                "Controller that is to run this WorkPlan: the operator does nothing for one with"
                " another name than its own, voxk8s.io/operator, and asks Kueue for no quota."
                " Immutable.",
                63,
                1,
            ),
        ]
        | None
    ) = None
    priority: Annotated[
        int,
        number(
            "WorkPlans with a higher priority are looked up and started first in their namespace.",
            -1000,
            1000,
        ),
    ] = 0

    @property
    def effective_retry(self) -> Retry:
        """The retry policy, with defaults if it is omitted."""
        return self.retry or Retry()

    @property
    def is_managed_by_another(self) -> bool:
        """Whether another controller than the operator is to act on the WorkPlan."""
        return self.managed_by not in (None, MANAGED_BY_OPERATOR)

    def time_to_live(self, succeeded: bool) -> int | None:
        """Return the seconds to keep the WorkPlan after success or failure; None means forever."""
        ttl = self.ttl_seconds_after_finished
        if isinstance(ttl, TimeToLive):
            return ttl.succeeded if succeeded else ttl.failed
        return ttl
