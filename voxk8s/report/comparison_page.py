"""The page that compares two runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from voxk8s.content_policy import content_policy
from voxk8s.report.comparison import Comparison
from voxk8s.report.template import page_text, template

MOST_RESULTS: Final = 1000
_TEXT: Final = 200_000
_LEAST: Final = 100


def comparison_page(
    comparison: Comparison, pictures: tuple[Mapping[int, str], Mapping[int, str]]
) -> str:
    """Return the page: self-contained HTML without a script; `pictures` are those of A and of B."""
    style = page_text("page.css")
    shown = comparison.results[:MOST_RESULTS]
    return template("comparison.html").render(
        both=comparison,
        changed=[each for each in shown if each.state != "same"],
        same=[each for each in shown if each.state == "same"],
        omitted=len(comparison.results) - len(shown),
        pictures=pictures,
        style=style,
        policy=content_policy(style, [], ["img-src data:"]),
        name_limit=120,
        value_limit=max(_LEAST, min(4000, _TEXT // max(1, 2 * len(shown)))),
    )
