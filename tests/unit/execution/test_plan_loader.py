"""Plans from wherever they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from voxk8s.errors import InvalidPlan, InvalidUsage
from voxk8s.execution import load_plan

DOCUMENT = {
    "nodes": [
        {"id": "five", "type": "constant", "value": 5.0},
        {
            "id": "sum",
            "type": "operation",
            "operator": "addition",
            "arguments": {"0": "five", "1": "five"},
        },
    ],
    "goals": [{"operation": "print", "id": "sum", "name": "sum"}],
}


def test_every_kind_of_source_gives_the_same_plan(tmp_path: Path) -> None:
    """Mapping, JSON and YAML text, bytes, paths as text and as objects, and a plan itself."""
    as_json, as_yaml = json.dumps(DOCUMENT), yaml.safe_dump(DOCUMENT)
    (tmp_path / "plan.json").write_text(as_json)
    (tmp_path / "plan.yaml").write_text(as_yaml)
    plan = load_plan(DOCUMENT)
    for source in (
        as_json,
        as_json.encode(),
        as_yaml,
        as_yaml.encode(),
        tmp_path / "plan.json",
        str(tmp_path / "plan.yaml"),
        plan,
    ):
        assert load_plan(source) == plan


def test_a_document_of_one_line_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML text on one line is a document, unless a file has just that name."""
    with pytest.raises(InvalidPlan, match="goals"):
        load_plan("nodes: []")
    with pytest.raises(InvalidPlan, match="nesting"):
        load_plan("nodes: " + "[" * 100_000)
    monkeypatch.chdir(tmp_path)
    Path("odd: name.yaml").write_text(yaml.safe_dump(DOCUMENT))
    assert load_plan("odd: name.yaml") == load_plan(DOCUMENT)


def test_a_long_name_is_cut_in_the_message() -> None:
    """What is no path may be a whole text: the message does not repeat all of it."""
    with pytest.raises(InvalidUsage) as caught:
        load_plan("a" * 100_000)
    assert len(str(caught.value)) < 500


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """A path that cannot be read is named."""
    with pytest.raises(InvalidUsage, match=r"nothing\.json"):
        load_plan(tmp_path / "nothing.json")
    with pytest.raises(InvalidUsage, match="cannot be read"):
        load_plan(str(tmp_path))


def test_a_program_is_no_document() -> None:
    """A path of a program is refused with the way to compile it."""
    with pytest.raises(InvalidUsage, match=r"bright\.imgql is a program.*compile_program"):
        load_plan("bright.imgql")


@pytest.mark.parametrize("source", [None, 3, ["plan.json"]])
def test_what_is_no_source_is_refused(source: object) -> None:
    """Anything but a path, a text, bytes or a mapping is wrong usage."""
    with pytest.raises(InvalidUsage, match="expected a path"):
        load_plan(source)  # type: ignore[arg-type]  # as a caller without types may


@pytest.mark.parametrize("source", ["", b"", " \n"])
def test_an_empty_document_is_refused(source: str | bytes) -> None:
    """An empty text is no path of a folder."""
    with pytest.raises(InvalidPlan, match="empty"):
        load_plan(source)


def test_a_wrong_document_has_its_path() -> None:
    """An error of the document says where it is."""
    with pytest.raises(InvalidPlan) as caught:
        load_plan({"nodes": [], "goals": [{"operation": "print", "id": "x", "name": "x"}]})
    assert caught.value.path.startswith("$.goals[0]")
