"""The page of a viewer: one HTML file with everything in it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template

from voxk8s.content_policy import content_policy
from voxk8s.viewer.layer import Layer
from voxk8s.viewer.panel import shown, text, viewer_panel


def viewer_page(title: str, layers: Sequence[Layer], notes: Sequence[str] = ()) -> str:
    """Return the page: the panel of the layers below a title, and notes below it."""
    panel = viewer_panel(layers)
    style = text("page.css") + panel.style
    library, script = panel.scripts
    return Template(text("page.html")).substitute(
        title=escape(shown(title)),
        policy=escape(content_policy(style, panel.scripts, panel.policy)),
        style=style,
        panel=panel.elements,
        notes="\n".join(f"<p>{escape(shown(each))}</p>" for each in notes),
        niivue=library,
        script=script,
    )
