"""Manifest of the runner's Job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from voxk8s import constants
from voxk8s.api.spec import PodTemplate
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import child_names, tls
from voxk8s.cluster.dask_cluster import scheduler_address
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.pod_template import (
    Manifest,
    container,
    container_env,
    owned_object,
    pod_metadata,
    pod_spec,
    resources_of,
    single_thread_env,
)
from voxk8s.cluster.rbac import named_account
from voxk8s.cluster.resources import JOBS
from voxk8s.cluster.run_inputs import input_env, mount_volumes, volume_env
from voxk8s.cluster.store_target import StoreTarget, store_env


def build_runner_job(
    workplan: WorkPlanResource,
    defaults: Defaults,
    store: StoreTarget,
    *,
    cluster: str,
    keys: str,
    offers: Sequence[Mapping[str, float]] = (),
) -> Manifest:
    """Build the Job whose pod executes the run on the DaskCluster `cluster`.

    `keys` is the Secret with the cluster's keys for TLS, empty without TLS. `offers` are the
    resources of its workers.

    A pod that fails is replaced and resumes from the store, up to the chart's
    `defaults.runner.retries` times. Pods that were evicted from their node, or that exit because
    they need new credentials, are replaced without being counted.
    """
    namespace = workplan.metadata.namespace
    template = workplan.spec.cluster.runner or PodTemplate()
    labels = child_names.child_labels(workplan, "runner", defaults.version)
    retry = workplan.spec.effective_retry
    env = container_env(
        template,
        defaults,
        store_env(store, credentials=True),
        input_env(
            defaults.inputs,
            defaults.blocked_cidrs,
            defaults.allowed_cidrs,
            store.domains.own,
            chart_server=store.chart_server,
        ),
        volume_env(workplan),
        tls.tls_env() if keys else [],
        single_thread_env(),
        [
            *([(constants.ENV_CHART_STORE, store.chart_url)] if store.chart_url else []),
            (constants.ENV_WORKPLAN_NAMESPACE, namespace),
            (constants.ENV_WORKPLAN_NAME, workplan.metadata.name),
            (constants.ENV_WORKPLAN_UID, workplan.metadata.uid),
            (
                constants.ENV_SCHEDULER_ADDRESS,
                scheduler_address(cluster, namespace, encrypted=bool(keys)),
            ),
            *([(constants.ENV_WORKER_OFFERS, json.dumps(list(offers)))] if offers else []),
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
        resources_of(template.resources, defaults.runner, defaults.policy.limits),
    )
    account = named_account(workplan, store) or child_names.runner_name(workplan)
    # The 0 keeps the names of Jobs that exist in clusters.
    name = f"{child_names.child_name(workplan, 'run', cluster, 0)}-runner"
    spec = pod_spec(main, template, workplan, defaults, service_account=account, token=True)
    mount_volumes(spec, workplan)
    if keys:
        tls.mount_keys(spec, keys)
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
                "metadata": pod_metadata(template, labels),
                "spec": spec | {"restartPolicy": "Never"},
            },
        }
    }
