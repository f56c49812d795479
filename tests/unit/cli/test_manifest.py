"""Tests of WorkPlan manifests that are read on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.workplans import TWO_AND_TWO as PLAN
from voxk8s.cli import __main__ as program

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: texts}
data:
  lib.imgql: "let twice(x) = x + x"
  main.imgql: |
    import "lib.imgql"
    print "n" twice($N)
  plan.json: '{"nodes": [{"id": "a", "type": "constant", "value": 1}], "goals": []}'
  notes.txt: nothing
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def manifest(**source: Any) -> str:
    """Return a WorkPlan in JSON, which is YAML too."""
    body = {"apiVersion": "voxk8s.io/v1alpha1", "kind": "WorkPlan", "metadata": {"name": "w"}}
    return json.dumps({**body, "spec": {"source": source}})


def compiled(
    text: str, capsys: pytest.CaptureFixture[str], *words: str, name: str = "w.yaml"
) -> Any:
    """Return the plan document that `compile` makes of a file."""
    Path(name).write_text(text)
    assert program.call(["compile", name, *words]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refused(text: str, capsys: pytest.CaptureFixture[str], command: str = "run") -> str:
    """Return the message about a file, which is the same for run, check and compile."""
    Path("w.yaml").write_text(text)
    assert program.call([command, "w.yaml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


@pytest.mark.parametrize("name", ["w.yaml", "w.json"])
def test_inline_plan_is_read(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The plan in a WorkPlan is the one that its document alone would give."""
    assert compiled(manifest(plan=PLAN), capsys, name=name) == compiled(json.dumps(PLAN), capsys)


def test_inline_program_takes_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    """Parameters come from the manifest; --param has the last word."""
    text = manifest(program='print "n" $N', parameters={"N": "2"})
    assert compiled(text, capsys)["nodes"][0]["value"] == 2.0
    assert compiled(text, capsys, "--param", "N=3")["nodes"][0]["value"] == 3.0


def test_config_map_in_the_same_file_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """A program in a ConfigMap may import the other keys, wherever in the file the map is."""
    reference = {"name": "texts", "key": "main.imgql"}
    work = manifest(configMapRef=reference, parameters={"N": "2"})
    for text in (f"{CONFIG_MAP}---\n{work}\n", f"---\n{work}\n---\n{CONFIG_MAP}---\n"):
        plan = compiled(text, capsys)
        assert [goal["name"] for goal in plan["goals"]] == ["n"]
    plan = manifest(configMapRef={"name": "texts", "key": "plan.json"})
    assert compiled(f"{CONFIG_MAP}---\n{plan}", capsys)["goals"] == []


def test_items_of_a_list_are_resources(capsys: pytest.CaptureFixture[str]) -> None:
    """What `kubectl get -o json` gives can be run."""
    listing = {"apiVersion": "v1", "kind": "List", "items": [json.loads(manifest(plan=PLAN))]}
    assert compiled(json.dumps(listing), capsys, name="w.json")["goals"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (manifest(url="s3://b/p.json"), "voxk8s submit w.yaml"),
        (manifest(configMapRef={"name": "texts", "key": "x.json"}), "voxk8s submit w.yaml"),
        (manifest(), "exactly one of plan, program, configMapRef and url"),
        (manifest(plan=PLAN, program="x"), "exactly one of plan, program, configMapRef and url"),
        (manifest(program=5), "at $.spec.source.program"),
        (manifest(plan=PLAN, parameters={"N": "1"}), "expected no parameters"),
        ('{"apiVersion": "voxk8s.io/v1alpha1", "kind": "WorkPlan"}', "has no source"),
        (CONFIG_MAP, "expected a WorkPlan, found ConfigMap"),
        (
            f"{manifest(plan=PLAN)}\n---\n{manifest(plan=PLAN)}",
            "expected one WorkPlan, found 2 (w, w)",
        ),
        (manifest(plan={"nodes": [], "goals": 5}), "$.goals"),
        (manifest(program="print"), "program:1:"),
        (f"{CONFIG_MAP}---\nkind: [\n", "line 13"),
        (
            f"{CONFIG_MAP}---\n{manifest(configMapRef={'name': 'texts', 'key': 'no'})}",
            "has no key no (its keys: lib.imgql, main.imgql, notes.txt, plan.json)",
        ),
        (
            f"{CONFIG_MAP}---\n{manifest(configMapRef={'name': 'texts', 'key': 'notes.txt'})}",
            "expected a suffix of .imgql",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_run_here_is_said(
    text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One short message, status 2, nothing on standard output, for run and check alike."""
    said = refused(text, capsys)
    assert message in said
    assert len(said) < 600
    assert refused(text, capsys, "check") == said


def test_values_that_nobody_asks_for_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A value for a name that is not in the program, nor in what it imports, gives a warning."""
    Path("lib.imgql").write_text("let n = $OTHER\n")
    Path("p.imgql").write_text('import "lib.imgql"\nprint "n" $THRESHOLD + n\n')
    given = ["--param", "THRESHOLD=1", "--param", "OTHER=1", "--param", "THRESHOL=2"]
    for command in ("compile", "check"):
        assert program.call([command, "p.imgql", *given]) == 0
        said = capsys.readouterr().err
        assert said == ("voxk8s: warning: no $THRESHOL in the program; did you mean 'THRESHOLD'?\n")
    assert program.call(["compile", "p.imgql", *given, "-q"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("expected", ["value: .nan", "value: 1, within: .inf"])
def test_values_that_are_not_finite_cannot_be_expected(
    expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is equal to NaN, and everything is within infinity."""
    spec = f"spec:\n  source: {{program: 'print \"x\" 1'}}\n  expect: [{{goal: x, {expected}}}]\n"
    Path("w.yaml").write_text(f"apiVersion: voxk8s.io/v1alpha1\nkind: WorkPlan\n{spec}")
    assert program.call(["check", "w.yaml"]) != 0
    assert "expected a finite number, found" in capsys.readouterr().err
