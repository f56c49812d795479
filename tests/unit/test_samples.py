"""The samples are WorkPlans that the operator accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tests.support.paths import ROOT
from tests.tools.generate import samples
from voxk8s.api.workplan import WorkPlanResource, decode_resource
from voxk8s.cluster.plan_source import Document, check_inputs, read_plan
from voxk8s.imgql import format_program
from voxk8s.kernels import registry
from voxk8s.plan import Digest, Pin, ResultKey, WorkPlan, inputs, key_graph

FILES = sorted((ROOT / samples.FOLDER).glob("*.yaml"))
PROGRAMS = sorted((ROOT / samples.FOLDER).glob("*.imgql"))


def resource(path: Path) -> WorkPlanResource:
    """Read a sample as the operator does."""
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    assert content["metadata"]["name"] == path.stem
    content["metadata"] |= {"uid": "u", "namespace": "ns", "generation": 1}
    return decode_resource(content)


def plan_of(path: Path) -> WorkPlan:
    """Return the plan of a sample, as the runner makes it."""
    source = resource(path).spec.source
    if source.program is not None:
        document = Document(source.program.encode(), "imgql", "program")
    else:
        document = Document(msgspec.json.encode(source.plan), "json", inline=True)
    return read_plan(document, source.parameters, registry())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sample_is_a_plan_for_a_cluster(path: Path) -> None:
    """It decodes, compiles, asks for something, and reads no local file."""
    plan = plan_of(path)
    assert plan.goals
    check_inputs(plan, registry())
    assert all(str(ref.arguments[0]).startswith("s3://") for ref in inputs(plan, registry()))


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_a_workplan_carries_its_program_as_it_is(name: str) -> None:
    """The program in a WorkPlan is the file, byte for byte, and all its parameters are given."""
    text = (ROOT / samples.FOLDER / samples.SAMPLES[name].program).read_text("utf-8")
    found = resource(ROOT / samples.FOLDER / f"{name}.yaml").spec.source
    assert (found.program, found.parameters) == (text, dict(samples.SAMPLES[name].parameters))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_sample_program_is_explained_and_in_its_usual_form(path: Path) -> None:
    """It begins with a comment of more than a line, is formatted, and has a WorkPlan."""
    text = path.read_text("utf-8")
    assert text.splitlines()[:2][-1] == "//"
    assert format_program(text) == text
    assert path.name in {sample.program for sample in samples.SAMPLES.values()}


def test_program_and_document_ask_the_same() -> None:
    """The program of the white matter has the result keys of the plan that was written by hand."""
    folder = ROOT / samples.FOLDER
    assert _keys(plan_of(folder / "white-matter-program.yaml")) == _keys(
        plan_of(folder / "white-matter.yaml")
    )


def _keys(plan: WorkPlan) -> list[tuple[str, str, ResultKey | None]]:
    pins = {
        ref.id: Pin(str(ref.arguments[0]), Digest("d" * 64), 7, None)
        for ref in inputs(plan, registry())
    }
    graph = key_graph(plan, registry(), pins)
    return [(each.goal.operation, each.goal.name, each.key) for each in graph.goals]
