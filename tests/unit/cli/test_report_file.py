"""Where a report can be written, and how it leads to files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.html import read_page
from voxk8s.cli.input_file import Input
from voxk8s.cli.report_file import Reporter
from voxk8s.errors import InvalidUsage
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.formats.encode_file import encode_file
from voxk8s.inputs.input_options import InputOptions
from voxk8s.program import compile_with_places
from voxk8s.storage import open_store
from voxk8s.values import Image
from voxk8s.viewer.panel import niivue

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def reporter(path: str, voxels: float | None = None) -> Reporter:
    """Make a reporter for a run of a file."""
    return Reporter(
        argparse.Namespace(
            report=path,
            file="plan.json",
            param=[("CASE", "7")],
            no_cache=False,
            refresh=False,
            fail_fast=False,
            on_item_failure=None,
            report_voxels=voxels,
        )
    )


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    """Before anything runs, with the reason."""
    with pytest.raises(InvalidUsage, match=r"--report .*: expected a file name, found a folder"):
        reporter(str(tmp_path))


@pytest.mark.parametrize("voxels", [-1.0, 1e6, float("nan")])
def test_more_voxels_than_a_browser_opens_are_refused(tmp_path: Path, voxels: float) -> None:
    """Before anything runs."""
    with pytest.raises(InvalidUsage, match=r"--report-voxels: expected megabytes up to 100"):
        reporter(str(tmp_path / "r.html"), voxels)


def test_results_are_layers_of_the_report(tmp_path: Path) -> None:
    """The scan below, what was saved of it above; without the option there are none."""
    value = Image(np.full((4, 5, 6), 7, np.uint8), (1.0,) * 3, (0.0,) * 3, IDENTITY)
    (tmp_path / "scan.mha").write_bytes(encode_file(value, ".mha").data)
    compiled = compile_with_places(
        f'import "vox1"\nload s = "{tmp_path}/scan.mha"\nsave "mask.nii.gz" s >. 3', name="a.imgql"
    )
    store = open_store("memory://")
    found = []
    for voxels in (1.0, None):
        made = reporter(str(tmp_path / "r.html"), voxels)
        engine = ExecutionEngine(store, output=tmp_path, listeners=[made.recorder])
        result = engine.execute_workplan(compiled.plan)
        assert made.write(result, Input(compiled.plan), InputOptions(), store)
        text = (tmp_path / "r.html").read_text("utf-8").replace(niivue(), "")
        found.append(read_page(text).find("script", id="layer-data"))
    with_layers, without = found
    names = [each["name"] for each in json.loads(with_layers[0].text)]
    assert names == ["scan.mha", "mask.nii.gz"]
    assert without == []


def test_files_are_linked_from_where_the_report_is(tmp_path: Path) -> None:
    """By relative paths, in which no character means anything to a browser."""
    plan = load_plan(
        {
            "nodes": [{"id": "a", "type": "constant", "value": 5}],
            "goals": [
                {"operation": "save", "id": "a", "name": name}
                for name in ("a.json", "javascript:alert(1).json", "ä ?#%&.json")
            ],
        }
    )
    store = open_store("memory://")
    made = reporter(str(tmp_path / "deep" / "reports" / "r.html"))
    engine = ExecutionEngine(store, output=tmp_path / "out", listeners=[made.recorder])
    assert made.write(engine.execute_workplan(plan), Input(plan), InputOptions(), store)
    page = read_page((tmp_path / "deep" / "reports" / "r.html").read_text("utf-8"))
    links = [link for link in page.find("a") if "download" in link.attributes]
    assert [link.attributes["href"] for link in links] == [
        "./../../out/a.json",
        "./../../out/javascript%3Aalert%281%29.json",
        "./../../out/%C3%A4%20%3F%23%25%26.json",
    ]
    facts = dict(zip([each.text for each in page.find("dt")], page.find("dd"), strict=True))
    assert facts["$CASE"].text == "7"
    (command,) = page.find("pre", class_="program")
    assert command.text == "voxk8s run plan.json --param CASE=7"
    assert facts["store"].text == store.url


def test_a_report_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that names the file and the reason."""
    made = reporter(str(tmp_path / "x" / "r.html"))
    (tmp_path / "x").touch()
    store = open_store("memory://")
    plan = load_plan({"nodes": [], "goals": []})
    assert not made.write(
        ExecutionEngine(store).execute_workplan(plan), Input(plan), InputOptions(), store
    )
    err = capsys.readouterr().err
    assert err.startswith(f"voxk8s: cannot write the report {tmp_path / 'x' / 'r.html'}: ")
    assert err.count("\n") == 1
