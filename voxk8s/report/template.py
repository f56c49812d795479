"""The templates of pages, which escape all that they are given."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from voxk8s.report import formatting
from voxk8s.report.embedded import notes

if TYPE_CHECKING:
    from jinja2 import Template


def page_text(name: str) -> str:
    """Return a file of this package."""
    return resources.files("voxk8s.report").joinpath(name).read_text("utf-8")


@cache
def template(name: str) -> Template:
    """Return the template in a file of this package."""
    # Imported here: runs without a report do not need it.
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # HTML forbids some characters, also as escapes.
        finalize=lambda value: formatting.clean(value) if type(value) is str else value,
    )
    environment.filters.update(
        duration=formatting.duration,
        size=formatting.size,
        moment=formatting.moment,
        cut=formatting.cut,
        link=formatting.link,
        brief=formatting.brief,
        states=formatting.states,
        notes=notes,
        line=formatting.line,
    )
    return environment.from_string(page_text(name))
