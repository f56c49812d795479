"""What the pages show is what happens: commands are run, outputs compared."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.cli import enter
from tests.support.doc_pages import blocks, pages, run_page
from tests.support.paths import ROOT
from tests.tools.demo.scan import local_path

RUN = [page for page in pages() if any(block.runs_here for block in blocks(page))]


@pytest.fixture(name="folder")
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder; its environment has a store in there."""
    enter(tmp_path, monkeypatch)
    return tmp_path


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_print_what_a_page_shows(
    page: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its files are written and its commands run in order, in a folder with a scan."""
    shutil.copy(local_path(), folder / "scan.nii.gz")
    assert run_page(page, folder, capsys.readouterr) == []
