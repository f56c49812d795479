"""SECURITY.md names for each claim a test that exists."""

from __future__ import annotations

import re

from tests.support.paths import ROOT

TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
_PATH = re.compile(r"`((?:tests|voxk8s|helm)/[^`*]*)`")


def test_every_claim_has_a_test() -> None:
    """Each row of the table of claims ends with the path of a test."""
    table = TEXT.partition("| claim |")[2].partition("\n\n")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) > 30
    for row in rows:
        assert "`tests/" in row.rsplit("|", 2)[1], row


def test_every_path_exists() -> None:
    """Code and tests that it names are there."""
    missing = [path for path in _PATH.findall(TEXT) if not (ROOT / path).exists()]
    assert not missing
