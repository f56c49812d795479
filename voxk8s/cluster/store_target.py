"""The result store as the pods of a run see it: its address, and a Secret with its credentials."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from voxk8s import constants
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.pod_template import Manifest, owned_object
from voxk8s.cluster.resources import SECRETS

CREDENTIALS = (constants.ENV_S3_KEY, constants.ENV_S3_SECRET, constants.ENV_S3_TOKEN)


@dataclass(frozen=True, slots=True)
class StoreTarget:
    """The result store of a run.

    `secret` is a Secret of the WorkPlan's namespace with the credentials; None if the pods get
    access by other means (a cloud's workload identity) or the store needs no credentials.
    `default` tells that the chart names the store, not the WorkPlan.
    """

    url: str
    endpoint: str | None = None
    region: str | None = None
    secret: str | None = None
    default: bool = False


def store_env(store: StoreTarget, *, credentials: bool) -> list[tuple[str, str] | Manifest]:
    """Return environment variables with the store's address and, if asked for, its credentials."""
    env: list[tuple[str, str] | Manifest] = [(constants.ENV_STORE, store.url)]
    if store.endpoint:
        env.append((constants.ENV_S3_ENDPOINT, store.endpoint))
    if store.region:
        env.append((constants.ENV_S3_REGION, store.region))
    if credentials and store.secret:
        env += [
            {
                "name": name,
                "valueFrom": {
                    "secretKeyRef": {
                        "name": store.secret,
                        "key": name,
                        "optional": name == constants.ENV_S3_TOKEN,
                    }
                },
            }
            for name in CREDENTIALS
        ]
    return env


def build_credentials_secret(
    workplan: WorkPlanResource, defaults: Defaults, credentials: Mapping[str, str]
) -> Manifest:
    """Build the Secret with a copy of the default store's credentials for a run's pods.

    Its name contains a hash of its content: it is created and, at the end of the run, deleted, but
    never changed. Keys of `credentials` other than CREDENTIALS are left out.
    """
    data = {name: credentials[name] for name in CREDENTIALS if credentials.get(name)}
    name = child_names.child_name(workplan, "store", sorted(data.items()))
    labels = child_names.child_labels(workplan, "store", defaults.version)
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return owned_object(workplan, SECRETS, name, labels) | {
        "type": "Opaque",
        "immutable": True,
        "data": encoded,
    }
