"""The sample notebook, executed as Jupyter does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.cli import environment
from tests.support.paths import ROOT

NOTEBOOK = ROOT / "docs" / "notebooks" / "first-segmentation.ipynb"


def shown(notebook: Any) -> list[dict[str, str]]:
    """Return what the cells show, by media type, without pictures, times and progress."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error", output
            if output.output_type == "stream":
                found.append({output.name: output.text})
            elif output.data.get("text/plain"):  # a progress bar that was removed has none
                found.append({kind: _stable(data) for kind, data in output.data.items()})
    return found


def _stable(text: str) -> str:
    text = re.sub(r"base64,[^']*", "base64,…", text)
    return re.sub(r"in \d+\.\d\d s|<voxk8s\.[^>]*>", "…", text)


def test_the_sample_notebook_shows_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every cell runs, and shows what the stored outputs show."""
    for name, value in environment(tmp_path, {"PYTHONPATH": str(ROOT)}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    stored = shown(notebook)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    assert shown(notebook) == stored
    assert sum(each.get("text/html", "").count("<img") for each in stored) >= 2
    assert not any("stderr" in each for each in stored)
