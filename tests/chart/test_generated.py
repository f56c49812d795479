"""Generated files are what the sources give now."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.chart import generate
from tests.chart.helm import ROOT, objects, template
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
    """Who applies the base does not use Helm, and its objects do not say so."""
    things = list(yaml.safe_load_all(FILES[generate.BASE]))
    assert things
    assert "helm" not in FILES[generate.BASE].removeprefix(generate.HEADER).lower()
