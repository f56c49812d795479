"""Finds what will fail of a plan's inputs, before anything runs.

Only what is certain: files that are absent or no inputs, and images of different geometry that are
combined, by names that are known before the run, also in loops over lists and folders. What keeps
the geometry of its first image is followed. Where a run goes on all the same, that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

import msgspec

from voxk8s.inputs.local_header import Extent
from voxk8s.kernels import registry
from voxk8s.kernels.images import same_geometry
from voxk8s.plan import OperationId, Role, WorkPlan
from voxk8s.plan.model import Closure, Constant, Node, Operation, Parameter, Scalar
from voxk8s.plan.sequence_kernels import CHOOSE, RECOVER, SEQUENCE
from voxk8s.plan.signature import Signature

COMBINING: Final = frozenset(
    {
        *(f"default.{name}" for name in ("addition", "subtraction", "multiplication", "division")),
        *(f"vox1.{name}" for name in ("and", "or", "diff", "mask", "label_mean", "overlay")),
    }
)
"""Kernels that need images of one geometry, and give one of it."""
_CONCAT: Final = "strings.concat"
_RANGE: Final = "default.range"
_INDEX: Final = "default.index"
_LONGEST: Final = 10_000
"""Characters of a name, and numbers of a range, that are computed here."""
_MOST_OPERATIONS: Final = 100_000
"""Operations in loops that are followed."""
_NO_IMAGES: Final = ("number", "string", "bool", "sequence", "mapping")
_KEEPING: Final = "vox1."
_NOT_KEEPING: Final = "vox1.extract"


class Inputs(Protocol):
    """What is known of inputs before a run."""

    def problem(self, role: Role, url: str) -> str:
        """Return why what a kernel of this role names cannot be read; empty if nothing is known."""

    def extent(self, url: str) -> Extent | None:
        """Return size and geometry of the image at an address, None if they are not known."""

    def names(self, arguments: Sequence[Scalar]) -> Sequence[str] | None:
        """Return what `dir` of these arguments gives, None if it is not known."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with the inputs; a warning if a run goes on all the same."""

    text: str
    is_warning: bool = False


class _Cause:
    """A failure of one operation, in one item of the loops around it.

    `excuse` is why a run goes on without it, if that is known.
    """

    __slots__ = ("advice", "excuse", "is_fatal", "key", "text")

    def __init__(self, key: str, text: str, advice: str) -> None:
        self.key = key
        self.text = text
        self.advice = advice
        self.excuse = ""
        self.is_fatal = False


class _Failure(msgspec.Struct, frozen=True):
    """The value of what fails."""

    causes: frozenset[_Cause]


class _Items(msgspec.Struct, frozen=True):
    """A sequence; `causes` are those of its items that fail, `gaps` if some have been left out."""

    items: tuple[Known, ...]
    causes: frozenset[_Cause] = frozenset()
    gaps: bool = False


Known: TypeAlias = "Extent | Scalar | _Items | _Failure | None"
"""What is known of a value: an image's geometry, a scalar, items; None if nothing is."""

_SKIPPED: Final = "the items of loops that need it are skipped"
_RECOVERED: Final = "`recover` gives another value"
_CHOSEN: Final = "it is needed only if `if` chooses it"


def find_problems(
    plan: WorkPlan, places: Mapping[OperationId, object], inputs: Inputs, *, skips: bool = False
) -> Iterator[Problem]:
    """Yield what is wrong with inputs, each file and operation once, also in loops.

    `skips` is whether a run goes on without items of loops that fail. Of loops whose items are
    known only at run time, one item is followed.
    """
    walk = _Walk(plan, places, inputs, skips=skips)
    walk.goals(plan)
    by_key: dict[str, list[_Cause]] = {}
    for cause in walk.causes:
        by_key.setdefault(cause.key, []).append(cause)
    for causes in by_key.values():
        fatal = [each for each in causes if each.is_fatal]
        excused = [each for each in causes if each.excuse]
        if fatal or excused:
            first, *more = fatal or excused
            others = f", and so in {len(more)} more items of the loop" if more else ""
            end = first.advice if fatal else f"; {first.excuse}"
            yield Problem(f"{first.text}{others}{end}", is_warning=not fatal)


class _Walk:
    """Follows what is known through the operations of a plan; `causes` are the failures found."""

    def __init__(
        self,
        plan: WorkPlan,
        places: Mapping[OperationId, object],
        inputs: Inputs,
        *,
        skips: bool,
    ) -> None:
        self.causes: list[_Cause] = []
        self._imports = plan.imports
        self._places = places
        self._inputs = inputs
        self._skips = skips
        self._left = _MOST_OPERATIONS

    def goals(self, plan: WorkPlan) -> None:
        """Follow a plan; what its goals need and fails is fatal."""
        known = self._scope(plan.nodes, {})
        for goal in plan.goals:
            for cause in _causes(known.get(goal.id)):
                cause.is_fatal = True

    def _scope(
        self, nodes: Mapping[OperationId, Node], given: Mapping[str, Known]
    ) -> Mapping[OperationId, Known]:
        """Return what is known of nodes; `given` is what is known of their parameters."""
        known: dict[OperationId, Known] = {}
        for name, node in nodes.items():
            if isinstance(node, Constant):
                known[name] = node.value
            elif isinstance(node, Parameter):
                known[name] = given.get(node.name)
            elif isinstance(node, Operation):
                signature = registry().find(node.operator, self._imports)
                if signature is not None:
                    known[name] = self._operation(nodes, node, signature, known)
        return known

    def _operation(
        self,
        nodes: Mapping[OperationId, Node],
        node: Operation,
        signature: Signature,
        known: Mapping[OperationId, Known],
    ) -> Known:
        values = [known.get(each) for each in node.arguments]
        qualified = signature.qualified
        if signature.role in (Role.MAP, Role.FOLD) and len(values) > 1:
            closure = nodes[node.arguments[0]]
            made = self._loop(closure, values[1], known)
            return made if signature.role is Role.MAP or isinstance(made, _Failure) else None
        if qualified == SEQUENCE:
            return _items(values)
        if qualified == _INDEX and isinstance(values[0], _Items) and not values[0].gaps:
            place, items = values[1], values[0].items
            if isinstance(place, int | float) and place in range(len(items)):
                return items[int(place)]
        if qualified == RECOVER and (causes := _causes(values[0])):
            _excuse(causes, _RECOVERED)
            return values[1]
        if qualified == CHOOSE:
            condition, first, second = (_causes(each) for each in values)
            if not condition and not (first and second):
                _excuse(first | second, _CHOSEN)
                return None
        causes = frozenset().union(*map(_causes, values))
        return _Failure(causes) if causes else self._result(nodes, node, signature, values, known)

    def _result(
        self,
        nodes: Mapping[OperationId, Node],
        node: Operation,
        signature: Signature,
        values: Sequence[Known],
        known: Mapping[OperationId, Known],
    ) -> Known:
        """Return what is known of the value of an operation whose arguments do not fail."""
        url = values[0] if values else None
        if signature.role in (Role.LOAD, Role.LISTING) and isinstance(url, str):
            problem = self._inputs.problem(signature.role, url)
            if problem:
                return self._failure(f"{signature.role.value} {url}", problem, "")
        if signature.role is Role.LOAD:
            return self._inputs.extent(url) if isinstance(url, str) else None
        made = _sequence(signature, values, self._inputs)
        if made is not None:
            return made
        images = [each for each in values if isinstance(each, Extent)]
        if signature.qualified in COMBINING:
            wrong = next((each for each in images[1:] if not same_geometry(images[0], each)), None)
            if wrong is not None:
                text = _problem(signature, images[0], wrong, self._places.get(node.id))
                return self._failure(node.id, text, "; resample one to the other")
        return _kept(nodes, node, signature, known, self._imports)

    def _failure(self, key: str, text: str, advice: str) -> _Failure:
        cause = _Cause(key, text, advice)
        self.causes.append(cause)
        return _Failure(frozenset([cause]))

    def _loop(self, closure: Node, items: Known, known: Mapping[OperationId, Known]) -> Known:
        """Return what is known of the results of a loop."""
        if not isinstance(closure, Closure) or isinstance(items, _Failure):
            return items if isinstance(items, _Failure) else None
        captured = {name: known.get(outer) for name, outer in closure.captures.items()}
        if isinstance(items, _Items):
            self._left -= len(items.items) * len(closure.nodes)
        if not isinstance(items, _Items) or self._left < 0:
            result = self._scope(closure.nodes, captured).get(closure.result)
            return _Failure(causes) if (causes := _causes(result)) else None
        results = [
            self._scope(closure.nodes, {**captured, closure.variable: item}).get(closure.result)
            for item in items.items
        ]
        kept = [each for each in results if not _causes(each)]
        if not self._skips or not kept or len(kept) == len(results):
            return msgspec.structs.replace(_items(results), gaps=items.gaps)
        _excuse(_items(results).causes, _SKIPPED)
        return _Items(tuple(kept), gaps=True)


def _items(values: Sequence[Known]) -> _Items:
    return _Items(tuple(values), frozenset().union(*map(_causes, values)))


def _causes(value: Known) -> frozenset[_Cause]:
    """Return why a value cannot be computed, empty if nothing is known to fail."""
    return value.causes if isinstance(value, _Failure | _Items) else frozenset()


def _excuse(causes: frozenset[_Cause], excuse: str) -> None:
    for each in causes:
        each.excuse = each.excuse or excuse


def _sequence(signature: Signature, values: Sequence[Known], inputs: Inputs) -> Known:
    """Return what is known of a listing, a range, or a joined text."""
    qualified = signature.qualified
    scalars = [each for each in values if isinstance(each, str | int | float)]
    if len(scalars) == len(values):
        if signature.role is Role.LISTING:
            names = inputs.names(scalars)
            return None if names is None else _Items(tuple(names))
        if qualified == _CONCAT and sum(len(str(each)) for each in scalars) <= _LONGEST:
            return "".join(map(str, scalars)) if all(_is_text(each) for each in scalars) else None
        if qualified == _RANGE and all(_is_place(each) for each in scalars):
            return _Items(tuple(range(*[int(each) for each in scalars])))
    return None


def _is_text(value: Scalar) -> bool:
    return isinstance(value, str)


def _is_place(value: Scalar) -> bool:
    return not isinstance(value, bool | str) and value in range(-_LONGEST, _LONGEST)


def _kept(
    nodes: Mapping[OperationId, Node],
    node: Operation,
    signature: Signature,
    known: Mapping[OperationId, Known],
    imports: Sequence[str],
) -> Extent | None:
    """Return the extent of a result that has that of the first image among the arguments."""
    qualified = signature.qualified
    if qualified not in COMBINING and (
        not qualified.startswith(_KEEPING)
        or qualified == _NOT_KEEPING
        or signature.result not in ("image", "mask")
    ):
        return None
    for each in node.arguments:
        argument, value = nodes[each], known.get(each)
        if isinstance(value, Extent):
            return value
        if isinstance(value, str | int | float):
            continue
        if not isinstance(argument, Operation):
            return None
        made_by = registry().find(argument.operator, imports)
        if made_by is None or made_by.result not in _NO_IMAGES:
            return None
    return None


def _problem(signature: Signature, first: Extent, other: Extent, place: object) -> str:
    at = f"{str(place).splitlines()[0]}: " if place else ""
    return (
        f"{at}{signature.qualified} combines images of different geometry: {first.name} and"
        f" {other.name} have {_differences(first, other)}"
    )


def _differences(first: Extent, other: Extent) -> str:
    members = ("size", "spacing", "origin", "direction")
    different = [each for each in members if getattr(first, each) != getattr(other, each)]
    return ", ".join(
        f"{each} {_shown(getattr(first, each))} and {_shown(getattr(other, each))}"
        for each in different
    )


def _shown(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{each:.6g}" for each in values) + ")"
