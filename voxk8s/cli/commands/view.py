"""`voxk8s view`: images as layers of one page, in the browser or as a file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from voxk8s.cli.browser import show_page
from voxk8s.errors import InvalidUsage, Voxk8sError

if TYPE_CHECKING:
    from voxk8s.values import Image
    from voxk8s.viewer import Layer

_MEGABYTE = 10**6


def run(arguments: argparse.Namespace) -> int:
    """Read the images, write the page, and open it unless it is exported."""
    # Imported here: the parser of the command line starts fast.
    from voxk8s.execution.files import write_file
    from voxk8s.viewer import make_layer, viewer_page

    layers: list[Layer] = []
    left = arguments.limit * _MEGABYTE
    for number, name in enumerate(arguments.files):
        layer = make_layer(name.rpartition("/")[2] or name, _image(name), number)
        left -= len(layer.voxels)
        if left < 0:
            raise InvalidUsage(
                f"{name}: the images have more than {arguments.limit} MB, compressed; a page of"
                " that size opens slowly: view fewer at a time, or set --limit higher"
            )
        layers.append(layer)
    page = viewer_page(", ".join(layer.name for layer in layers), layers).encode()
    if arguments.export is not None:
        path = Path(arguments.export)
        try:
            write_file(path, page)
        except OSError as error:
            raise InvalidUsage(f"--export {path}: {error.strerror or error}") from error
        print(path)
        return 0
    show_page(page)
    return 0


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
