"""What is fetched to build voxk8s is named by its hash: nobody on the way can replace it."""

from __future__ import annotations

import re

import pytest

from tests.support.paths import ROOT

HASH = re.compile(r"sha256:[0-9a-f]{64}")


def test_the_base_image_is_named_by_its_digest() -> None:
    """A tag may be moved to another image."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    (base,) = re.findall(r"^ARG BASE_IMAGE=(.*)$", text, re.MULTILINE)
    assert HASH.search(base)
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE))
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) <= stages | {"${BASE_IMAGE}"}


@pytest.mark.parametrize("name", ["Dockerfile", "Makefile", ".ci/run"])
def test_every_installation_checks_hashes(name: str) -> None:
    """Packages are installed from lists with hashes, or without a network."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    for command in re.findall(r"pip install[^\n]*", text):
        assert "--require-hashes" in command or "--offline" in command, command


@pytest.mark.parametrize("name", [".ci/uv.txt", ".ci/build-tools.txt"])
def test_lists_have_exact_versions(name: str) -> None:
    """Each package of a list has one version, and hashes of its files."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[a-z]+==[0-9.]+ ", line), line
        assert HASH.search(line), line
