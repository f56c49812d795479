"""Which inputs the pods of a run may read: environment variables that no WorkPlan can change."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from voxk8s import constants
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.inputs.volumes import FOLDER

INPUT_VARIABLES: Final = frozenset({
    constants.ENV_LOCAL_INPUTS,
    constants.ENV_INPUT_PREFIXES,
    constants.ENV_INPUT_ADDRESSES,
    constants.ENV_INPUT_S3_ADDRESSES,
    constants.ENV_INPUT_DENIED_NETWORKS,
    constants.ENV_INPUT_ALLOWED_NETWORKS,
    constants.ENV_INPUT_BYTES,
    constants.ENV_INPUT_SECONDS,
    constants.ENV_INPUT_VOLUMES,
})  # fmt: skip
"""Variables that only the chart sets, whatever its policy allows."""


class RunInputs(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The chart's values on inputs of runs.

    `prefixes` are the URLs below which inputs must lie; anywhere if None. `{domain}` in them stands
    for the name of the run's trust domain. Those on S3 are buckets of the chart's server. An input
    has at most `max_bytes` when it is decoded; 0 leaves that to the engine.
    """

    prefixes: tuple[str, ...] | None = None
    max_bytes: int = 0


def input_env(
    inputs: RunInputs,
    denied: tuple[str, ...],
    allowed: tuple[str, ...],
    domain: str,
    *,
    chart_server: bool = True,
) -> list[tuple[str, str]]:
    """Return the variables of pods that read inputs; `denied` and `allowed` are networks.

    `chart_server` is whether the pods read s3:// URLs from the chart's S3 server: at another one,
    which an author chose, no prefix on S3 holds, and it must have a public address.
    """
    found = {
        constants.ENV_INPUT_DENIED_NETWORKS: " ".join(denied),
        constants.ENV_INPUT_ALLOWED_NETWORKS: " ".join(allowed),
        constants.ENV_INPUT_S3_ADDRESSES: "" if chart_server else "public",
        constants.ENV_INPUT_BYTES: str(inputs.max_bytes or ""),
    }
    if inputs.prefixes is not None:
        prefixes = [
            prefix.replace("{domain}", domain)
            for prefix in inputs.prefixes
            if chart_server or not prefix.lower().startswith("s3:")
        ]
        # An empty list would allow all prefixes; no URL begins like this.
        found[constants.ENV_INPUT_PREFIXES] = " ".join(prefixes) or "none:"
    return [(name, value) for name, value in found.items() if value]


def claims_of(workplan: WorkPlanResource) -> tuple[str, ...]:
    """Return the claims that a WorkPlan mounts."""
    return tuple(each.claim_name for each in workplan.spec.cluster.volumes or ())


def volume_env(workplan: WorkPlanResource) -> list[tuple[str, str]]:
    """Return the variable that tells a pod which claims it has mounted; none without claims."""
    claims = claims_of(workplan)
    if not claims:
        return []
    told = {"namespace": workplan.metadata.namespace, "claims": claims}
    return [(constants.ENV_INPUT_VOLUMES, msgspec.json.encode(told).decode())]


def mount_volumes(pod_spec: dict[str, Any], workplan: WorkPlanResource) -> None:
    """Mount the claims of a WorkPlan read-only in a pod spec of one container.

    The claim itself is read-only, too: else the kubelet would change the owner of all its files.
    """
    for number, claim in enumerate(claims_of(workplan)):
        source = {"claimName": claim, "readOnly": True}
        name = f"input-{number}"
        pod_spec["volumes"].append({"name": name, "persistentVolumeClaim": source})
        pod_spec["containers"][0]["volumeMounts"].append(
            {"name": name, "mountPath": f"{FOLDER}/{claim}", "readOnly": True}
        )
