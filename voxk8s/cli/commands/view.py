"""`voxk8s view`: images as layers of one page, in the browser or as a file."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from voxk8s.cli.browser import show_page
from voxk8s.constants import IMAGE_MEDIA_TYPES
from voxk8s.errors import InvalidUsage, Voxk8sError
from voxk8s.redact import redact, visible

if TYPE_CHECKING:
    from voxk8s.api.workplan import WorkPlanResource
    from voxk8s.cluster.kube_client import KubeClient
    from voxk8s.values import Image
    from voxk8s.viewer import Layer

_MEGABYTE = 10**6
_WORKPLAN: Final = "workplan/"


class _Source(NamedTuple):
    """An image: the name of its layer, the file or URL that has it, and its whole name."""

    label: str
    place: str
    whole: str


def run(arguments: argparse.Namespace) -> int:
    """Read the images, write the page, and open it unless it is exported."""
    with tempfile.TemporaryDirectory(prefix="voxk8s-") as folder:
        page = _page(_sources(arguments, Path(folder)), arguments.limit)
    if arguments.export is not None:
        # Imported here: the parser of the command line starts fast.
        from voxk8s.execution.files import write_file

        path = Path(arguments.export)
        try:
            write_file(path, page)
        except OSError as error:
            raise InvalidUsage(f"--export {path}: {error.strerror or error}") from error
        print(path)
        return 0
    show_page(page)
    return 0


def _page(sources: list[_Source], limit: int) -> bytes:
    from voxk8s.viewer import make_layer, other_grids, viewer_page

    layers: list[Layer] = []
    notes: list[str] = []
    first: tuple[str, Image] | None = None
    left = limit * _MEGABYTE
    for number, source in enumerate(sources):
        image = _image(source.place)
        layer = make_layer(source.label, image, number)
        if first is None:
            first = source.label, image
        notes += other_grids(first, [(source.label, image)])
        left -= len(layer.voxels)
        if left < 0:
            raise InvalidUsage(
                f"{source.label}: the images have more than {limit} MB, compressed; a page of that"
                " size opens slowly: view fewer at a time, or set --limit higher"
            )
        layers.append(layer)
    for note in notes:
        print(f"voxk8s: {visible(redact(note))}", file=sys.stderr)
    return viewer_page(", ".join(layer.name for layer in layers), layers, notes).encode()


def _sources(arguments: argparse.Namespace, folder: Path) -> list[_Source]:
    """Return all images in their order; those of WorkPlans are fetched into the folder."""
    names: list[str] = arguments.files
    if not any(map(_is_workplan, names)):
        return _distinct([_local(name) for name in names])
    # Imported here: files need no cluster.
    from voxk8s.cli.connection import with_cluster

    found: list[_Source] = []

    async def fetch(kube: KubeClient, namespace: str) -> int:
        for number, name in enumerate(names):
            if _is_workplan(name):
                found.extend(await _fetched(kube, namespace, name, folder / str(number)))
            else:
                found.append(_local(name))
        return 0

    with_cluster(arguments, fetch)
    return _distinct(found)


def _distinct(sources: list[_Source]) -> list[_Source]:
    """Return images with as much of their names as tells them apart, such as `case-7/mask.nii`."""
    found = []
    for source in sources:
        others = {each.whole for each in sources if each.label == source.label} - {source.whole}
        parts = source.whole.split("/")
        tails = ("/".join(parts[-count:]) for count in range(1, len(parts) + 1))
        free = (
            tail for tail in tails if not any(f"/{each}".endswith(f"/{tail}") for each in others)
        )
        found.append(source._replace(label=next(free, source.label)) if others else source)
    return found


def _is_workplan(name: str) -> bool:
    return name.startswith(_WORKPLAN) and not os.path.exists(name)


def _local(name: str) -> _Source:
    whole = name if "://" in name else os.path.abspath(name)
    return _Source(name.rpartition("/")[2] or name, name, whole)


async def _fetched(kube: KubeClient, namespace: str, name: str, folder: Path) -> Iterator[_Source]:
    """Fetch the images that a WorkPlan has saved, or one of them."""
    from voxk8s.cli.commands.results import download
    from voxk8s.cli.connection import read_workplan

    workplan, _, goal = name.removeprefix(_WORKPLAN).partition("/")
    resource = await read_workplan(kube, workplan, namespace)
    images = _images(resource)
    wanted = [each for each in images if not goal or each == goal]
    if not wanted:
        has = f"it has {', '.join(images)}" if images else "it has saved no image"
        raise InvalidUsage(f"{name}: {has if resource.finished else f'{has} yet'}")
    await download(kube, resource, folder, quiet=True, goals=wanted)
    return (_Source(each, str(folder / each), f"{workplan}/{each}") for each in wanted)


def _images(resource: WorkPlanResource) -> list[str]:
    """Return the names of a WorkPlan's saved images."""
    return [
        each.goal
        for each in resource.status.results or ()
        if each.kind == "save" and each.goal.lower().endswith(tuple(IMAGE_MEDIA_TYPES))
    ]


def _image(name: str) -> Image:
    from voxk8s.inputs.input_options import InputOptions
    from voxk8s.inputs.loading import load_input
    from voxk8s.inputs.pinning import pin_input
    from voxk8s.values import Image

    options = InputOptions.from_env(os.environ)
    try:
        value = load_input(pin_input(name, options), options)
    except Voxk8sError as error:
        raise InvalidUsage(str(error)) from error
    if not isinstance(value, Image):
        raise InvalidUsage(f"{name}: expected an image, found a JSON document")
    return value
