"""The runner of a run, as a Job."""

from __future__ import annotations

from voxk8s import constants
from voxk8s.api import PodShape, WorkPlanResource
from voxk8s.cluster import names
from voxk8s.cluster.dask import scheduler_address
from voxk8s.cluster.defaults import Defaults, StoreTarget
from voxk8s.cluster.pods import (
    Manifest,
    container,
    environment,
    one_thread,
    owned,
    pod_metadata,
    pod_spec,
    store_env,
)
from voxk8s.cluster.resources import JOBS


def runner_job(
    resource: WorkPlanResource,
    defaults: Defaults,
    store: StoreTarget,
    *,
    cluster: str,
    number: int = 0,
) -> Manifest:
    """Build the Job whose pod drives the run on a cluster.

    `number` tells the Jobs of one WorkPlan apart (a Job cannot be started again after a
    suspension). A pod that ends with an error is replaced, and goes on from the store; one that
    had to leave its node, or that needs fresh credentials, is replaced without being counted.
    """
    namespace = resource.metadata.namespace
    shape = resource.spec.cluster.runner or PodShape()
    labels = names.labels(resource, "runner", defaults.version)
    retry = resource.spec.effective_retry
    env = environment(
        shape,
        defaults,
        store_env(store, credentials=True),
        one_thread(),
        [
            (constants.ENV_WORKPLAN_NAMESPACE, namespace),
            (constants.ENV_WORKPLAN_NAME, resource.metadata.name),
            (constants.ENV_WORKPLAN_UID, resource.metadata.uid),
            (constants.ENV_SCHEDULER_ADDRESS, scheduler_address(cluster, namespace)),
            (constants.ENV_RETRY_LIMIT, str(retry.limit)),
            (constants.ENV_RETRY_BACKOFF, f"{retry.backoff_seconds:g}"),
            (constants.ENV_RETRY_MAX_BACKOFF, f"{retry.max_backoff_seconds:g}"),
            {
                "name": constants.ENV_RUNNER_POD,
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
            },
        ],
    )
    main = container(
        "runner",
        ["python", "-m", "voxk8s.runner"],
        env,
        resource,
        defaults,
        shape.resources or defaults.runner,
    )
    account = names.runner_name(resource)
    name = f"{names.child_name(resource, 'run', cluster, number)}-runner"
    spec = pod_spec(main, shape, resource, defaults, service_account=account, token=True)
    return owned(resource, name, labels, JOBS.api_version, JOBS.name) | {
        "spec": {
            "completions": 1,
            "parallelism": 1,
            "backoffLimit": defaults.runner_retries,
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "Ignore",
                        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                    },
                    {
                        "action": "Ignore",
                        "onExitCodes": {
                            "containerName": "runner",
                            "operator": "In",
                            "values": [constants.EXIT_CREDENTIALS],
                        },
                    },
                ]
            },
            "template": {
                "metadata": pod_metadata(shape, labels),
                "spec": spec | {"restartPolicy": "Never"},
            },
        }
    }
