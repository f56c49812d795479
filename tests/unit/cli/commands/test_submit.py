"""Tests of the manifests that submit makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cli import Done
from tests.support.fake_kube import FakeKube
from tests.support.workplans import TWO_AND_TWO as PLAN
from tests.unit.cli.workplan_statuses import DONE, RUNNING, modified
from voxk8s.cli.argument_parser import build_parser
from voxk8s.cli.commands.submit import manifest, run
from voxk8s.errors import InvalidPlan, InvalidProgram, InvalidUsage
from voxk8s.kernels import registry
from voxk8s.plan import decode


def made(*words: str) -> dict[str, Any]:
    """Return the manifest of a call."""
    return manifest(build_parser().parse_args(["submit", *words]))


def test_plan_document_becomes_inline_plan(tmp_path: Path) -> None:
    """Numbers are written so that the API server cannot change them; the name is generated."""
    path = tmp_path / "My Plan.json"
    path.write_text(json.dumps(PLAN))
    body = made(str(path))
    assert (body["apiVersion"], body["kind"]) == ("voxk8s.io/v1alpha1", "WorkPlan")
    assert body["metadata"] == {"generateName": "my-plan-"}
    assert {"type": "constant", "float": "2.0"}.items() <= body["spec"]["source"]["plan"]["nodes"][
        0
    ].items()


def test_program_is_sent_as_it_is_with_its_parameters(tmp_path: Path) -> None:
    """The text of a program and the values of $NAME travel; it is checked here first."""
    path = tmp_path / "p.imgql"
    path.write_text('print "n" $N + 1\n')
    body = made(str(path), "--param", "N=2", "--name", "mine")
    assert body["metadata"] == {"name": "mine"}
    assert body["spec"]["source"] == {"program": 'print "n" $N + 1\n', "parameters": {"N": "2"}}


def test_dry_run_shows_a_program_as_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The manifest on standard output has the program's lines, and is the one that is sent."""
    path = tmp_path / "p.imgql"
    path.write_text('let a = 1\n\nprint "n" a\n')
    words = build_parser().parse_args(["submit", "--dry-run", str(path)])
    assert run(words) == 0
    shown = capsys.readouterr().out
    assert "program: |\n      let a = 1\n\n      print" in shown
    assert yaml.safe_load(shown) == made(str(path))


def test_manifest_is_taken_with_options_over_it(tmp_path: Path) -> None:
    """A file of kind WorkPlan keeps what it says, save for what the call says."""
    path = tmp_path / "w.yaml"
    content = {
        "apiVersion": "voxk8s.io/v1alpha1",
        "kind": "WorkPlan",
        "metadata": {"name": "given", "namespace": "there"},
        "spec": {"source": {"plan": PLAN}, "cluster": {"maxWorkers": 2, "threadsPerWorker": 1}},
    }
    path.write_text(yaml.safe_dump(content))
    body = made(str(path), "--max-workers", "5", "--cache", "Refresh", "--fail-fast")
    assert body["metadata"] == content["metadata"]
    assert body["spec"]["cluster"] == {"maxWorkers": 5, "threadsPerWorker": 1}
    assert (body["spec"]["cache"], body["spec"]["onFailure"]) == ("Refresh", "FailFast")


def test_plan_in_a_manifest_is_checked(tmp_path: Path) -> None:
    """An invalid inline plan is found before anything is created."""
    path = tmp_path / "w.yaml"
    wrong = {"nodes": [], "goals": [{"operation": "print", "id": "nobody", "name": "x"}]}
    path.write_text(yaml.safe_dump({"kind": "WorkPlan", "spec": {"source": {"plan": wrong}}}))
    with pytest.raises(InvalidPlan, match="nobody"):
        made(str(path))


def test_program_in_a_manifest_is_checked(tmp_path: Path) -> None:
    """A wrong inline program is found before anything is created, by its line."""
    path = tmp_path / "w.yaml"
    source = {"program": 'print "n" $N\nprint "x" nobody(1)\n', "parameters": {"N": "2"}}
    path.write_text(yaml.safe_dump({"kind": "WorkPlan", "spec": {"source": source}}))
    with pytest.raises(InvalidProgram, match=r"^program:2:11: error: unknown name `nobody`"):
        made(str(path))


def test_program_that_imports_files_travels_as_a_plan(tmp_path: Path) -> None:
    """What lies beside a program is not in the cluster, so the compiled plan is sent."""
    (tmp_path / "lib.imgql").write_text("let twice(x) = x + x\n")
    path = tmp_path / "p.imgql"
    path.write_text('import "lib.imgql"\nprint "n" twice(2)\n')
    source = made(str(path))["spec"]["source"]
    assert list(source) == ["plan"]
    plan = decode(source["plan"], index=registry(), from_resource=True)
    assert [goal.name for goal in plan.goals] == ["n"]


def test_expected_values_travel_with_a_compiled_plan(tmp_path: Path) -> None:
    """They are in `spec.expect`; a program that is sent as it is has them itself."""
    (tmp_path / "lib.imgql").write_text("let twice(x) = x + x\n")
    path = tmp_path / "p.imgql"
    text = 'print "n" twice(2)\nexpect "n" 4 within 0.5\nprint "s" "a"\nexpect "s" "a"\n'
    path.write_text(f'import "lib.imgql"\n{text}')
    expected = [{"goal": "n", "value": 4.0, "within": 0.5}, {"goal": "s", "value": "a"}]
    assert made(str(path))["spec"]["expect"] == expected
    path.write_text(f"let twice(x) = x + x\n{text}")
    assert list(made(str(path))["spec"]) == ["source"]


def test_options_of_loops_and_failures_are_in_the_spec(tmp_path: Path) -> None:
    """By the words of the resource."""
    path = tmp_path / "p.imgql"
    path.write_text('print "n" 2\n')
    assert made(str(path), "--on-item-failure", "skip")["spec"]["onItemFailure"] == "Skip"
    assert "onItemFailure" not in made(str(path))["spec"]


def test_plan_that_is_too_large_is_refused_with_a_way_out(tmp_path: Path) -> None:
    """Beyond what the API server takes, the message names spec.source.url."""
    path = tmp_path / "large.json"
    nodes = [{"id": f"n{i}", "type": "constant", "value": "x" * 1000 + str(i)} for i in range(1500)]
    path.write_text(json.dumps({"nodes": nodes, "goals": []}))
    with pytest.raises(InvalidUsage, match=r"spec\.source\.url"):
        made(str(path))


def test_workplan_is_created_in_the_namespace_of_the_context(
    kube: FakeKube, call: Callable[..., Done], tmp_path: Path
) -> None:
    """Its name is printed on standard output."""
    (tmp_path / "p.imgql").write_text('print "x" 1\n')
    done = call("submit", "p.imgql", "--name", "one")
    assert (done.status, done.out) == (0, "one\n")
    (path,) = [path for method, path in kube.asked if method == "POST"]
    assert path.startswith("/apis/voxk8s.io/v1alpha1/namespaces/mine/workplans")
    assert kube.workplans["one"]["spec"]["source"]["program"] == 'print "x" 1\n'


def test_second_workplan_of_a_name_is_an_error(
    kube: FakeKube, call: Callable[..., Done], tmp_path: Path
) -> None:
    """The first one does not change."""
    first = kube.add("one", RUNNING)
    (tmp_path / "p.imgql").write_text('print "y" 2\n')
    again = call("submit", "p.imgql", "--name", "one")
    assert (again.status, again.out) == (1, "")
    assert "already exists" in again.err
    assert kube.workplans["one"] is first


def test_results_are_printed_after_the_wait(
    kube: FakeKube, call: Callable[..., Done], tmp_path: Path
) -> None:
    """With --wait the command ends when the WorkPlan is finished."""
    (tmp_path / "p.imgql").write_text('print "x" 1\n')
    kube.events = [modified(kube.add("one", RUNNING), DONE, "2")]
    kube.workplans.clear()
    done = call("submit", "p.imgql", "--name", "one", "--wait")
    assert (done.status, done.out) == (0, "sum=5\nlist=[1,2]\n")
    assert "created WorkPlan mine/one" in done.err
