"""The part of a page that shows layers: its elements, its style, and the scripts that it needs."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from string import Template

from voxk8s.redact import redact, visible
from voxk8s.viewer.layer import Layer

NIIVUE = "vendor/niivue-0.69.0.umd.js.gz"
NIIVUE_SHA256 = "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af"
"""Of the file in the npm package @niivue/niivue, before it was compressed."""
POLICY = (
    "img-src data: blob:",
    # NiiVue reads its font from a data: URL.
    "connect-src data: blob:",
    # The positions that scripts give to elements.
    "style-src-attr 'unsafe-inline'",
)
"""Directives of the page's Content-Security-Policy that it needs."""


@dataclass(frozen=True, slots=True)
class Panel:
    """HTML elements, a style sheet, and scripts in the order in which they run.

    `policy` are directives of the page's Content-Security-Policy.
    """

    elements: str
    style: str
    scripts: tuple[str, ...]
    policy: tuple[str, ...] = POLICY


def viewer_panel(layers: Sequence[Layer], *, pictures: bool = True) -> Panel:
    """Return the panel: layers with opacity, colour map and window, planes, crosshair, values.

    It needs WebGL 2; without that it shows a picture of each layer, unless the page has `pictures`
    of its own.
    """
    described = [
        {
            "name": shown(each.name),
            "text": each.text,
            "colours": each.colours,
            "low": each.low,
            "high": each.high,
            "opacity": each.opacity,
            "labels": each.labels,
            "channels": each.channels,
            "voxels": _base64(each.voxels),
        }
        for each in layers
    ]
    figures = "\n".join(
        f'<figure><img alt="{escape(shown(each.name))}"'
        f' src="data:image/webp;base64,{_base64(each.picture)}">'
        f"<figcaption>{escape(shown(each.name))}: {escape(each.text)}</figcaption></figure>"
        for each in layers
        if each.picture and pictures
    )
    elements = Template(text("panel.html")).substitute(
        pictures=figures,
        # `<` would end the element in which the data are.
        layers=json.dumps(described).replace("<", "\\u003c"),
    )
    return Panel(elements, text("panel.css"), (niivue(), text("panel.js")))


def shown(name: str) -> str:
    """Return a text without credentials and characters that readers obey."""
    return visible(redact(name))


def text(name: str) -> str:
    """Return a file of this package."""
    return resources.files("voxk8s.viewer").joinpath(name).read_text("utf-8")


@cache
def niivue() -> str:
    """Return the source of NiiVue; no text in it ends the element of a script."""
    data = resources.files("voxk8s.viewer").joinpath(NIIVUE).read_bytes()
    return gzip.decompress(data).decode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
