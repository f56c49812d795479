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
from tests.support.doc_pages import blocks, calls, pages
from tests.support.paths import ROOT
from voxk8s import constants
from voxk8s.cli.argument_parser import build_parser

README = (ROOT / "README.md").read_text()
MANIFESTS = (ROOT / "manifests" / "README.md").read_text()
REASONS = (ROOT / "docs" / "troubleshooting.md").read_text()
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


def test_every_reason_says_what_to_do() -> None:
    """The table of reasons lists every reason and no others."""
    section = REASONS.partition("## On a cluster")[2]
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
    """The program of docs/plans.md and the plan document below have the same nodes and goals."""
    page = blocks(ROOT / "docs" / "plans.md")
    resource, document = (
        yaml.safe_load(block.text)["spec"]["source"] for block in page if block.language == "yaml"
    )
    program = voxk8s.compile_program(resource["program"], parameters=resource["parameters"])
    plan = voxk8s.load_plan(document["plan"])
    assert len(plan.nodes) == len(program.nodes)
    assert [goal.name for goal in plan.goals] == [goal.name for goal in program.goals]


def test_the_python_runs() -> None:
    """The example with a user-defined kernel prints what its comment shows."""
    page = blocks(ROOT / "docs" / "python.md")
    code = next(block.text for block in page if block.language == "python")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == code.strip().rpartition("# ")[2]


def shown(program: str) -> list[list[str]]:
    """Return the calls of a program in all pages that are not run, by their words."""
    return [
        words
        for page in pages()
        for block in blocks(page)
        if block.language in ("console", "sh") and not block.runs_here
        for words in calls(block)
        if words[0] == program
    ]


def test_commands_have_the_options_that_are_shown() -> None:
    """Calls of voxk8s that need a cluster are calls that the program takes."""
    found = shown("voxk8s")
    assert found
    for words in found:
        build_parser().parse_args(words[1:])


def test_images_that_are_built_have_a_target() -> None:
    """`docker build --target` names stages of the Dockerfile."""
    stages = set(
        re.findall(r"^FROM .* AS ([\w-]+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    )
    named = [words[words.index("--target") + 1] for words in shown("docker") if "build" in words]
    assert named
    assert set(named) <= stages


def test_files_that_are_applied_exist() -> None:
    """`kubectl apply -f` and `-k` name files and folders of the repository."""
    applied = [
        words[place + 1]
        for words in shown("kubectl")
        for place, word in enumerate(words[:-1])
        if word in ("-f", "-k", "--filename", "--kustomize")
    ]
    assert applied
    assert [name for name in applied if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Links to files, and to headings in them; other hosts are not asked."""
    broken = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub and the site make them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in found}
