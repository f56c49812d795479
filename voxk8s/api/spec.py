"""What a user asks for: `WorkPlan.spec`."""

from typing import Annotated, Final, Literal, TypeAlias

from voxk8s.api.base import OPAQUE, ApiStruct, Json, doc, items, number, text

NAME_LENGTH = 253
URL_LENGTH = 2048
_DAY = 24 * 3600
_YEAR = 365 * _DAY

# A choice of number and object has no type that a rule could look at: this pattern, which nobody
# will write, is how text is refused with a word of help.
_NO_TEXT = "^a number of seconds, or succeeded and failed$"
# For the same reason the fields of the object are written out by hand.
_SECONDS: Final = {"type": "integer", "format": "int64", "minimum": 0}
_NEITHER_LIST_NOR_FLAG: Final = {"minItems": 1, "maxItems": 0, "not": {"enum": [True, False]}}
_OUTCOMES: Final = {
    "succeeded": {**_SECONDS, "description": "Seconds after success."},
    "failed": {**_SECONDS, "description": "Seconds after failure."},
}

Cache: TypeAlias = Literal["Use", "Refresh", "Bypass"]
OnFailure: TypeAlias = Literal["Continue", "FailFast"]


class LocalReference(ApiStruct, frozen=True):
    """An object of the same namespace."""

    name: Annotated[str, text("Its name.", NAME_LENGTH, 1)]


class ConfigMapReference(ApiStruct, frozen=True):
    """A key of a ConfigMap of the same namespace."""

    name: Annotated[str, text("Name of the ConfigMap.", NAME_LENGTH, 1)]
    key: Annotated[
        str,
        text("Key whose suffix says what it holds: .imgql, .json, .yaml or .yml.", NAME_LENGTH, 1),
    ]


class Source(ApiStruct, frozen=True):
    """Where the plan comes from: exactly one of plan, program, configMapRef and url."""

    plan: Annotated[
        dict[str, Json] | None,
        doc("A plan document: nodes and goals. Up to about 1 MB; larger ones by url.", **OPAQUE),
    ] = None
    program: Annotated[str, text("An ImgQL program.", 1_000_000)] | None = None
    config_map_ref: Annotated[
        ConfigMapReference | None, doc("A plan document or a program in a ConfigMap.")
    ] = None
    url: (
        Annotated[
            str,
            text(
                "URL of a plan document or a program: s3:// (read with the store's credentials),"
                " https:// or http://.",
                URL_LENGTH,
                1,
            ),
        ]
        | None
    ) = None
    digest: (
        Annotated[str, text("Digest that the document behind url must have: sha256:<hex>.", 71, 71)]
        | None
    ) = None
    parameters: Annotated[
        dict[str, Annotated[str, text("A value.", 65_536)]] | None,
        doc("Values for $NAME in a program.", maxProperties=256),
    ] = None


class Store(ApiStruct, frozen=True):
    """A result store of the user's own, in place of the operator's."""

    url: Annotated[str, text("Bucket and prefix: s3://bucket/prefix.", URL_LENGTH, 1)]
    endpoint: (
        Annotated[str, text("Address of the S3 server; AWS when it is left out.", URL_LENGTH)]
        | None
    ) = None
    region: Annotated[str, text("Region of the bucket.", 63)] | None = None
    credentials_secret_ref: Annotated[
        LocalReference | None,
        doc(
            "Secret with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, optionally,"
            " AWS_SESSION_TOKEN."
        ),
    ] = None


Quantity: TypeAlias = Annotated[
    int | str, doc("A Kubernetes quantity, as in 500m or 2Gi.", x_kubernetes_int_or_string=True)
]


class Resources(ApiStruct, frozen=True):
    """What a container asks for and may use."""

    requests: Annotated[
        dict[str, Quantity] | None, doc("What the node must have free.", maxProperties=16)
    ] = None
    limits: Annotated[
        dict[str, Quantity] | None, doc("What the container may use at most.", maxProperties=16)
    ] = None


class Toleration(ApiStruct, frozen=True):
    """A taint that the pod accepts."""

    key: Annotated[str, text("Key of the taint; every key when left out.", 317)] | None = None
    operator: Annotated[
        Literal["Exists", "Equal"] | None, doc("How value is compared; Equal when left out.")
    ] = None
    value: Annotated[str, text("Value of the taint.", 63)] | None = None
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None,
        doc("Effect of the taint; every effect when left out."),
    ] = None
    toleration_seconds: (
        Annotated[int, number("How long a NoExecute taint is accepted.", 0, _YEAR)] | None
    ) = None


class EnvironmentVariable(ApiStruct, frozen=True):
    """A variable with a plain value; references to Secrets are not offered on purpose."""

    name: Annotated[str, text("Its name.", NAME_LENGTH, 1)]
    value: Annotated[str, text("Its value.", 4096)] = ""


class PodTemplate(ApiStruct, frozen=True):
    """What the pods of one component look like; what is left out is the operator's default."""

    resources: Annotated[Resources | None, doc("CPU, memory and devices of the container.")] = None
    node_selector: Annotated[
        dict[str, Annotated[str, text("A label's value.", 63)]] | None,
        doc("Labels that a node must have.", maxProperties=32),
    ] = None
    tolerations: (
        Annotated[tuple[Toleration, ...], items("Taints that the pods accept.", 32)] | None
    ) = None
    affinity: Annotated[
        dict[str, Json] | None, doc("A Kubernetes affinity, checked when pods are made.", **OPAQUE)
    ] = None
    priority_class_name: Annotated[str, text("Priority class of the pods.", NAME_LENGTH)] | None = (
        None
    )
    labels: Annotated[
        dict[str, Annotated[str, text("A label's value.", 63)]] | None,
        doc("More labels of the pods; those of voxk8s win.", maxProperties=32),
    ] = None
    annotations: Annotated[
        dict[str, Annotated[str, text("An annotation's value.", 4096)]] | None,
        doc("Annotations of the pods.", maxProperties=32),
    ] = None
    env: (
        Annotated[
            tuple[EnvironmentVariable, ...],
            items("More environment variables; those of voxk8s win.", 64),
        ]
        | None
    ) = None


class Cluster(ApiStruct, frozen=True):
    """The Dask cluster of the run."""

    min_workers: Annotated[int, number("Workers that are kept while the run lasts.", 0, 10_000)] = 0
    max_workers: Annotated[int, number("Workers that are used at most.", 1, 10_000)] = 8
    threads_per_worker: Annotated[
        int, number("Operations that one worker computes at a time.", 1, 1024)
    ] = 4
    worker: Annotated[PodTemplate | None, doc("Pods that compute operations.")] = None
    scheduler: Annotated[PodTemplate | None, doc("The pod of the Dask scheduler.")] = None
    runner: Annotated[PodTemplate | None, doc("The pod that drives the run.")] = None
    image: (
        Annotated[str, text("Image of all pods of the run; the operator's when left out.", 1024)]
        | None
    ) = None
    image_pull_secrets: (
        Annotated[tuple[LocalReference, ...], items("Secrets for the image's registry.", 16)] | None
    ) = None
    pool_ref: Annotated[
        LocalReference | None, doc("A shared, warm cluster in place of one of its own.")
    ] = None


class Output(ApiStruct, frozen=True):
    """Where saved files are copied to under their own names."""

    url: Annotated[
        str, text("An s3:// prefix, written with the store's credentials.", URL_LENGTH, 1)
    ]


class Retry(ApiStruct, frozen=True):
    """How often and how fast an operation is tried again after a transient error."""

    limit: Annotated[int, number("Tries after the first one.", 0, 100)] = 3
    backoff_seconds: Annotated[
        float, number("Pause before the second try, doubled each time.", 0, _DAY)
    ] = 1.0
    max_backoff_seconds: Annotated[float, number("Longest pause.", 0, _DAY)] = 60.0


class TimeToLive(ApiStruct, frozen=True):
    """How long a finished WorkPlan is kept, by its outcome; for ever when left out."""

    succeeded: Annotated[int, number("Seconds after success.", 0)] | None = None
    failed: Annotated[int, number("Seconds after failure.", 0)] | None = None


class WorkPlanSpec(ApiStruct, frozen=True):
    """A plan, and how it is to be run."""

    source: Annotated[Source, doc("Where the plan comes from. Cannot be changed.")]
    store: Annotated[
        Store | None, doc("Where results live; the operator's store when left out.")
    ] = None
    cluster: Annotated[Cluster, doc("The Dask cluster that computes what is not known yet.")] = (
        Cluster()
    )
    output: Annotated[Output | None, doc("Also copy saved files to this place.")] = None
    cache: Annotated[
        Cache,
        doc(
            "Use reads and writes results; Refresh computes all and writes; Bypass leaves the"
            " store's results alone."
        ),
    ] = "Use"
    on_failure: Annotated[
        OnFailure,
        doc("Whether goals that a failure does not concern are still reached."),
    ] = "Continue"
    retry: Annotated[Retry | None, doc("How transient errors are retried.")] = None
    start_deadline_seconds: (
        Annotated[int, number("Time from acceptance to the first ready worker.", 1, _YEAR)] | None
    ) = None
    active_deadline_seconds: (
        Annotated[
            int,
            number("Time from acceptance to the end, without time spent suspended.", 1, _YEAR),
        ]
        | None
    ) = None
    ttl_seconds_after_finished: Annotated[
        int | TimeToLive | None,
        doc(
            "How long the WorkPlan is kept after its end: seconds, or {succeeded, failed}. Results"
            " are never deleted.",
            minimum=0,
            multipleOf=1,
            pattern=_NO_TEXT,
            properties=_OUTCOMES,
            **_NEITHER_LIST_NOR_FLAG,
            **OPAQUE,
        ),
    ] = None
    suspend: Annotated[bool, doc("Give the cluster back and wait; results stay.")] = False
    priority: Annotated[
        int, number("Which WorkPlan is served first; higher goes before lower.", -1000, 1000)
    ] = 0

    @property
    def effective_retry(self) -> Retry:
        """The retry policy with its defaults."""
        return self.retry or Retry()

    def time_to_live(self, succeeded: bool) -> int | None:
        """Seconds to keep the WorkPlan after an end of this kind; None: for ever."""
        ttl = self.ttl_seconds_after_finished
        if isinstance(ttl, TimeToLive):
            return ttl.succeeded if succeeded else ttl.failed
        return ttl
