"""Finds operations that combine images of different geometry, before anything runs.

Only what is certain: images that a plan loads from this machine by name, and what operations make
of them that keep the geometry of their first image.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.sandbox.decoder import decode_input
from voxk8s.kernels import registry
from voxk8s.kernels.images import same_geometry
from voxk8s.plan import OperationId, Role, WorkPlan
from voxk8s.plan.model import Constant, Operation
from voxk8s.plan.sequence_kernels import CHOOSE, RECOVER
from voxk8s.plan.signature import Signature

COMBINING: Final = frozenset(
    {
        *(f"default.{name}" for name in ("addition", "subtraction", "multiplication", "division")),
        *(f"vox1.{name}" for name in ("and", "or", "diff", "mask", "label_mean", "overlay")),
    }
)
"""Kernels that need images of one geometry, and give one of it."""
_NO_IMAGES: Final = ("number", "string", "bool", "sequence", "mapping")
_KEEPING: Final = "vox1."
_NOT_KEEPING: Final = "vox1.extract"


class Extent(msgspec.Struct, frozen=True):
    """Size (x, y[, z]) and geometry of an image, in mm; `name` is the input that has it."""

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    name: str = ""

    def differences(self, other: Extent) -> str:
        """Return how this image and another one differ, empty if their geometry is the same."""
        members = ("size", "spacing", "origin", "direction")
        different = [each for each in members if getattr(self, each) != getattr(other, each)]
        return ", ".join(
            f"{each} {_shown(getattr(self, each))} and {_shown(getattr(other, each))}"
            for each in different
        )


ReadExtent = Callable[[str], Extent | None]
"""Returns the extent of the image at an address, None if it is not known."""


def geometry_problems(
    plan: WorkPlan, places: Mapping[OperationId, object], read: ReadExtent
) -> Iterator[str]:
    """Yield the operations outside of loops that can never combine their images.

    Operations whose failure has another value, or that may not be computed, are left out.
    """
    index = registry()
    certain = _certain(plan)
    extents: dict[OperationId, Extent | None] = {}
    for name, node in plan.nodes.items():
        if not isinstance(node, Operation):
            continue
        signature = index.find(node.operator, plan.imports)
        if signature is None:
            continue
        if signature.role is Role.LOAD:
            address = plan.nodes[node.arguments[0]]
            if isinstance(address, Constant) and isinstance(address.value, str):
                extents[name] = read(address.value)
            continue
        images = [each for each in (extents.get(one) for one in node.arguments) if each is not None]
        if signature.qualified in COMBINING:
            wrong = next((each for each in images[1:] if not same_geometry(images[0], each)), None)
            if wrong is not None:
                if name in certain:
                    yield _problem(signature, images[0], wrong, places.get(name))
                continue
        extents[name] = _kept(plan, node, signature, extents)


def local_extents(limits: DecodeLimits, allowed: Callable[[str], str | None]) -> ReadExtent:
    """Return the function that reads headers of files; `allowed` returns the path of an address.

    A file is looked at once, and never if `allowed` gives no path.
    """
    known: dict[str, Extent | None] = {}

    def read(url: str) -> Extent | None:
        if url not in known:
            known[url] = None
            path = allowed(url)
            if path is not None:
                known[url] = _read(url, path, limits)
        return known[url]

    return read


def _read(url: str, path: str, limits: DecodeLimits) -> Extent | None:
    try:
        with tempfile.TemporaryDirectory(prefix="voxk8s-header-") as scratch:
            found = decode_input(url, [path], scratch, limits, header=True)
        extent = msgspec.convert(found, Extent, strict=False)
    except (InputUnavailable, OSError, msgspec.ValidationError):
        return None  # It is reported where it is read: what cannot be known is no problem here.
    return msgspec.structs.replace(extent, name=url)


def _kept(
    plan: WorkPlan,
    node: Operation,
    signature: Signature,
    extents: Mapping[OperationId, Extent | None],
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
        argument = plan.nodes[each]
        if isinstance(argument, Constant):
            continue
        if extents.get(each) is not None:
            return extents[each]
        if not isinstance(argument, Operation):
            return None
        made_by = registry().find(argument.operator, plan.imports)
        if made_by is None or made_by.result not in _NO_IMAGES:
            return None
    return None


def _certain(plan: WorkPlan) -> set[OperationId]:
    """Return the operations that are computed, and whose failure fails a goal."""
    index = registry()
    found: set[OperationId] = set()
    waiting = [goal.id for goal in plan.goals]
    while waiting:
        name = waiting.pop()
        node = plan.nodes[name]
        if name in found or not isinstance(node, Operation):
            continue
        found.add(name)
        signature = index.find(node.operator, plan.imports)
        if signature is not None and signature.qualified == RECOVER:
            continue
        certain = signature is not None and signature.qualified == CHOOSE
        waiting += node.arguments[:1] if certain else node.arguments
    return found


def _problem(signature: Signature, first: Extent, other: Extent, place: object) -> str:
    at = f"{str(place).splitlines()[0]}: " if place else ""
    return (
        f"{at}{signature.qualified} combines images of different geometry: {first.name} and"
        f" {other.name} have {first.differences(other)}; resample one to the other"
    )


def _shown(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{each:.6g}" for each in values) + ")"
