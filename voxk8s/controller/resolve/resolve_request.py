"""What resolving a plan needs from the cluster: its source, and credentials for its store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from voxk8s import constants
from voxk8s.api.spec import Cache, Expected
from voxk8s.api.workplan import WorkPlanResource, decode_resource, decode_source
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import Forbidden, NotFound
from voxk8s.cluster.plan_source import Document, SourceUnavailable, read_source
from voxk8s.cluster.resources import SECRETS, WORK_PLANS
from voxk8s.cluster.run_inputs import claims_of
from voxk8s.cluster.worker_groups import run_workers
from voxk8s.constants import INLINE_PLAN_BYTES
from voxk8s.controller.config import Config
from voxk8s.controller.resolve.reach import reach_of
from voxk8s.controller.resolve.resolution_state import Invalid, TransientFailure
from voxk8s.controller.resolve.store_access import (
    LookUpOptions,
    StoreAccess,
    secret_options,
    store_access,
)
from voxk8s.costs.group_workers import RunWorkers
from voxk8s.errors import InvalidPlan, InvalidUsage, StoreAccessDenied, StoreUnreachable
from voxk8s.storage import StoreOptions, TrustDomains


@dataclass(frozen=True, slots=True)
class ResolveRequest:
    """A plan to resolve. Without `options` the operator may not read the store.

    `document` is None for a plan behind `url`. `output_url` is where saved files are copied to: not
    into the folders of the store, nor into those of the chart's. `expect` are the values
    that goals are expected to have. `domains` are the trust domains of
    the store. `run_folder` is the folder in the store for results that do not fit into the status.
    `prefixes` are the URLs below which the operator may read inputs, and `output_prefixes` those
    below which it may write saved files; `denied_networks` are not public, and `allowed_networks`
    are allowed like public ones. `libraries` are the versions of libraries in the image of the run,
    as far as known, `claims` the volumes that it mounts. `max_bytes` is what the domain may have in
    the store, where new results are to be stored. `workers` are the workers that the run may have.
    """

    document: Document | None
    url: str | None
    digest: str | None
    parameters: dict[str, str] | None
    cache: Cache
    output_url: str | None
    store_url: str
    options: StoreOptions | None
    expect: tuple[Expected, ...] = ()
    chart_store_url: str | None = None
    domains: TrustDomains = field(default_factory=TrustDomains)
    run_folder: str = ""
    prefixes: tuple[str, ...] = ()
    output_prefixes: tuple[str, ...] = ()
    denied_networks: tuple[str, ...] = ()
    allowed_networks: tuple[str, ...] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    max_bytes: int | None = None
    on_item_failure: str = "Fail"
    workers: RunWorkers | None = None


def basis_of(workplan: WorkPlanResource) -> tuple[object, ...]:
    """Return what a request depends on of a spec that changes: it is read when a run starts."""
    spec = workplan.spec
    return spec.store, spec.cluster, spec.output, spec.cache, spec.on_item_failure, spec.expect


async def make_request(
    kube: KubeClient,
    config: Config,
    workplan: WorkPlanResource,
    look_up_options: Callable[[str], Awaitable[LookUpOptions]],
    source_text: str | None = None,
) -> ResolveRequest | Invalid | TransientFailure:
    """Read the source and the credentials of a WorkPlan; return the request, or what prevents it.

    `look_up_options` returns what to look results of a namespace up with in the default store.
    The source is read from the API server, unless the informer has kept its text: then all of the
    WorkPlan is small.
    """
    metadata = workplan.metadata
    try:
        size = 0
        if source_text is None:
            body = await kube.get(WORK_PLANS, metadata.name, metadata.namespace)
            size = stored_bytes(body)
            source = decode_resource(body).spec.source
        else:
            source = decode_source(source_text)
        if size > INLINE_PLAN_BYTES:
            return _too_large(size)
        document = await read_source(kube, metadata.namespace, source)
        access = store_access(workplan, config.store)
        found = await _store_options(kube, workplan, access, look_up_options)
    except NotFound:
        return TransientFailure(constants.REASON_SOURCE_UNAVAILABLE, "The WorkPlan was deleted.")
    except SourceUnavailable as error:
        return TransientFailure(constants.REASON_SOURCE_UNAVAILABLE, str(error))
    except StoreAccessDenied as error:
        return TransientFailure(constants.REASON_STORE_ACCESS_DENIED, str(error))
    except StoreUnreachable as error:
        return TransientFailure(constants.REASON_STORE_UNREACHABLE, str(error))
    except InvalidPlan as error:
        return Invalid(constants.REASON_INVALID_PLAN, str(error))
    except InvalidUsage as error:
        return Invalid(constants.REASON_INVALID_PLAN, f"spec.store: {error}")
    spec = workplan.spec
    reach = reach_of(access.target, config.store, own=found is not None and not found.of_domain)
    return ResolveRequest(
        document=document,
        url=source.url,
        digest=source.digest,
        parameters=dict(source.parameters) if source.parameters else None,
        cache=spec.cache,
        on_item_failure=spec.on_item_failure,
        output_url=spec.output.url if spec.output else None,
        store_url=access.target.url,
        options=None if found is None else found.options,
        expect=spec.expect or (),
        chart_store_url=access.target.chart_url,
        domains=access.target.domains,
        run_folder=f"{metadata.namespace}/{metadata.name}/{metadata.uid}",
        prefixes=reach.read,
        output_prefixes=reach.write,
        denied_networks=config.defaults.blocked_cidrs,
        allowed_networks=config.defaults.allowed_cidrs,
        libraries=dict(
            config.defaults.engine_libraries.get(
                spec.cluster.image or config.defaults.engine_image, {}
            )
        ),
        claims=claims_of(workplan),
        max_bytes=config.store.max_bytes if access.target.default else None,
        workers=run_workers(workplan, config.defaults),
    )


async def _store_options(
    kube: KubeClient,
    workplan: WorkPlanResource,
    access: StoreAccess,
    look_up_options: Callable[[str], Awaitable[LookUpOptions]],
) -> LookUpOptions | None:
    """Return the credentials for the store, or None if the operator may not read it.

    Raises StoreAccessDenied while the user's Secret is missing, even if the operator may not read
    the store: pods that wait for a Secret say so only in their own status.
    """
    store, namespace = workplan.spec.store, workplan.metadata.namespace
    if store is None or access.user_secret is None:
        return await look_up_options(namespace) if access.operator_may_read else None
    try:
        secret = await kube.get(SECRETS, access.user_secret, namespace)
    except Forbidden:
        return None
    except NotFound as error:
        raise StoreAccessDenied(
            f"Secret {access.user_secret}, named by spec.store, does not exist in namespace"
            f" {namespace}; the WorkPlan waits for it"
        ) from error
    options = secret_options(store, secret)
    return LookUpOptions(options, of_domain=True) if access.operator_may_read else None


def stored_bytes(body: Mapping[str, Any]) -> int:
    """Return the bytes that a WorkPlan without its status takes in the API server's store.

    Its encoder writes `<`, `>` and `&` as six bytes each, and quotes and line breaks as two.
    """
    text = msgspec.json.encode({name: value for name, value in body.items() if name != "status"})
    return len(text) + 5 * sum(text.count(each) for each in (b"<", b">", b"&"))


def _too_large(size: int) -> Invalid:
    return Invalid(
        constants.REASON_PLAN_TOO_LARGE,
        f"The WorkPlan has {size} bytes; at most {INLINE_PLAN_BYTES} are allowed, which leaves room"
        " for the status. Put the plan into a ConfigMap (source.configMapRef) or on S3"
        " (source.url), and shorten parameters, expect and annotations if they are long.",
    )
