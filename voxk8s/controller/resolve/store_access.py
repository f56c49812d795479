"""Which store a WorkPlan uses, with which credentials, and whether the operator may read it.

The default store is for the namespaces that the chart allows, each in its trust domain; other
namespaces bring their own. The operator itself contacts only stores that the chart
allows: otherwise users could make it send requests to any address and read the answer in a
condition.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voxk8s import constants
from voxk8s.api.spec import Store
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster.store_target import StoreTarget
from voxk8s.controller.config import StoreConfig
from voxk8s.errors import StoreAccessDenied
from voxk8s.storage import StoreOptions
from voxk8s.storage.store_options import parse_url

_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")
"""How the regions of AWS's partitions begin that are not the public one."""


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """A WorkPlan's store as its pods get it.

    `user_secret` is the name of the user's own Secret.
    """

    target: StoreTarget
    user_secret: str | None = None
    operator_may_read: bool = False


@dataclass(frozen=True, slots=True)
class LookUpOptions:
    """What the operator looks results up with: credentials of the run's domain, or its own."""

    options: StoreOptions
    of_domain: bool


def store_access(workplan: WorkPlanResource, config: StoreConfig) -> StoreAccess:
    """Return the store of a WorkPlan.

    Raises StoreAccessDenied, with what to do, if the WorkPlan may not use it, and InvalidUsage for
    a malformed URL, endpoint or region.
    """
    store = workplan.spec.store
    if store is not None:
        return _user_store(store, config)
    return _default_store(workplan, config)


def _default_store(workplan: WorkPlanResource, config: StoreConfig) -> StoreAccess:
    namespace = workplan.metadata.namespace
    if config.url is None:
        raise StoreAccessDenied(
            "The operator has no default store. Set spec.store, or install the chart with"
            " store.url."
        )
    if not config.allows(namespace):
        raise StoreAccessDenied(
            f"Namespace {namespace} may not use the default store. Set spec.store to a store of"
            f" your own, or have {namespace} added to the chart's store.allowedNamespaces."
        )
    options = config.options
    account = config.trust.account_of(namespace)
    has_keys = config.has_credentials and not account
    return StoreAccess(
        target=StoreTarget(
            url=config.url,
            endpoint=options.endpoint,
            region=options.region,
            secret=constants.STORE_SECRET if has_keys else None,
            default=True,
            domains=config.trust.domains_of(namespace),
            service_account=account,
            chart_server=True,
            chart_url=config.url,
        ),
        operator_may_read=True,
    )


def _user_store(store: Store, config: StoreConfig) -> StoreAccess:
    if not store.url.startswith("s3://"):
        raise StoreAccessDenied(
            f"spec.store.url: expected an s3:// URL, which every pod can reach, got {store.url}"
        )
    parse_url(store.url)
    reference = store.credentials_secret_ref
    secret = reference.name if reference else None
    options = StoreOptions(endpoint=_strip_slash(store.endpoint), region=store.region)
    endpoint = options.endpoint
    same_server = endpoint is not None and endpoint == _strip_slash(config.options.endpoint)
    return StoreAccess(
        target=StoreTarget(
            url=store.url,
            endpoint=endpoint,
            region=store.region,
            secret=secret,
            chart_server=same_server or _both_on_aws(options, config.options),
            chart_url=config.url,
        ),
        user_secret=secret,
        operator_may_read=secret is not None and same_server and may_read(store.url, config),
    )


def _both_on_aws(one: StoreOptions, other: StoreOptions) -> bool:
    """Whether two stores are on AWS, and in one partition: names of buckets are unique in it."""
    if one.endpoint or other.endpoint:
        return False
    partitions = {
        next((start for start in _PARTITIONS if (options.region or "").startswith(start)), "")
        for options in (one, other)
    }
    return len(partitions) == 1


def may_read(url: str, config: StoreConfig) -> bool:
    """Whether the operator may read a URL that a user wrote: one below its prefixes."""
    parts = url.rstrip("/").split("/")
    if ".." in parts:
        return False
    return any(
        parts[: len(prefix)] == prefix
        for prefix in (allowed.rstrip("/").split("/") for allowed in config.prefixes)
    )


def secret_options(store: Store, secret: Mapping[str, Any]) -> StoreOptions:
    """Return a user's store with the credentials of their Secret.

    Raises StoreAccessDenied that names the key which is missing or not text.
    """
    data = secret.get("data") or {}
    name = secret["metadata"]["name"]
    values: dict[str, str | None] = {}
    for key in constants.S3_CREDENTIALS:
        try:
            text = base64.b64decode(data.get(key) or "", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise StoreAccessDenied(f"Secret {name}: {key} is not UTF-8 text") from error
        values[key] = text or None
    for key in (constants.ENV_S3_KEY, constants.ENV_S3_SECRET):
        if not values[key]:
            raise StoreAccessDenied(f"Secret {name} has no key {key}")
    return StoreOptions(
        endpoint=_strip_slash(store.endpoint),
        region=store.region,
        key=values[constants.ENV_S3_KEY],
        secret=values[constants.ENV_S3_SECRET],
        token=values[constants.ENV_S3_TOKEN],
    )


def _strip_slash(endpoint: str | None) -> str | None:
    """Return an endpoint without its last slash: clients append paths to it."""
    return endpoint.rstrip("/") if endpoint else None
