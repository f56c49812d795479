"""The scans that results were computed from, to be drawn below them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from voxk8s.describe import describe_grid
from voxk8s.errors import Voxk8sError
from voxk8s.inputs.input_options import InputOptions
from voxk8s.kernels.registry import registry
from voxk8s.plan import OperationId, WorkPlan
from voxk8s.plan.graph import reachable
from voxk8s.plan.model import Closure, Constant, Operation
from voxk8s.plan.signature import Role
from voxk8s.values import Image

SCAN_BYTES: Final = 64 * 2**20
"""Bytes of the files that are read for the pictures of one report: about a second of work."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scan:
    """A loaded image, and the last part of its address."""

    name: str
    image: Image


@dataclass(slots=True)
class Scans:
    """The images that a plan loads, each read once, as long as their files have `left` bytes.

    Of others the header may be read, of `headers_left`: each takes some milliseconds.
    """

    plan: WorkPlan
    options: InputOptions
    left: int = SCAN_BYTES
    headers_left: int = 100
    _read: dict[str, Image | None] = field(default_factory=dict)

    def below(self, goal: OperationId, image: Image) -> Scan | None:
        """Return the first loaded image below a goal with the geometry of its result, or None."""
        # Imported here: most reports have no pictures.
        from voxk8s.rendering import same_geometry

        for url in self._loaded(goal):
            scan = self._image(url)
            if scan is not None and scan.channels == 1 and same_geometry(image, scan):
                return Scan(url.rpartition("/")[2], scan)
        return None

    def read_before(self, url: str) -> Image | None:
        """Return the image behind an address if it was read already."""
        return self._read.get(url)

    def header(self, url: str, summary: str = "") -> str:
        """Return what the header of an image on this machine says, else the summary.

        That has shape and dtype of a value; the header has no dtype of voxels.
        """
        # Imported here: most reports need no header alone.
        from voxk8s.inputs.local_header import local_header

        if self.headers_left <= 0:
            return summary
        self.headers_left -= 1
        try:
            found = local_header(url, self.options)
        except (Voxk8sError, OSError) as error:
            _log.debug("the header of an input is not shown: %s", error)
            return summary
        if found is None:
            return summary
        what = summary or f"image {'x'.join(str(each) for each in reversed(found.size))}"
        return f"{what}, {describe_grid(found.spacing, found.origin, found.direction)}"

    def _loaded(self, goal: OperationId) -> Iterator[str]:
        """Yield the addresses of what a goal is computed from, in the order of the plan."""
        nodes = self.plan.nodes
        needs = {
            name: tuple(node.captures.values()) if isinstance(node, Closure) else node.arguments
            for name, node in nodes.items()
            if isinstance(node, Closure | Operation)
        }
        kernels = registry()
        found = reachable(needs, [goal])
        for name in needs:
            node = nodes[name]
            if name not in found or not isinstance(node, Operation) or not node.arguments:
                continue
            signature = kernels.find(node.operator, self.plan.imports)
            address = nodes[node.arguments[0]]
            if signature is None or signature.role is not Role.LOAD:
                continue
            if isinstance(address, Constant) and isinstance(address.value, str):
                yield address.value

    def _image(self, url: str) -> Image | None:
        if url not in self._read:
            self._read[url] = self._loaded_image(url)
        return self._read[url]

    def _loaded_image(self, url: str) -> Image | None:
        from voxk8s.inputs.loading import load_input
        from voxk8s.inputs.pinning import pin_input, stat

        try:
            size = stat(url, self.options).size
            if size > self.left:
                return None
            self.left -= size
            value = load_input(pin_input(url, self.options), self.options)
        except (Voxk8sError, OSError) as error:
            _log.info("no scan is drawn below the results: %s", error)
            return None
        return value if isinstance(value, Image) else None
