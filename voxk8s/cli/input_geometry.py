"""Finds operations that combine images of different geometry, before anything runs.

Only what is certain: images that a plan loads from this machine by names that are known before
the run, also in loops over lists and folders, and what operations make of them that keep the
geometry of their first image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

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

    def extent(self, url: str) -> Extent | None:
        """Return size and geometry of the image at an address, None if they are not known."""

    def names(self, arguments: Sequence[Scalar]) -> Sequence[str] | None:
        """Return what `dir` of these arguments gives, None if it is not known."""


Known: TypeAlias = "Extent | Scalar | tuple[Known, ...] | None"
"""What is known of a value: an image's geometry, a scalar, items; None if nothing is."""


def geometry_problems(
    plan: WorkPlan, places: Mapping[OperationId, object], inputs: Inputs
) -> Iterator[str]:
    """Yield the operations that can never combine their images, each once, also in loops.

    Operations whose failure has another value, or that may not be computed, are left out, and so
    are loops whose items are known only at run time.
    """
    walk = _Walk(plan, inputs)
    walk.scope(plan.nodes, {}, [goal.id for goal in plan.goals])
    for name, (signature, first, wrong, more) in walk.problems.items():
        yield _problem(signature, first, wrong, more, places.get(name))


class _Walk:
    """Follows what is known through the operations of a plan; `problems` are those that it found.

    A problem has the kernel, two images of different geometry, and in how many other items of loops
    it is found as well.
    """

    def __init__(self, plan: WorkPlan, inputs: Inputs) -> None:
        self.problems: dict[OperationId, tuple[Signature, Extent, Extent, int]] = {}
        self._imports = plan.imports
        self._inputs = inputs
        self._left = _MOST_OPERATIONS

    def scope(
        self,
        nodes: Mapping[OperationId, Node],
        given: Mapping[str, Known],
        roots: Sequence[OperationId],
    ) -> Mapping[OperationId, Known]:
        """Return what is known of nodes; `given` is what is known of their parameters.

        If `roots` are computed for certain, so is what these need.
        """
        certain = _certain(nodes, roots, self._imports)
        known: dict[OperationId, Known] = {}
        for name, node in nodes.items():
            if isinstance(node, Constant):
                known[name] = node.value
            elif isinstance(node, Parameter):
                known[name] = given.get(node.name)
            elif isinstance(node, Operation):
                signature = registry().find(node.operator, self._imports)
                if signature is not None:
                    known[name] = self._operation(
                        nodes, node, signature, known, certain=name in certain
                    )
        return known

    def _operation(
        self,
        nodes: Mapping[OperationId, Node],
        node: Operation,
        signature: Signature,
        known: Mapping[OperationId, Known],
        *,
        certain: bool,
    ) -> Known:
        values = [known.get(each) for each in node.arguments]
        if signature.role is Role.LOAD:
            return self._inputs.extent(values[0]) if isinstance(values[0], str) else None
        if signature.role is Role.MAP:
            return self._loop(nodes[node.arguments[0]], values[1], known, certain=certain)
        made = _sequence(signature, values, self._inputs)
        if made is not None:
            return made
        images = [each for each in values if isinstance(each, Extent)]
        if signature.qualified in COMBINING:
            wrong = next((each for each in images[1:] if not same_geometry(images[0], each)), None)
            if wrong is not None:
                if certain:
                    more = self.problems[node.id][3] + 1 if node.id in self.problems else 0
                    first = self.problems.get(node.id, (signature, images[0], wrong))
                    self.problems[node.id] = (*first[:3], more)
                return None
        return _kept(nodes, node, signature, known, self._imports)

    def _loop(
        self, closure: Node, items: Known, known: Mapping[OperationId, Known], *, certain: bool
    ) -> Known:
        """Return what is known of the results of a loop."""
        if not isinstance(closure, Closure) or not isinstance(items, tuple):
            return None
        self._left -= len(items) * len(closure.nodes)
        if self._left < 0:
            return None
        captured = {name: known.get(outer) for name, outer in closure.captures.items()}
        roots = [closure.result] if certain else []
        return tuple(
            self.scope(closure.nodes, {**captured, closure.variable: item}, roots).get(
                closure.result
            )
            for item in items
        )


def _sequence(signature: Signature, values: Sequence[Known], inputs: Inputs) -> Known:
    """Return what is known of a listing, a sequence, one of its items, or a joined text."""
    qualified = signature.qualified
    if qualified == SEQUENCE:
        return tuple(values)
    scalars = [each for each in values if isinstance(each, str | int | float)]
    if len(scalars) == len(values):
        if signature.role is Role.LISTING:
            names = inputs.names(scalars)
            return None if names is None else tuple(names)
        if qualified == _CONCAT and sum(len(str(each)) for each in scalars) <= _LONGEST:
            return "".join(map(str, scalars)) if all(_is_text(each) for each in scalars) else None
        if qualified == _RANGE and all(_is_place(each) for each in scalars):
            return tuple(range(*[int(each) for each in scalars]))
    if qualified == _INDEX and isinstance(values[0], tuple) and values[1] in range(len(values[0])):
        return values[0][int(values[1])]  # type: ignore[arg-type] # a number, by what it is in
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


def _certain(
    nodes: Mapping[OperationId, Node], roots: Sequence[OperationId], imports: Sequence[str]
) -> set[OperationId]:
    """Return the operations that are computed, and whose failure fails the roots."""
    index = registry()
    found: set[OperationId] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        node = nodes[name]
        if name in found or not isinstance(node, Operation):
            continue
        found.add(name)
        signature = index.find(node.operator, imports)
        if signature is not None and signature.qualified == RECOVER:
            continue
        certain = signature is not None and signature.qualified == CHOOSE
        waiting += node.arguments[:1] if certain else node.arguments
    return found


def _problem(signature: Signature, first: Extent, other: Extent, more: int, place: object) -> str:
    at = f"{str(place).splitlines()[0]}: " if place else ""
    others = f", and so in {more} more items of the loop" if more else ""
    return (
        f"{at}{signature.qualified} combines images of different geometry: {first.name} and"
        f" {other.name} have {_differences(first, other)}{others}; resample one to the other"
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
