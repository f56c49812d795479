"""`make docs` builds the site, and its pages ask no other host for anything."""

from __future__ import annotations

import re
import subprocess

from tests.support.paths import ROOT

SITE = ROOT / "build" / "site"
FETCHED = re.compile(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//[^"]*"')
STYLE = re.compile(r'<link\b(?=[^>]*rel="(?:stylesheet|preconnect|icon)")[^>]*href="(?:https?:)?//')


def test_the_site_is_built_and_needs_no_network() -> None:
    """All links lead somewhere, every page is there, and its blocks are blocks."""
    done = subprocess.run(["make", "docs"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    built = {path.relative_to(SITE): path.read_text("utf-8") for path in SITE.rglob("*.html")}
    sources = {path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md")}
    assert {path.with_suffix(".html") for path in sources} <= set(built)
    found = [(path, fetch) for path, text in built.items() for fetch in FETCHED.findall(text)]
    found += [(path, style) for path, text in built.items() for style in STYLE.findall(text)]
    assert found == []
    assert [path for path, text in built.items() if "```" in text] == []
