"""Values and calls of Helm in the pages fit the chart."""

from __future__ import annotations

from itertools import pairwise

import pytest
import yaml

from tests.support.doc_pages import blocks, calls, pages
from tests.support.paths import ROOT
from tests.tools.helm import render, template

VALUES = [
    pytest.param(block.text, id=f"{page.name}:{block.file}")
    for page in pages()
    for block in blocks(page)
    if block.language == "yaml" and "values" in block.words
]
CALLS = [
    words
    for page in pages()
    for block in blocks(page)
    if block.language in ("sh", "console")
    for words in calls(block)
    if words[0] == "helm" and words[1] in ("install", "upgrade") and "helm/voxk8s" in words
]
GITOPS = [
    document
    for path in sorted((ROOT / "manifests" / "gitops").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
_SETTING = ("--set", "--set-json", "--set-string")


@pytest.mark.parametrize("text", VALUES)
def test_values_of_a_page_are_those_of_the_chart(text: str) -> None:
    """The schema takes them, and the chart renders."""
    assert render(**yaml.safe_load(text))


def test_values_of_the_manifests_for_gitops_are_those_of_the_chart() -> None:
    """Argo CD's Application and Flux's HelmRelease install this chart."""
    sources = [
        (each["spec"]["source"].get("path"), each["spec"]["source"].get("helm", {}))
        for each in GITOPS
        if each["kind"] == "Application"
    ]
    given = [helm["valuesObject"] for path, helm in sources if path == "helm/voxk8s"]
    given += [
        each["spec"]["values"]
        for each in GITOPS
        if each["kind"] == "HelmRelease" and each["spec"]["chart"]["spec"]["chart"] == "helm/voxk8s"
    ]
    assert len(given) == 2
    assert all(render(**values) for values in given)


def test_calls_of_helm_set_values_of_the_chart() -> None:
    """What is set on the command line is in the schema; names of values files are in the page."""
    assert CALLS
    for words in CALLS:
        pairs = pairwise(words)
        options = [each for pair in pairs if pair[0] in _SETTING for each in pair]
        assert template(*options)


def test_values_files_are_on_the_page() -> None:
    """`--values FILE` names a block of the same page."""
    for page in pages():
        files = {block.file for block in blocks(page)}
        for block in blocks(page):
            if block.language != "sh":
                continue
            for words in calls(block):
                if words[0] == "helm" and "--values" in words:
                    named = words[words.index("--values") + 1]
                    assert named in files or (ROOT / named).exists()
