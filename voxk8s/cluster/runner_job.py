"""The runner of a run, as a Job."""

from __future__ import annotations

from voxk8s import constants
from voxk8s.api import PodTemplate, WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.dask_cluster import scheduler_address
from voxk8s.cluster.defaults import Defaults, StoreTarget
from voxk8s.cluster.pod_template import (
    Manifest,
    container,
    environment,
    owned_object,
    pod_metadata,
    pod_spec,
    single_thread_env,
    store_env,
)
from voxk8s.cluster.resources import JOBS


def build_runner_job(
    workplan: WorkPlanResource,
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
    namespace = workplan.metadata.namespace
    shape = workplan.spec.cluster.runner or PodTemplate()
    labels = child_names.labels(workplan, "runner", defaults.version)
    retry = workplan.spec.effective_retry
    env = environment(
        shape,
        defaults,
        store_env(store, credentials=True),
        single_thread_env(),
        [
            (constants.ENV_WORKPLAN_NAMESPACE, namespace),
            (constants.ENV_WORKPLAN_NAME, workplan.metadata.name),
            (constants.ENV_WORKPLAN_UID, workplan.metadata.uid),
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
        workplan,
        defaults,
        shape.resources or defaults.runner,
    )
    account = child_names.runner_name(workplan)
    name = f"{child_names.child_name(workplan, 'run', cluster, number)}-runner"
    spec = pod_spec(main, shape, workplan, defaults, service_account=account, token=True)
    return owned_object(workplan, JOBS, name, labels) | {
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
