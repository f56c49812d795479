"""The store of a namespace, as its users reach it: keys by RBAC, a port-forward where it is needed.

The operator keeps keys and address in one Secret of each namespace that has WorkPlans. Who may not
read it uses keys of their own, by the AWS_* variables.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeVar

from voxk8s import constants
from voxk8s.api.spec import Store
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.kube_errors import Forbidden, NotFound
from voxk8s.cluster.port_forward import find_pod, forward_port, local_endpoint, service_of
from voxk8s.cluster.resources import SECRETS, WORK_PLANS
from voxk8s.errors import InvalidUsage, PermanentError, StoreAccessDenied
from voxk8s.storage import ResultStore, StoreOptions, open_root

T = TypeVar("T")
_ASK_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5
_REQUEST: Final = {
    "apiVersion": constants.API_VERSION,
    "kind": constants.KIND,
    "metadata": {"generateName": "voxk8s-keys-"},
    "spec": {"suspend": True, "source": {"program": 'print "keys" 1'}},
}
"""A WorkPlan that never runs: the operator gives a namespace with WorkPlans its keys."""


class NoKeys(PermanentError):
    """There are no keys of the store for this user."""


@dataclass(frozen=True, slots=True)
class ClusterStore:
    """A store that this process can reach: `url` is its root or that of a trust domain in it.

    `server` is its endpoint as the cluster has it, which a port-forward does not change.
    """

    url: str
    options: StoreOptions
    domain: str = constants.SHARED_DOMAIN
    server: str | None = None

    def open(self, root: str) -> ResultStore:
        """Open the store at the URL of a result, which may be one of a trusted domain."""
        return open_root(root, self.options)


@contextlib.asynccontextmanager
async def reachable_store(
    kube: KubeClient, namespace: str, store: Store | None = None, *, ask: bool = False
) -> AsyncIterator[ClusterStore]:
    """Give the store of a namespace, or the one that a WorkPlan names, until the block ends.

    With `ask` the operator is asked for keys that are missing. Raises NoKeys and Forbidden, with
    what to do.
    """
    found = await _own_store(kube, namespace, store) if store else await _find(kube, namespace, ask)
    endpoint = found.options.endpoint
    service = service_of(endpoint) if endpoint else None
    if endpoint is None or service is None or _is_in_cluster():
        yield found
        return
    try:
        target = await find_pod(kube, *service)
        async with forward_port(kube, target) as address:
            local = local_endpoint(endpoint, address)
            options = replace(found.options, endpoint=local)
            yield replace(found, options=options, server=endpoint)
    except Forbidden as error:
        raise Forbidden(
            f"the store is inside of the cluster, at {endpoint}, and RBAC does not let you forward"
            f" its port: ask for the verbs get and create on pods/portforward in namespace"
            f" {service[1]} (the chart's s3.users), or set {constants.ENV_S3_ENDPOINT} and the keys"
            f" {constants.ENV_S3_KEY} and {constants.ENV_S3_SECRET} for an address that you reach",
            403,
        ) from error


async def with_store(
    kube: KubeClient,
    namespace: str,
    work: Callable[[ClusterStore], Awaitable[T]],
    store: Store | None = None,
    *,
    ask: bool = False,
) -> T:
    """Return what `work` gives with the store, called again with new keys if its own have ended.

    Sessions last an hour, and the operator renews them in the Secret. `work` goes on where it was.
    Raises as `reachable_store` and `work` do.
    """
    used: StoreOptions | None = None
    refusal: StoreAccessDenied | None = None
    while True:
        async with reachable_store(kube, namespace, store, ask=ask) as found:
            keys = replace(found.options, endpoint=None)  # that of a port-forward is always new
            if refusal is not None and keys == used:
                raise refusal
            try:
                return await work(found)
            except StoreAccessDenied as error:
                used, refusal = keys, error


def _is_in_cluster() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ and not os.environ.get("KUBECONFIG")


async def _find(kube: KubeClient, namespace: str, ask: bool) -> ClusterStore:
    """Return the default store by the Secret of a namespace, else by the environment."""
    own = StoreOptions().filled(os.environ)
    try:
        secret = await kube.find(SECRETS, constants.STORE_SECRET, namespace)
    except Forbidden:
        if own.key:
            return _by_environment(own)
        raise NoKeys(
            f"RBAC does not let you read Secret {constants.STORE_SECRET} in namespace {namespace},"
            " which has the keys of the store: ask for the verb get on it (the role edit has it),"
            f" or set {constants.ENV_S3_KEY} and {constants.ENV_S3_SECRET}"
        ) from None
    problem = _problem(secret, namespace)
    if not problem and secret is not None:
        return _by_secret(secret)
    if own.key:
        return _by_environment(own)
    if not ask:
        raise NoKeys(f"{problem}; or set {constants.ENV_S3_KEY} and {constants.ENV_S3_SECRET}")
    return await _asked(kube, namespace, problem)


def _problem(secret: KubeObject | None, namespace: str) -> str:
    """Return why a Secret gives no access, and what to do; empty if it does."""
    name = f"Secret {constants.STORE_SECRET} in namespace {namespace}"
    if secret is None:
        return (
            f"there is no {name}: the operator writes it where WorkPlans use the default store with"
            " keys; where they have an identity of the cloud, use your own"
        )
    data = secret.get("data") or {}
    if any(name not in data for name in (constants.ENV_STORE, constants.ENV_S3_KEY)):
        return f"{name} does not say where the store is: upgrade the operator"
    until = (secret["metadata"].get("annotations") or {}).get(constants.ANNOTATION_KEYS_UNTIL)
    return _outdated(name, until) if until else ""


def _outdated(name: str, until: str) -> str:
    """Return that the keys in a Secret have ended, empty if they have not."""
    try:
        end = datetime.fromisoformat(until)
    except ValueError:
        return (
            f"the annotation {constants.ANNOTATION_KEYS_UNTIL} of {name} is no time, but {until!r}:"
            " delete the Secret, and the operator writes it again"
        )
    if end.tzinfo is None:
        end = end.replace(tzinfo=UTC)
    if end <= datetime.now(UTC):
        return f"the keys in {name} ended at {until}: is the operator running?"
    return ""


async def _asked(kube: KubeClient, namespace: str, problem: str) -> ClusterStore:
    """Wait for the keys that the operator writes for a namespace with a WorkPlan."""
    made = await kube.create(WORK_PLANS, _REQUEST, namespace, manager=constants.MANAGER_CLI)
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            while True:
                secret = await kube.find(SECRETS, constants.STORE_SECRET, namespace)
                if secret is not None and not _problem(secret, namespace):
                    return _by_secret(secret)
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise NoKeys(
            f"{problem}. It has written none within {_ASK_SECONDS:.0f} s: may namespace {namespace}"
            " use the default store (the chart's store.allowedNamespaces)? With keys of your own:"
            " set the AWS_* variables, and --to s3://bucket/prefix"
        ) from None
    finally:
        await kube.delete(WORK_PLANS, str(made["metadata"]["name"]), namespace)


async def _own_store(kube: KubeClient, namespace: str, store: Store) -> ClusterStore:
    """Return the store that a WorkPlan names, with the keys of its Secret or the environment."""
    options = StoreOptions(endpoint=store.endpoint, region=store.region)
    reference = store.credentials_secret_ref
    own = StoreOptions().filled(os.environ)
    if reference is not None:
        try:
            data = values_of(await kube.get(SECRETS, reference.name, namespace))
            return ClusterStore(store.url, options.filled({**data, **_address(store)}))
        except (Forbidden, NotFound) as error:
            if not own.key:
                raise NoKeys(
                    f"cannot read Secret {reference.name} in namespace {namespace}, which has the"
                    f" keys of {store.url}: {error}; ask for the verb get on it, or set"
                    f" {constants.ENV_S3_KEY} and {constants.ENV_S3_SECRET}"
                ) from error
    # Not the endpoint of the WorkPlan: its author would get requests with keys of this user.
    return ClusterStore(store.url, own)


def _address(store: Store) -> dict[str, str]:
    found = {constants.ENV_S3_ENDPOINT: store.endpoint, constants.ENV_S3_REGION: store.region}
    return {name: value for name, value in found.items() if value}


def _by_environment(options: StoreOptions) -> ClusterStore:
    return ClusterStore(
        os.environ.get(constants.ENV_STORE, ""),
        options,
        os.environ.get(constants.ENV_STORE_DOMAIN) or constants.SHARED_DOMAIN,
    )


def _by_secret(secret: KubeObject) -> ClusterStore:
    values = values_of(secret)
    return ClusterStore(
        values[constants.ENV_STORE],
        StoreOptions().filled(values),
        values.get(constants.ENV_STORE_DOMAIN) or constants.SHARED_DOMAIN,
    )


def values_of(secret: Mapping[str, object]) -> dict[str, str]:
    """Return the values of a Secret as text; raises InvalidUsage for one that is none."""
    data = secret.get("data")
    try:
        return {
            str(name): base64.b64decode(str(value), validate=True).decode()
            for name, value in (data.items() if isinstance(data, dict) else ())
        }
    except ValueError as error:
        raise InvalidUsage(
            "the Secret with the keys of the store has a value that is no text"
        ) from error
