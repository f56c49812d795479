"""The FILE of a command as a plan."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from voxk8s.cli.input_file import (
    is_program,
    read_import,
    read_input,
    read_plan,
    read_source,
    read_text,
    text_of,
)
from voxk8s.cli.parameters import Program
from voxk8s.errors import InvalidPlan, InvalidProgram, InvalidUsage
from voxk8s.plan.expectation import Expectation

PLAN = {
    "nodes": [{"id": "a", "type": "constant", "value": 1}],
    "goals": [{"operation": "print", "id": "a", "name": "x"}],
}
TEXT = 'print "n" $N + 1\n'


def arguments(path: Path, *parameters: tuple[str, str], quiet: int = 0) -> argparse.Namespace:
    """Return the options of a command with a FILE."""
    return argparse.Namespace(file=str(path), param=list(parameters), quiet=quiet)


def written(folder: Path, name: str, content: str) -> Path:
    """Write a file."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def manifest(folder: Path, source: dict[str, Any], *others: dict[str, Any]) -> Path:
    """Write a WorkPlan manifest, with other resources below it."""
    workplan = {
        "apiVersion": "voxk8s.io/v1alpha1",
        "kind": "WorkPlan",
        "metadata": {"name": "w"},
        "spec": {"source": source},
    }
    return written(folder, "w.yaml", yaml.safe_dump_all([workplan, *others]))


@pytest.mark.parametrize(
    ("name", "dump"),
    [("p.json", json.dumps), ("p.yaml", yaml.safe_dump), ("p.YML", yaml.safe_dump)],
)
def test_plan_documents_are_read_by_their_suffix(tmp_path: Path, name: str, dump: Any) -> None:
    """JSON and YAML; upper case does not matter."""
    plan = read_plan(arguments(written(tmp_path, name, dump(PLAN))))
    assert [goal.name for goal in plan.goals] == ["x"]


def test_programs_are_compiled_with_parameters(tmp_path: Path) -> None:
    """The input has the places of its operations in the program."""
    path = written(tmp_path, "p.imgql", TEXT)
    found = read_input(arguments(path, ("N", "2")))
    assert [goal.name for goal in found.plan.goals] == ["n"]
    assert [str(place) for place in found.places.values()] == [f"{path}:1:14"]


def test_warnings_of_programs_go_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are not printed with -q."""
    path = written(tmp_path, "p.imgql", 'print "x" 1 + 2 * 3\n')
    read_plan(arguments(path, ("N", "2"), quiet=1))
    assert capsys.readouterr() == ("", "")
    read_plan(arguments(path, ("N", "2")))
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{path}:1:17: warning" in err
    assert "no $N in the program" in err


def test_errors_of_programs_have_a_place(tmp_path: Path) -> None:
    """The message begins with file, line and column."""
    path = written(tmp_path, "p.imgql", 'print "n" twicee(1)\n')
    with pytest.raises(InvalidProgram) as caught:
        read_plan(arguments(path))
    assert str(caught.value).startswith(f"{path}:1:11: error")


def test_source_of_a_program_is_not_compiled(tmp_path: Path) -> None:
    """A program with errors can be read."""
    path = written(tmp_path, "p.imgql", "print")
    found = read_source(arguments(path)).content
    assert isinstance(found, Program)
    assert (found.text, found.name) == ("print", str(path))


def test_inline_plan_of_a_manifest(tmp_path: Path) -> None:
    """The plan is that of `spec.source.plan`."""
    plan = read_plan(arguments(manifest(tmp_path, {"plan": PLAN})))
    assert [goal.name for goal in plan.goals] == ["x"]


def test_expected_values_of_a_manifest_join_those_of_its_program(tmp_path: Path) -> None:
    """So that a run on a laptop is checked as one on a cluster is."""
    spec = {
        "source": {"program": 'print "n" 2\nexpect "n" 2\n'},
        "expect": [{"goal": "n", "value": 3, "within": 0.5}],
    }
    path = written(tmp_path, "w.json", json.dumps({"kind": "WorkPlan", "spec": spec}))
    found = read_input(arguments(path)).expectations
    assert found == (Expectation("n", 2.0), Expectation("n", 3, 0.5))


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ([{"goal": "m", "value": 3}], r"nothing is printed as 'm'.*spec\.expect\[0\]"),
        ([{"goal": "n", "value": []}], r"spec\.expect\[0\]"),
        ({"n": 3}, "expected a list"),
    ],
)
def test_expected_values_that_cannot_be_are_refused(
    tmp_path: Path, expect: object, message: str
) -> None:
    """With the place in the manifest, before anything runs."""
    spec = {"source": {"program": 'print "n" 2\n'}, "expect": expect}
    path = written(tmp_path, "w.json", json.dumps({"kind": "WorkPlan", "spec": spec}))
    with pytest.raises(InvalidPlan, match=message):
        read_input(arguments(path))


def test_inline_program_of_a_manifest(tmp_path: Path) -> None:
    """Options override the parameters of the manifest."""
    path = manifest(tmp_path, {"program": TEXT, "parameters": {"N": "1", "M": "1"}})
    found = read_source(arguments(path, ("N", "2"))).content
    assert isinstance(found, Program)
    assert (found.text, found.parameters) == (TEXT, {"N": "2", "M": "1"})


def test_program_of_a_config_map_imports_its_other_keys(tmp_path: Path) -> None:
    """The ConfigMap stands in the same file."""
    files = {"p.imgql": 'import "lib.imgql"\nprint "n" f(1)\n', "lib.imgql": "let f(x) = x + x\n"}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": files}
    path = manifest(tmp_path, {"configMapRef": {"name": "c", "key": "p.imgql"}}, config_map)
    assert [goal.name for goal in read_plan(arguments(path)).goals] == ["n"]


def test_parameters_beside_a_plan_are_refused(tmp_path: Path) -> None:
    """Neither the option nor the field of the manifest is allowed."""
    with pytest.raises(InvalidUsage, match="expected no --param with a plan document"):
        read_plan(arguments(written(tmp_path, "p.json", json.dumps(PLAN)), ("N", "1")))
    data = {"p.json": json.dumps(PLAN)}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}
    source = {"configMapRef": {"name": "c", "key": "p.json"}, "parameters": {"N": "1"}}
    with pytest.raises(InvalidPlan, match=r"\$\.spec\.source\.parameters"):
        read_plan(arguments(manifest(tmp_path, source, config_map)))


@pytest.mark.parametrize(
    ("name", "program"), [("p.imgql", True), ("P.IMGQL", True), ("p.json", False), ("p.yml", False)]
)
def test_programs_are_known_by_their_suffix(name: str, program: bool) -> None:
    """The file need not exist."""
    assert is_program(Path(name)) is program


@pytest.mark.parametrize("name", ["p.txt", "p", "."])
def test_other_files_and_folders_are_refused(name: str) -> None:
    """The message has what was expected."""
    with pytest.raises(InvalidUsage, match="expected a"):
        is_program(Path(name))


def test_texts_have_to_be_readable_utf_8(tmp_path: Path) -> None:
    """The message has the place of the invalid byte, or the reason of the operating system."""
    (tmp_path / "latin.imgql").write_bytes(b'print "\xe9" 1')
    with pytest.raises(InvalidUsage, match="expected UTF-8, byte 7 is invalid"):
        read_text(tmp_path / "latin.imgql")
    with pytest.raises(InvalidUsage, match="No such file"):
        read_text(tmp_path / "missing.imgql")
    with pytest.raises(InvalidUsage, match="null"):
        read_text(tmp_path / "a\0b")


def test_excerpts_of_unreadable_files_are_empty(tmp_path: Path) -> None:
    """A program may be gone when a failure is reported."""
    assert text_of(str(written(tmp_path, "p.imgql", "é"))) == "é"
    assert text_of(str(tmp_path / "missing.imgql")) == ""
    assert text_of("a\0b") == ""


def test_only_regular_files_are_imported(tmp_path: Path) -> None:
    """A pipe is not read, which might never end."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="expected a regular file"):
        read_import(str(tmp_path / "pipe"))
    with pytest.raises(OSError, match="directory"):
        read_import(str(tmp_path))
    with (tmp_path / "image").open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(ValueError, match="larger than 64 MiB"):
        read_import(str(tmp_path / "image"))
    assert read_import(str(written(tmp_path, "lib.imgql", "let a = 1\n"))) == "let a = 1\n"
