"""Which store a WorkPlan uses, and who may look into it.

Who may use a store may read everything in it: the default store is for the namespaces that the
chart names, others bring their own. The operator itself goes only where the chart allows: a user
could otherwise make it speak to any address, with an answer in a condition.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voxk8s import constants
from voxk8s.api import Store, WorkPlanResource
from voxk8s.cluster.defaults import Defaults, StoreTarget
from voxk8s.cluster.rbac import build_credentials_secret
from voxk8s.controller.config import StoreConfig
from voxk8s.errors import StoreAccessDenied
from voxk8s.storage import StoreOptions
from voxk8s.storage.options import parse_url


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """A WorkPlan's store: what its pods are told, and the Secret that is made for them.

    `own_secret` names the user's Secret. `open_to_operator` says whether the operator may use the
    store itself.
    """

    target: StoreTarget
    manifest: dict[str, Any] | None = None
    own_secret: str | None = None
    open_to_operator: bool = False


def store_access(
    workplan: WorkPlanResource, config: StoreConfig, defaults: Defaults
) -> StoreAccess:
    """Give the store of a WorkPlan; raises StoreAccessDenied with what to do about it.

    Raises InvalidUsage for a URL or an endpoint that names no store.
    """
    own = workplan.spec.store
    return _own(own, config) if own is not None else _default(workplan, config, defaults)


def _default(workplan: WorkPlanResource, config: StoreConfig, defaults: Defaults) -> StoreAccess:
    namespace = workplan.metadata.namespace
    if config.url is None:
        raise StoreAccessDenied(
            "The operator has no default store. Name one in spec.store, or install the chart with"
            " store.url."
        )
    if not config.allows(namespace):
        raise StoreAccessDenied(
            f"Namespace {namespace} may not use the default store. Name a store of your own in"
            f" spec.store, or ask for {namespace} in the chart's store.allowedNamespaces."
        )
    options = config.options
    credentials = {
        constants.ENV_S3_KEY: options.key or "",
        constants.ENV_S3_SECRET: options.secret or "",
        constants.ENV_S3_TOKEN: options.token or "",
    }
    manifest = build_credentials_secret(workplan, defaults, credentials) if options.key else None
    return StoreAccess(
        target=StoreTarget(
            url=config.url,
            endpoint=options.endpoint,
            region=options.region,
            secret=manifest["metadata"]["name"] if manifest else None,
        ),
        manifest=manifest,
        open_to_operator=True,
    )


def _own(store: Store, config: StoreConfig) -> StoreAccess:
    if not store.url.startswith("s3://"):
        raise StoreAccessDenied(
            f"spec.store.url {store.url}: only s3:// stores can be reached from every pod"
        )
    parse_url(store.url)
    reference = store.credentials_secret_ref
    secret = reference.name if reference else None
    endpoint = StoreOptions(endpoint=_without_slash(store.endpoint)).endpoint
    same_server = endpoint is not None and endpoint == _without_slash(config.options.endpoint)
    return StoreAccess(
        target=StoreTarget(url=store.url, endpoint=endpoint, region=store.region, secret=secret),
        own_secret=secret,
        open_to_operator=secret is not None and same_server and is_below(store.url, config),
    )


def is_below(url: str, config: StoreConfig) -> bool:
    """Say whether the operator may read a URL that a user wrote."""
    parts = url.rstrip("/").split("/")
    if ".." in parts:
        return False
    return any(
        parts[: len(prefix)] == prefix
        for prefix in (allowed.rstrip("/").split("/") for allowed in config.prefixes)
    )


def own_options(store: Store, secret: Mapping[str, Any]) -> StoreOptions:
    """Read the credentials of a user's Secret; raises StoreAccessDenied naming what is missing."""
    data = secret.get("data") or {}
    name = secret["metadata"]["name"]
    values: dict[str, str | None] = {}
    for key in (constants.ENV_S3_KEY, constants.ENV_S3_SECRET, constants.ENV_S3_TOKEN):
        try:
            text = base64.b64decode(data.get(key) or "", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise StoreAccessDenied(f"Secret {name}: {key} is no text") from error
        values[key] = text or None
    for key in (constants.ENV_S3_KEY, constants.ENV_S3_SECRET):
        if not values[key]:
            raise StoreAccessDenied(f"Secret {name} has no {key}")
    return StoreOptions(
        endpoint=_without_slash(store.endpoint),
        region=store.region,
        key=values[constants.ENV_S3_KEY],
        secret=values[constants.ENV_S3_SECRET],
        token=values[constants.ENV_S3_TOKEN],
    )


def _without_slash(endpoint: str | None) -> str | None:
    """Give an endpoint as clients write paths behind it."""
    return endpoint.rstrip("/") if endpoint else None
