"""Generated files are what the sources give now."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.paths import ROOT
from tests.tools.generate import __main__ as generate
from tests.tools.helm import objects, one, program, template
from voxk8s.api.crd import crd

FILES = generate.files()


@pytest.mark.parametrize("path", FILES, ids=str)
def test_generated_file_is_up_to_date(path: Path) -> None:
    """`make generate` would change nothing."""
    assert (ROOT / path).read_text(encoding="utf-8") == FILES[path]


def test_chart_carries_the_crd() -> None:
    """The template renders the same CRD as manifests/crds, kept when the release goes."""
    rendered = [
        thing for thing in objects(template()) if thing["kind"] == "CustomResourceDefinition"
    ]
    assert len(rendered) == 1
    assert rendered[0]["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert rendered[0] == crd()


def test_base_has_no_trace_of_helm() -> None:
    """The objects of the kustomize base have no Helm labels."""
    things = list(yaml.safe_load_all(FILES[generate.BASE]))
    assert things
    assert "helm" not in FILES[generate.BASE].removeprefix(generate.HEADER).lower()


@pytest.mark.parametrize("folder", ["crds", "base", "overlays/high-availability"])
def test_kustomization_builds(folder: str) -> None:
    """`kubectl apply -k` finds everything that a kustomization names."""
    words = [program("kubectl"), "kustomize", str(ROOT / "manifests" / folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert "workplans.voxk8s.io" in [thing["metadata"]["name"] for thing in objects(done.stdout)]


def test_overlay_gives_a_store() -> None:
    """The overlay's patch adds the store to the operator's environment."""
    words = [program("kubectl"), "kustomize", str(ROOT / "manifests/overlays/default-store")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    operator = one(objects(done.stdout), "Deployment", "voxk8s-operator")
    env = operator["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [item["value"] for item in env if item["name"] == "VOXK8S_STORE"] == ["s3://results"]
    assert "AWS_SESSION_TOKEN" in [item["name"] for item in env if "valueFrom" in item]
