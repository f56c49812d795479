"""The README and the other documents match the code."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import yaml

import voxk8s
from tests.contract.test_constants import names
from tests.support.paths import ROOT
from voxk8s import constants
from voxk8s.cli.parser import build_parser

README = (ROOT / "README.md").read_text()
MANIFESTS = (ROOT / "manifests" / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of the README in a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


def test_every_reason_says_what_to_do() -> None:
    """The table of reasons lists every reason and no others."""
    section = MANIFESTS.partition("## When a WorkPlan waits or fails")[2]
    documented = {word for word in re.findall(r"`([A-Z][A-Za-z]+)`", section) if word != "WorkPlan"}
    reasons = {getattr(constants, name) for name in names() if name.startswith("REASON_")}
    assert documented - {"If-None-Match"} == reasons


@pytest.mark.parametrize("text", [README, MANIFESTS], ids=["README", "manifests"])
def test_what_is_named_exists(text: str) -> None:
    """Files and folders that a page names exist."""
    folders = (ROOT,) if text is README else (ROOT, ROOT / "manifests")
    top = "voxk8s|helm|manifests|tests|argocd|samples|base|crds|overlays"
    named = re.findall(rf"[`(\s]((?:{top})(?:/[\w.-]+)+)", text)
    named += re.findall(r"\]\(([\w./-]+)\)", text)
    assert named
    assert [name for name in named if not any((folder / name).exists() for folder in folders)] == []


def test_the_resource_and_its_document_are_the_same_plan() -> None:
    """The program at the top and the plan document below have the same nodes and goals."""
    resource, _, document = map(yaml.safe_load, blocks("yaml"))
    program = voxk8s.compile_program(resource["spec"]["source"]["program"])
    plan = voxk8s.load_plan(document["plan"])
    assert len(plan.nodes) == len(program.nodes)
    assert [goal.name for goal in plan.goals] == [goal.name for goal in program.goals]


def test_the_program_compiles() -> None:
    """The program in the README compiles as it is."""
    text = next(block for block in blocks("") if "// bright.imgql" in block)
    plan = voxk8s.compile_program(text, parameters={"SCAN": "scan.nii.gz"})
    assert [goal.name for goal in plan.goals] == ["volume", "region.nii.gz"]


def test_the_python_runs() -> None:
    """The example with a user-defined kernel prints what its comment shows."""
    (code,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == code.strip().rpartition("# ")[2]


def test_commands_have_the_options_that_are_shown() -> None:
    """Lines that begin with `$ voxk8s` are calls that the program takes."""
    shown = re.findall(r"^\$ voxk8s (.+)$", README, re.MULTILINE)
    assert shown
    for line in shown:
        build_parser().parse_args(line.split())
