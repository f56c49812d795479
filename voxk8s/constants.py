"""Every name that others rely on, once: labels, field managers, reasons, environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

RELEASE: Final = "0.1.0"
"""The version of this package, as in pyproject.toml."""

# --- the resource -----------------------------------------------------------------------------
GROUP: Final = "voxk8s.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "WorkPlan"
PLURAL: Final = "workplans"
SHORT_NAME: Final = "wp"

# --- labels and annotations -------------------------------------------------------------------
LABEL_WORKPLAN: Final = f"{GROUP}/workplan"
"""Name of the WorkPlan a child belongs to, cut with a hash beyond 63 characters."""
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_VERSION: Final = "app.kubernetes.io/version"
APP_NAME: Final = "voxk8s"

# --- field managers ---------------------------------------------------------------------------
MANAGER_OPERATOR: Final = "voxk8s-operator"
"""Owns everything of the status but what the runner owns, and all children."""
MANAGER_RUNNER: Final = "voxk8s-runner"
"""Owns status.operations, status.progress, status.results and status.failures while a run lasts."""
MANAGER_CLI: Final = "voxk8s-cli"
"""Owns the spec of WorkPlans that the command line created, and what it changed in others."""

# --- condition types --------------------------------------------------------------------------
RECONCILING: Final = "Reconciling"
"""True while voxk8s works on the WorkPlan (kstatus)."""
STALLED: Final = "Stalled"
"""True after a terminal failure (kstatus)."""
READY: Final = "Ready"
"""True once the WorkPlan has succeeded (kstatus)."""
SUCCEEDED: Final = "Succeeded"
"""Unknown while active, True or False at the end."""
STORE_READY: Final = "StoreReady"
"""The result store answers and accepts the credentials."""
CLUSTER_READY: Final = "ClusterReady"
"""The Dask cluster of the run has a scheduler that is ready."""
DETERMINISTIC: Final = "Deterministic"
"""False when an operation gave two different values for one result key."""

# --- reasons ----------------------------------------------------------------------------------
REASON_ACCEPTED: Final = "Accepted"
"""The WorkPlan was seen and its plan is being resolved."""
REASON_PROGRESSING: Final = "Progressing"
"""Operations are being computed."""
REASON_CLUSTER_STARTING: Final = "ClusterStarting"
"""The Dask cluster is on its way."""
REASON_CLUSTER_RUNNING: Final = "ClusterRunning"
"""The scheduler is ready."""
REASON_CLUSTER_NOT_NEEDED: Final = "ClusterNotNeeded"
"""Every goal was known: nothing had to be computed."""
REASON_CLUSTER_RELEASED: Final = "ClusterReleased"
"""The work is over and the cluster was given back."""
REASON_SCHEDULER_LOST: Final = "SchedulerLost"
"""The scheduler died; a new one is on its way and the run resumes from the store."""
REASON_SUCCEEDED: Final = "AllGoalsReached"
"""Every goal of the plan has its result."""
REASON_INVALID_PLAN: Final = "InvalidPlan"
"""The plan document is wrong; the message has the path. Terminal."""
REASON_INVALID_PROGRAM: Final = "InvalidProgram"
"""The ImgQL program is wrong; the message has the line. Terminal."""
REASON_PLAN_TOO_LARGE: Final = "PlanTooLarge"
"""An inline plan beyond the limits; use configMapRef or url. Terminal."""
REASON_SOURCE_UNAVAILABLE: Final = "SourceUnavailable"
"""The ConfigMap or URL that holds the plan is not there yet. Retried."""
REASON_SOURCE_DIGEST_MISMATCH: Final = "SourceDigestMismatch"
"""The plan behind the URL is not the one whose digest was given. Terminal."""
REASON_STORE_CONNECTED: Final = "StoreConnected"
"""The result store answers."""
REASON_STORE_UNREACHABLE: Final = "StoreUnreachable"
"""The result store does not answer. Retried."""
REASON_STORE_ACCESS_DENIED: Final = "StoreAccessDenied"
"""Wrong credentials, a missing Secret, or a namespace that may not use this store. Retried."""
REASON_CONDITIONAL_WRITES_UNSUPPORTED: Final = "ConditionalWritesUnsupported"
"""The store ignores If-None-Match; results are safe but non-determinism may go unseen."""
REASON_INPUT_NOT_ALLOWED: Final = "InputNotAllowed"
"""Local paths and file:// URLs are refused in a cluster. Terminal."""
REASON_IMAGE_PULL_FAILED: Final = "ImagePullFailed"
"""A container image cannot be pulled. Terminal at startDeadlineSeconds."""
REASON_UNSCHEDULABLE: Final = "Unschedulable"
"""No node can take a pod of the run."""
REASON_POD_REJECTED: Final = "PodRejected"
"""The API server refuses the pods of the run (quota, admission)."""
REASON_OUT_OF_MEMORY: Final = "OutOfMemory"
"""A pod of the run was killed for memory; give it a higher limit."""
REASON_WORKER_LOST: Final = "WorkerLost"
"""A pod of the run keeps dying, or was evicted."""
REASON_RUNNER_FAILED: Final = "RunnerFailed"
"""The runner pod failed more often than its Job allows. Terminal."""
REASON_START_DEADLINE_EXCEEDED: Final = "StartDeadlineExceeded"
"""No worker was ready within startDeadlineSeconds. Terminal."""
REASON_DEADLINE_EXCEEDED: Final = "DeadlineExceeded"
"""The run lasted longer than activeDeadlineSeconds. Terminal."""
REASON_OPERATION_FAILED: Final = "OperationFailed"
"""At least one goal failed, an input that cannot be read included; the others have their results.

Terminal; the message names the operation, or the input's URL."""
REASON_OUTPUT_UNAVAILABLE: Final = "OutputUnavailable"
"""Saved files are in the store, but could not be copied to spec.output.url. Terminal."""
REASON_POOL_UNAVAILABLE: Final = "PoolUnavailable"
"""The pool that the WorkPlan asks for does not exist. Terminal."""
REASON_SUSPENDED: Final = "Suspended"
"""spec.suspend is set: the cluster is given back, results stay."""
REASON_DASK_OPERATOR_MISSING: Final = "DaskOperatorMissing"
"""The dask-kubernetes operator or its CRDs are not installed, or it does not react."""
REASON_NON_DETERMINISTIC: Final = "NonDeterministic"
"""An operation gave two different values for one result key."""

# --- environment ------------------------------------------------------------------------------
ENV_STORE: Final = "VOXK8S_STORE"
"""URL of the default result store."""
ENV_TEST_KERNELS: Final = "VOXK8S_TEST_KERNELS"
"""Registers the `test` kernels when true."""
ENV_RETRY_LIMIT: Final = "VOXK8S_RETRY_LIMIT"
ENV_RETRY_BACKOFF: Final = "VOXK8S_RETRY_BACKOFF_SECONDS"
ENV_RETRY_MAX_BACKOFF: Final = "VOXK8S_RETRY_MAX_BACKOFF_SECONDS"
ENV_LEASE_SECONDS: Final = "VOXK8S_LEASE_SECONDS"
"""How long a run that died holds up others that need what it computed (30); 0: nobody waits."""
ENV_STORE_POLICY: Final = "VOXK8S_STORE_POLICY"
"""Which results are stored beside goals: auto, all or goals."""
ENV_SCHEDULING: Final = "VOXK8S_SCHEDULING"
"""Name of the scheduling policy (default)."""
ENV_DASK_THREADS: Final = "VOXLOGICA_DASK_THREADS"
ENV_DASK_MEMORY: Final = "VOXLOGICA_DASK_MEMORY"
ENV_ENABLE_DASHBOARD: Final = "VOXLOGICA_ENABLE_DASHBOARD"
ENV_LOCAL_INPUTS: Final = "VOXK8S_LOCAL_INPUTS"
"""Whether plans may read local paths and file:// URLs; true by default, false in a cluster."""
ENV_INPUT_PREFIXES: Final = "VOXK8S_INPUT_PREFIXES"
"""URL prefixes below which inputs must lie, separated by spaces; anywhere by default."""
ENV_S3_ENDPOINT: Final = "AWS_ENDPOINT_URL"
"""Endpoint of the S3 server, as AWS's own tools read it."""
ENV_S3_REGION: Final = "AWS_REGION"
ENV_S3_KEY: Final = "AWS_ACCESS_KEY_ID"
ENV_S3_SECRET: Final = "AWS_SECRET_ACCESS_KEY"
ENV_S3_TOKEN: Final = "AWS_SESSION_TOKEN"
ENV_CACHE_HOME: Final = "XDG_CACHE_HOME"
"""Where a user's caches lie; `~/.cache` when it is not set."""

# --- environment of the operator: what the chart decides for every run -------------------------
ENV_ENGINE_IMAGE: Final = "VOXK8S_ENGINE_IMAGE"
"""Image of schedulers, workers and runners."""
ENV_IMAGE_PULL_POLICY: Final = "VOXK8S_IMAGE_PULL_POLICY"
ENV_IMAGE_PULL_SECRETS: Final = "VOXK8S_IMAGE_PULL_SECRETS"
"""JSON list of names of Secrets."""
ENV_WORKER_RESOURCES: Final = "VOXK8S_WORKER_RESOURCES"
"""JSON {requests, limits}, as are those of scheduler and runner."""
ENV_SCHEDULER_RESOURCES: Final = "VOXK8S_SCHEDULER_RESOURCES"
ENV_RUNNER_RESOURCES: Final = "VOXK8S_RUNNER_RESOURCES"
ENV_RUN_AS: Final = "VOXK8S_RUN_AS"
"""User and group of every pod of a run; `null` leaves them to the image."""
ENV_ENGINE_ENV: Final = "VOXK8S_ENGINE_ENV"
"""JSON mapping: more environment of schedulers, workers and runners."""
ENV_DASK_OPERATOR_NAMESPACE: Final = "VOXK8S_DASK_OPERATOR_NAMESPACE"
ENV_OPERATOR_NAMESPACE: Final = "VOXK8S_OPERATOR_NAMESPACE"
ENV_OPERATOR_POD: Final = "VOXK8S_OPERATOR_POD"
"""Name of the operator's own pod: its identity in the leader election."""
ENV_API_PORTS: Final = "VOXK8S_API_PORTS"
"""JSON list of ports at which network policies let runners reach the API server."""
ENV_INPUT_PORTS: Final = "VOXK8S_INPUT_PORTS"
"""JSON list of ports at which network policies let runners and workers reach inputs."""
ENV_NETWORK_POLICIES: Final = "VOXK8S_NETWORK_POLICIES"
ENV_RUNNER_RETRIES: Final = "VOXK8S_RUNNER_RETRIES"
"""How many runner pods may fail before the run does."""
ENV_VERSION: Final = "VOXK8S_VERSION"
ENV_STORE_ALLOWED_NAMESPACES: Final = "VOXK8S_STORE_ALLOWED_NAMESPACES"
"""JSON list of namespaces that may use the default store; "*" is all."""
ENV_STORE_DENIED_NAMESPACES: Final = "VOXK8S_STORE_DENIED_NAMESPACES"
"""JSON list of namespaces that may not, whatever the other list says."""
ENV_WATCH_NAMESPACES: Final = "VOXK8S_WATCH_NAMESPACES"
"""JSON list of namespaces that the operator serves; empty is all."""
ENV_LEADER_ELECTION: Final = "VOXK8S_LEADER_ELECTION"
ENV_LEASE_NAME: Final = "VOXK8S_LEASE_NAME"
ENV_LOG_LEVEL: Final = "VOXK8S_LOG_LEVEL"
ENV_HEALTH_PORT: Final = "VOXK8S_HEALTH_PORT"
ENV_METRICS_PORT: Final = "VOXK8S_METRICS_PORT"
ENV_RESOLVERS: Final = "VOXK8S_RESOLVERS"
"""How many processes of the operator read plans and look goals up; 2 by default."""

# --- environment of the runner ----------------------------------------------------------------
ENV_WORKPLAN_NAMESPACE: Final = "VOXK8S_WORKPLAN_NAMESPACE"
ENV_WORKPLAN_NAME: Final = "VOXK8S_WORKPLAN_NAME"
ENV_WORKPLAN_UID: Final = "VOXK8S_WORKPLAN_UID"
ENV_SCHEDULER_ADDRESS: Final = "VOXK8S_SCHEDULER_ADDRESS"
ENV_RUNNER_POD: Final = "VOXK8S_RUNNER_POD"
EXIT_CREDENTIALS: Final = 75
"""Exit status of a runner whose credentials the store refuses: its next pod reads them anew."""

# --- the store's layout -----------------------------------------------------------------------
RECORDS_PREFIX: Final = "ac/v1"
BLOBS_PREFIX: Final = "cas/sha256"
RUNS_PREFIX: Final = "runs"
PINS_PREFIX: Final = "pins/v1"
QUARANTINE_PREFIX: Final = "quarantine"
LEASES_PREFIX: Final = "lease/v1"
PROBE_PATH: Final = "probe/v1"
"""The object by which a store's abilities are tried."""
STORE_GRACE_SECONDS: Final = 48 * 3600.0
"""What is younger than this is never collected; what is used is made young after half of it."""
MEDIA_TYPE_VALUE: Final = "application/vnd.voxk8s.value"
"""Media type of values in the store's own encoding."""

# --- limits -----------------------------------------------------------------------------------
INLINE_PLAN_BYTES: Final = 1_250_000
"""Largest plan or program within a WorkPlan: with the largest status etcd still takes it whole."""
INLINE_VALUE_BYTES: Final = 8 * 1024
"""Encoded values up to this size live inside their record."""
ENTRY_POINT_KERNELS: Final = "voxk8s.kernels"
"""Entry-point group of packages that bring kernels."""
ENTRY_POINT_EXECUTORS: Final = "voxk8s.executors"
"""Entry-point group of packages that bring executors."""
ENTRY_POINT_SCHEDULING: Final = "voxk8s.scheduling"
"""Entry-point group of packages that bring scheduling policies."""

IMAGE_MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType({
    ".nii": "application/x-nifti",
    ".nii.gz": "application/gzip",
    ".mha": "application/x-metaimage",
    ".mhd": "application/x-metaimage",
    ".nrrd": "application/x-nrrd",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
})  # fmt: skip
"""Media types of saved images by the suffix of their name."""
IMAGE_SUFFIXES: Final = tuple(IMAGE_MEDIA_TYPES)
"""Suffixes of the names of saved images."""
READ_ONLY_IMAGE_SUFFIXES: Final = (".bmp", ".dcm")
"""Suffixes of images that are read, but not saved."""
