"""One plan, read and looked up in the store: runs in a process of its own.

What grows with the size of a plan happens here: a huge plan costs a process its time and memory,
and the operator nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from voxk8s import constants
from voxk8s.api import Cache
from voxk8s.cluster.output_url import check_output
from voxk8s.cluster.plan_source import (
    Document,
    SourceDigestMismatch,
    SourceUnavailable,
    check_digest,
    check_no_local_inputs,
    check_url,
    fetch_document,
    read_plan,
)
from voxk8s.controller.resolve import copy_files, known_results
from voxk8s.controller.resolve.resolution_state import Invalid, Resolved
from voxk8s.controller.resolve.store_cache import doors
from voxk8s.errors import (
    InputNotAllowed,
    InputUnavailable,
    InputUnreachable,
    InvalidPlan,
    InvalidProgram,
    StoreAccessDenied,
    StoreError,
)
from voxk8s.inputs import pinning
from voxk8s.inputs.listing import list_folder
from voxk8s.inputs.options import InputOptions
from voxk8s.kernels import registry
from voxk8s.plan import (
    Constant,
    InputRef,
    KeyConstant,
    KeyGraph,
    OperationId,
    Pin,
    Prefetch,
    Resolution,
    ResultKey,
    Role,
    WorkPlan,
    expand,
    key_graph,
    reachable,
    resolve,
    width,
)
from voxk8s.storage import MISS, ResultStore, StoreOptions

_THREADS = 16


@dataclass(frozen=True, slots=True)
class ResolveRequest:
    """What to look up. Without `options` the store is not for the operator to look into.

    `document` is None for a plan behind `url`. `run_folder` is the place in the store for what no
    status holds. `prefixes` are the places whose inputs may be asked for their state.
    """

    document: Document | None
    url: str | None
    digest: str | None
    parameters: dict[str, str] | None
    cache: Cache
    saves_below: str | None
    store_url: str
    options: StoreOptions | None
    run_folder: str = ""
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TransientFailure:
    """The answer has to wait for something; it is asked for again."""

    reason: str
    message: str


Answer = Resolved | Invalid | TransientFailure


def resolve_plan(request: ResolveRequest) -> Answer:
    """Read a plan, and say what the store leaves to do of it."""
    try:
        return _look_up(request)
    except InvalidPlan as error:
        return Invalid(constants.REASON_INVALID_PLAN, str(error))
    except InvalidProgram as error:
        return Invalid(constants.REASON_INVALID_PROGRAM, str(error))
    except InputNotAllowed as error:
        return Invalid(constants.REASON_INPUT_NOT_ALLOWED, str(error))
    except SourceDigestMismatch as error:
        return Invalid(constants.REASON_SOURCE_DIGEST_MISMATCH, str(error))
    except SourceUnavailable as error:
        return TransientFailure(constants.REASON_SOURCE_UNAVAILABLE, str(error))
    except StoreAccessDenied as error:
        return TransientFailure(constants.REASON_STORE_ACCESS_DENIED, str(error))
    except StoreError as error:
        return TransientFailure(constants.REASON_STORE_UNREACHABLE, str(error))
    except (MemoryError, RecursionError):
        return Invalid(
            constants.REASON_PLAN_TOO_LARGE,
            "The plan needs more memory than the operator may use. Make it smaller, or write its"
            " repetitions as loops.",
        )


def _look_up(request: ResolveRequest) -> Answer:
    document = request.document
    plan: WorkPlan | None = None
    if document is not None:
        # Wrong plans are told whatever the store does.
        plan = _check(request, document)
    elif request.url is not None:
        check_url(request.url)
    if request.options is None:
        # Not for the operator to look into: the runner finds out what is known.
        return Resolved(
            width=_plan_width(plan) if plan else None,
            source_digest=document.digest if document else None,
            store_checked=False,
        )
    door = doors.to(request.store_url, request.options)
    store = door.store
    message = (
        ""
        if door.conditional_writes
        else "The store ignores conditional writes: results are safe, but two different values of"
        " one operation may go unseen."
    )
    if document is None:
        document = _fetch(request)
        if document is None:
            return Resolved(store_message=message)
    plan = plan or _check(request, document)
    graph = _keys(plan, request, store)
    found = _resolve(graph, store, request.cache)
    graph, found = _expanded(graph, found, store, request)
    return Resolved(
        final_status=_final_status(graph, found, store, request),
        counts=None if _is_open(graph) else known_results.counts(found),
        width=max(found.width, _plan_width(plan)) if _is_open(graph) else found.width,
        source_digest=document.digest,
        store_message=message,
    )


def _final_status(
    graph: KeyGraph, found: Resolution, store: ResultStore, request: ResolveRequest
) -> dict[str, object] | None:
    """Give the end of a known plan, its files copied if asked for; None: a runner has work."""
    results = known_results.known_results(graph, found, store)
    if results is None:
        return None
    below = request.saves_below
    if below and not copy_files.copy_files(results, store, below, _input_options(request)):
        return None
    return known_results.completed_status(results, found, store, request.run_folder)


def _check(request: ResolveRequest, document: Document) -> WorkPlan:
    """Read a plan and refuse what can never run in a cluster."""
    check_digest(document, request.digest)
    plan = read_plan(document, request.parameters, registry())
    check_no_local_inputs(plan, registry())
    if request.saves_below is not None:
        check_output(plan, request.saves_below, request.store_url)
    return plan


def _fetch(request: ResolveRequest) -> Document | None:
    """Read the document behind the URL; None where that is the runner's to do."""
    try:
        return fetch_document(request.url or "", _input_options(request))
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
    )


def _keys(plan: WorkPlan, request: ResolveRequest, store: ResultStore) -> KeyGraph:
    graph = key_graph(plan, registry())
    pins = _pins(graph.unpinned.values(), request, store)
    return expand(graph, {}, pins) if pins else graph


def _pins(
    refs: Iterable[InputRef], request: ResolveRequest, store: ResultStore
) -> dict[OperationId, Pin]:
    """Give the pins that are known without reading an input; the runner makes the others."""
    options = _input_options(request)

    def pin(ref: InputRef) -> Pin | None:
        url = str(ref.arguments[0])
        try:
            if ref.role is Role.LISTING:
                return list_folder(*ref.arguments, options=options)  # type: ignore[arg-type]  # checked by the plan
            found = pinning.stat(url, options)
        except (InputNotAllowed, InputUnavailable, InputUnreachable):
            return None  # not for the operator to read, or the runner's to tell
        named = found.kind == "file" and found.version
        return store.pin_get(url, found.size, found.version) if named else None

    wanted = list(refs)
    if not wanted:
        return {}
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(pin, wanted))
    return {ref.id: pin for ref, pin in zip(wanted, found, strict=True) if pin is not None}


def _resolve(graph: KeyGraph, store: ResultStore, cache: Cache) -> Resolution:
    if cache != "Use":
        return resolve(graph, lambda _: ())

    return resolve(graph, Prefetch(graph, store.contains, registry().is_cheap))


def _expanded(
    graph: KeyGraph, found: Resolution, store: ResultStore, request: ResolveRequest
) -> tuple[KeyGraph, Resolution]:
    """Follow loops whose sequences are known, as long as that leads anywhere."""
    tried: set[ResultKey] = set()
    while True:
        pivots = {deferred.pivot for deferred in graph.deferred} - tried
        values = {pivot: _pivot(graph, found, store, pivot) for pivot in pivots}
        given = {pivot: value for pivot, value in values.items() if value is not MISS}
        tried |= pivots
        if not given:
            return graph, found
        graph = expand(graph, given)
        pins = _pins(graph.unpinned.values(), request, store)
        graph = expand(graph, {}, pins) if pins else graph
        found = _resolve(graph, store, request.cache)


def _pivot(graph: KeyGraph, found: Resolution, store: ResultStore, pivot: ResultKey) -> object:
    node = graph.nodes[pivot]
    if isinstance(node, KeyConstant):
        return node.value
    if node.pin is not None and node.pin.entries is not None:
        return list(node.pin.entries)
    return store.get(pivot) if pivot in found.known else MISS


def _is_open(graph: KeyGraph) -> bool:
    return bool(graph.unpinned or graph.deferred or graph.rejected)


def _plan_width(plan: WorkPlan) -> int:
    """Estimate how much can run side by side of a plan whose keys are not known yet."""
    needs = {name: _needs(node) for name, node in plan.nodes.items()}
    needed = reachable(needs, [goal.id for goal in plan.goals])
    work = [name for name in needed if not isinstance(plan.nodes[name], Constant)]
    return width({name: needs[name] for name in work})


def _needs(node: object) -> tuple[OperationId, ...]:
    arguments = getattr(node, "arguments", ())
    captures = getattr(node, "captures", {})
    return (*arguments, *captures.values())
