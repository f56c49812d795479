"""Resolves one plan: reads it, checks it, and looks its results up in the store.

Runs in a process of the pool: time and memory that grow with the plan are never spent in the
operator's own process.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from voxk8s import constants
from voxk8s.api.status import GoalResult
from voxk8s.cluster import plan_source
from voxk8s.cluster.output_url import check_output
from voxk8s.cluster.plan_source import (
    Document,
    SourceDigestMismatch,
    SourcePlan,
    SourceUnavailable,
)
from voxk8s.controller.resolve import known_results
from voxk8s.controller.resolve.resolution_state import (
    Invalid,
    Resolved,
    ResolveResult,
    TransientFailure,
)
from voxk8s.controller.resolve.resolve_keys import resolve_keys
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.controller.resolve.store_cache import store_cache
from voxk8s.controller.resolve.store_usage import store_usage
from voxk8s.costs.cost_model import CostModel
from voxk8s.costs.group_workers import (
    RunWorkers,
    group_workers,
    require_offers,
    runs_on_default,
)
from voxk8s.costs.recorded_costs import are_worth_reading, recorded_costs
from voxk8s.costs.resource_demand import resource_demands
from voxk8s.costs.workload import estimate_workload
from voxk8s.errors import (
    InputNotAllowed,
    InvalidPlan,
    InvalidProgram,
    ResourcesNotOffered,
    StoreAccessDenied,
    StoreError,
    StoreFull,
)
from voxk8s.inputs.input_options import InputOptions
from voxk8s.kernels import registry
from voxk8s.plan import (
    Constant,
    KeyGraph,
    OperationId,
    Resolution,
    ResultKey,
    WorkPlan,
    reachable,
    width,
)
from voxk8s.plan.expectation import Expectation, describe_differences, differences
from voxk8s.storage import ResultStore, StoreOptions

_FLUSH_SECONDS = 2.0
"""How long a completed plan waits until its results are marked as used; this process goes on."""
_COSTS_SECONDS = 1.0
"""How long a plan that needs a cluster waits for recorded costs; its pods take longer to start."""


def resolve_plan(request: ResolveRequest) -> ResolveResult | None:
    """Return what the store leaves of a plan to compute, or why that cannot be determined.

    None where this process has not enough memory for the plan.
    """
    try:
        return _resolve(request)
    except (
        InvalidPlan,
        InvalidProgram,
        InputNotAllowed,
        ResourcesNotOffered,
        SourceDigestMismatch,
    ) as error:
        return Invalid(error.failure_reason, str(error))
    except SourceUnavailable as error:
        return TransientFailure(constants.REASON_SOURCE_UNAVAILABLE, str(error))
    except StoreAccessDenied as error:
        return TransientFailure(constants.REASON_STORE_ACCESS_DENIED, str(error))
    except StoreFull as error:
        return TransientFailure(constants.REASON_STORE_FULL, str(error))
    except StoreError as error:
        return TransientFailure(constants.REASON_STORE_UNREACHABLE, str(error))
    except MemoryError:
        return None
    except RecursionError:
        return Invalid(
            constants.REASON_PLAN_TOO_LARGE,
            "The plan is nested too deeply for the operator; express repetition as loops.",
        )


def _resolve(request: ResolveRequest) -> ResolveResult:
    document = request.document
    read: SourcePlan | None = None
    if document is not None:
        # Before the store is contacted: an invalid plan is reported also while the store is down.
        read = _read(request, document)
    elif request.url is not None:
        plan_source.check_url(request.url)
    if request.options is None:
        threads = _plan_width(read.plan) if read else None
        return Resolved(
            threads=threads,
            source_digest=document.digest if document else None,
            store_checked=False,
            groups=_groups(request, read.plan if read else None, threads),
        )
    opened = store_cache.get(request.store_url, request.options, request.domains)
    message = (
        ""
        if opened.conditional_writes
        else "The store ignores conditional writes: results are safe, but an operation that gives"
        " two different values may go undetected."
    )
    if document is None:
        document = _fetch(request)
        if document is None:
            _check_room(request, opened.store)  # whether all of it is known is not
            return Resolved(store_message=message, groups=_groups(request, None, None))
    read = read or _read(request, document)
    plan = read.plan
    kernels = registry().for_image(request.libraries)
    began = time.monotonic()
    graph, found = resolve_keys(plan, opened.store, request.cache, _input_options(request), kernels)
    # The runner still has to read inputs, and with them to count operations.
    incomplete = bool(graph.unpinned or graph.deferred or graph.rejected)
    results = _known_results(graph, found, opened.store, request, began)
    final_status, unmet = None, ""
    if results is not None:
        final_status = _final_status(results, found, opened.store, request)
        unmet = _unmet(read.expected_also(request.expect), results)
    if final_status is None:
        _check_room(request, opened.store)
    if final_status is not None:
        threads = 0
    elif incomplete:
        threads = max(found.width, _plan_width(plan))
    else:
        threads = _threads(graph, found, opened.store, request.workers)
    computes = final_status is None and (incomplete or bool(found.compute))
    return Resolved(
        final_status=final_status,
        unmet=unmet,
        counts=None if incomplete else known_results.initial_counts(found),
        threads=threads,
        source_digest=document.digest,
        store_message=message,
        groups=_groups(request, plan, threads, graph, found.compute) if computes else {},
    )


def _groups(
    request: ResolveRequest,
    plan: WorkPlan | None,
    threads: int | None,
    graph: KeyGraph | None = None,
    compute: Sequence[ResultKey] = (),
) -> dict[str, int]:
    """Return the workers of groups beside the default one; raises ResourcesNotOffered.

    Without a graph nothing is known of what the store holds, without a plan nothing at all.
    """
    if request.workers is None:
        return {}
    demands = None if plan is None else resource_demands(plan, graph, compute, registry())
    if demands:
        require_offers(request.workers, demands)
    return group_workers(request.workers, demands, threads)


def _known_results(
    graph: KeyGraph, found: Resolution, store: ResultStore, request: ResolveRequest, began: float
) -> list[GoalResult] | None:
    """Return the results if all are known and saved files are copied; else None."""
    results = known_results.known_results(graph, found, store, began)
    if results is None:
        return None
    folder = request.output_url
    if folder:
        options = replace(_input_options(request), allowed_prefixes=request.output_prefixes)
        if not known_results.copy_saved_files(results, store, folder, options):
            return None
    return results


def _check_room(request: ResolveRequest, store: ResultStore) -> None:
    """Raise StoreFull if the trust domain has as much in the store as it may."""
    if request.max_bytes is not None:
        store_usage.check(store, request.max_bytes)


def _unmet(expected: Sequence[Expectation], results: Sequence[GoalResult]) -> str:
    """Return how known results differ from what is expected, empty if they do not."""
    values = {result.goal: result.value for result in results if result.kind == "print"}
    unmet = differences(expected, values)
    return describe_differences(unmet) if unmet else ""


def _final_status(
    results: Sequence[GoalResult], found: Resolution, store: ResultStore, request: ResolveRequest
) -> dict[str, object]:
    status = known_results.final_status(results, found, store, request.run_folder)
    store.flush_access(_FLUSH_SECONDS)
    return status


def _read(request: ResolveRequest, document: Document) -> SourcePlan:
    """Read a plan and check what would fail in any cluster."""
    plan_source.check_digest(document, request.digest)
    read = plan_source.read_source_plan(
        document, request.parameters, registry(), on_item_failure=request.on_item_failure
    )
    plan_source.check_inputs(read.plan, registry(), request.claims)
    if request.output_url is not None:
        check_output(read.plan, request.output_url, request.store_url, request.chart_store_url)
    read.expected_also(request.expect)
    return read


def _fetch(request: ResolveRequest) -> Document | None:
    """Read the document behind the URL; None if the operator may not read it."""
    try:
        return plan_source.fetch_document(request.url or "", _input_options(request))
    except InputNotAllowed:
        return None


def _input_options(request: ResolveRequest) -> InputOptions:
    options = request.options or StoreOptions()
    return InputOptions(
        local_allowed=False,
        endpoint=options.endpoint,
        region=options.region,
        key=options.key,
        secret=options.secret,
        token=options.token,
        allowed_prefixes=request.prefixes,
        denied_networks=request.denied_networks,
        allowed_networks=request.allowed_networks,
    )


def _threads(
    graph: KeyGraph, found: Resolution, store: ResultStore, workers: RunWorkers | None
) -> int:
    """Return how many threads of default workers the work that is left keeps busy.

    Without an estimate of the work these are as many as can run operations in parallel.
    """
    compute, most = found.compute, found.width
    if workers is not None:
        compute = runs_on_default(workers, graph, compute, registry())
        if len(compute) < len(found.compute):
            most = width({key: graph.nodes[key].arguments for key in compute})
    if not are_worth_reading(graph.nodes, compute):
        return min(most, 1)  # a million of them take seconds
    model = CostModel(registry(), recorded_costs(store, _COSTS_SECONDS))
    work = estimate_workload(graph.nodes, compute, model)
    return most if work is None else work.threads(most)


def _plan_width(plan: WorkPlan) -> int:
    """Estimate the width of a plan whose keys are not all known."""
    dependencies = {name: _dependencies(node) for name, node in plan.nodes.items()}
    needed = reachable(dependencies, [goal.id for goal in plan.goals])
    work = [name for name in needed if not isinstance(plan.nodes[name], Constant)]
    return width({name: dependencies[name] for name in work})


def _dependencies(node: object) -> tuple[OperationId, ...]:
    arguments = getattr(node, "arguments", ())
    captures = getattr(node, "captures", {})
    return (*arguments, *captures.values())
