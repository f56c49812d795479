"""The page of a viewer: one HTML file with everything in it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib import resources
from string import Template

from voxk8s.content_policy import content_policy
from voxk8s.redact import redact, visible
from voxk8s.viewer.layer import Layer

NIIVUE = "vendor/niivue-0.69.0.umd.js.gz"
NIIVUE_SHA256 = "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af"
"""Of the file in the npm package @niivue/niivue, before it was compressed."""
_MORE_POLICY = (
    "img-src data: blob:",
    # NiiVue reads its font from a data: URL.
    "connect-src data: blob:",
    # The positions that scripts give to elements.
    "style-src-attr 'unsafe-inline'",
)


def viewer_page(title: str, layers: Sequence[Layer]) -> str:
    """Return the page: layers with opacity, colour map and window, planes, crosshair, values.

    It needs WebGL 2; without that it shows a picture of each layer.
    """
    style, script, library = _text("page.css"), _text("page.js"), niivue()
    described = [
        {
            "name": _shown(each.name),
            "text": each.text,
            "colours": each.colours,
            "low": each.low,
            "high": each.high,
            "opacity": each.opacity,
            "labels": each.labels,
            "voxels": _base64(each.voxels),
        }
        for each in layers
    ]
    pictures = "\n".join(
        f'<figure><img alt="{escape(_shown(each.name))}"'
        f' src="data:image/webp;base64,{_base64(each.picture)}">'
        f"<figcaption>{escape(_shown(each.name))}: {escape(each.text)}</figcaption></figure>"
        for each in layers
        if each.picture
    )
    return Template(_text("page.html")).substitute(
        title=escape(_shown(title)),
        policy=escape(content_policy(style, [script, library], _MORE_POLICY)),
        style=style,
        script=script,
        niivue=library,
        pictures=pictures,
        # `<` would end the element in which the data are.
        layers=json.dumps(described).replace("<", "\\u003c"),
    )


def _shown(text: str) -> str:
    return visible(redact(text))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@cache
def niivue() -> str:
    """Return the source of NiiVue; no text in it ends the element of a script."""
    data = resources.files("voxk8s.viewer").joinpath(NIIVUE).read_bytes()
    return gzip.decompress(data).decode()


def _text(name: str) -> str:
    return resources.files("voxk8s.viewer").joinpath(name).read_text("utf-8")
