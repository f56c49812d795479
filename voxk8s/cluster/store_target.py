"""The result store as the pods of a run see it: its address, and the Secret of a namespace."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Final

from voxk8s import constants
from voxk8s.cluster.pod_template import Manifest
from voxk8s.cluster.resources import SECRETS
from voxk8s.storage import StoreOptions, TrustDomains

SECRET_KEYS: Final = (
    *constants.S3_CREDENTIALS,
    constants.ENV_STORE,
    constants.ENV_STORE_DOMAIN,
    constants.ENV_STORE_TRUSTS,
    constants.ENV_S3_ENDPOINT,
    constants.ENV_S3_REGION,
)
"""All that the Secret of a namespace may have: variables by which a process finds the store."""


@dataclass(frozen=True, slots=True)
class StoreTarget:
    """The result store of a run.

    `secret` is a Secret of the WorkPlan's namespace with the credentials; None if the pods get
    access by other means (a cloud's workload identity) or the store needs no credentials.
    `default` tells that the chart names the store, not the WorkPlan. The run writes in its own of
    the `domains`. `service_account` is the account of its pods where the store knows it.
    `chart_server` tells that it is at the same S3 server as the chart's store, whose URL is
    `chart_url`.
    """

    url: str
    endpoint: str | None = None
    region: str | None = None
    secret: str | None = None
    default: bool = False
    domains: TrustDomains = field(default_factory=TrustDomains)
    service_account: str = ""
    chart_server: bool = False
    chart_url: str | None = None


def store_env(store: StoreTarget, *, credentials: bool) -> list[tuple[str, str] | Manifest]:
    """Return environment variables with the store's address and, if asked for, its credentials."""
    env: list[tuple[str, str] | Manifest] = [
        (constants.ENV_STORE, store.url),
        (constants.ENV_STORE_DOMAIN, store.domains.own),
        (constants.ENV_STORE_TRUSTS, ",".join(store.domains.trusts)),
    ]
    if store.endpoint:
        # Clients send the token of an account to an STS at the endpoint of all services: only the
        # administrator may choose that one.
        name = constants.ENV_S3_ENDPOINT if store.default else constants.ENV_S3_OWN_ENDPOINT
        env.append((name, store.endpoint))
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
            for name in constants.S3_CREDENTIALS
        ]
    return env


def build_credentials_secret(
    store: StoreTarget, namespace: str, credentials: StoreOptions, until: str | None = None
) -> Manifest:
    """Build the Secret with the credentials of the runs of a namespace, and the store's address.

    People with the right to read it reach the store with no other knowledge. Its name is fixed, so
    that the operator needs no rights on other Secrets of the namespace. `until` is when the
    credentials end, in RFC 3339.
    """
    values = (credentials.key, credentials.secret, credentials.token)
    address = (
        store.url,
        store.domains.own,
        ",".join(store.domains.trusts),
        store.endpoint,
        store.region,
    )
    data = dict(zip(SECRET_KEYS, (*values, *address), strict=True))
    return {
        "apiVersion": SECRETS.api_version,
        "kind": SECRETS.kind,
        "metadata": {
            "name": constants.STORE_SECRET,
            "namespace": namespace,
            "labels": {
                constants.LABEL_NAME: constants.APP_NAME,
                constants.LABEL_COMPONENT: "store",
                constants.LABEL_MANAGED_BY: constants.MANAGER_OPERATOR,
            },
            **({"annotations": {constants.ANNOTATION_KEYS_UNTIL: until}} if until else {}),
        },
        "type": "Opaque",
        "data": {
            name: base64.b64encode(value.encode()).decode() for name, value in data.items() if value
        },
    }
