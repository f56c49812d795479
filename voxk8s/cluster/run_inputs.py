"""Which inputs the pods of a run may read: environment variables that no WorkPlan can change."""

from __future__ import annotations

from typing import Final

import msgspec

from voxk8s import constants

INPUT_VARIABLES: Final = frozenset({
    constants.ENV_LOCAL_INPUTS,
    constants.ENV_INPUT_PREFIXES,
    constants.ENV_INPUT_ADDRESSES,
    constants.ENV_INPUT_S3_ADDRESSES,
    constants.ENV_INPUT_DENIED_NETWORKS,
    constants.ENV_INPUT_ALLOWED_NETWORKS,
    constants.ENV_INPUT_BYTES,
    constants.ENV_INPUT_SECONDS,
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
