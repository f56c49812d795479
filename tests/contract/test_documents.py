"""The README and the other documents match the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import voxk8s
from tests.contract.test_constants import names
from tests.support.paths import ROOT
from voxk8s import constants
from voxk8s.cli.argument_parser import build_parser

README = (ROOT / "README.md").read_text()
MANIFESTS = (ROOT / "manifests" / "README.md").read_text()
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "tests/*.md", "manifests/*.md", "helm/*/*.md")
    for path in ROOT.glob(pattern)
)


FILES = [
    path
    for top in ("voxk8s", "tests", "helm", "manifests", "docs")
    for path in (ROOT / top).rglob("*")
    if path.is_file()
] + [path for path in ROOT.iterdir() if path.is_file()]
FOLDERS = {parent for path in FILES for parent in path.parents if ROOT in parent.parents}


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules_that_a_page_names_exist(page: Path) -> None:
    """Modules and folders in backticks exist; `a/b.py` and NAME stand for any."""
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|yaml|toml|lua)))`", page.read_text())
    example = re.compile(r"NAME|MODULE|\ba/(test_)?b\.py")
    known = {f"/{path.relative_to(ROOT)}" for path in (*FOLDERS, *FILES)}
    missing = [
        name
        for name in named
        if not example.search(name)
        and not any(path.endswith(f"/{name.rstrip('/')}") for path in known)
    ]
    assert missing == []


def test_the_architecture_names_every_package() -> None:
    """docs/architecture.md says where every folder of the package belongs."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    packages = {path.parent.name for path in (ROOT / "voxk8s").glob("*/**/__init__.py")}
    assert sorted(name for name in packages if f"{name}/" not in text) == []


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
