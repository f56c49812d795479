"""The CRD that is generated from the types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT
from voxk8s.api import crd

VERSION = crd.crd()["spec"]["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]


def nodes(schema: dict[str, Any], path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema inside a schema, with its path."""
    yield path, schema
    for name, inner in (schema.get("properties") or {}).items():
        yield from nodes(inner, f"{path}.{name}")
    if isinstance(inner := schema.get("additionalProperties"), dict):
        yield from nodes(inner, f"{path}.*")
    if isinstance(inner := schema.get("items"), dict):
        yield from nodes(inner, f"{path}[]")


def test_checked_in_crd_is_up_to_date() -> None:
    """`make generate` would change nothing."""
    assert (ROOT / crd.CRD_FILE).read_text() == crd.render()
    assert (ROOT / crd.CHART_FILE).read_text() == crd.render_chart()


def test_rendering_gives_the_crd() -> None:
    """The YAML contains the CRD."""
    assert yaml.safe_load(crd.render()) == crd.crd()


def test_new_workplan_is_not_current() -> None:
    """The default status has an observed generation that no spec has, for kstatus."""
    assert SCHEMA["properties"]["status"]["default"] == {"observedGeneration": -1}


def test_everything_is_bounded() -> None:
    """Every string, array and map is bounded, so that CEL rules are cheap and objects small."""
    unbounded = [
        path
        for path, node in nodes(SCHEMA)
        if path not in {"$.apiVersion", "$.kind"}
        and (
            (node.get("type") == "string" and not {"maxLength", "enum", "format"} & set(node))
            or (node.get("type") == "array" and "maxItems" not in node)
            or ("additionalProperties" in node and "maxProperties" not in node)
        )
    ]
    assert unbounded == []


def test_schema_is_structural() -> None:
    """Every part has a type, unless an extension of Kubernetes permits none."""
    untyped = [
        path
        for path, node in nodes(SCHEMA)
        if "type" not in node
        and not node.get("x-kubernetes-preserve-unknown-fields")
        and not node.get("x-kubernetes-int-or-string")
    ]
    assert untyped == []


def test_fields_are_explained() -> None:
    """`kubectl explain` has a sentence for every field."""
    mute = [
        path
        for path, node in nodes(SCHEMA)
        if "description" not in node and not path.endswith(("[]", "*", "kind", "apiVersion"))
    ]
    assert mute == ["$.metadata"]


def test_lists_merge_by_key() -> None:
    """Two field managers may own different items of these lists."""
    keyed = [
        (path, node["x-kubernetes-list-map-keys"])
        for path, node in nodes(SCHEMA)
        if node.get("x-kubernetes-list-type") == "map"
    ]
    found = {path.rpartition(".properties.")[2].rpartition(".")[2]: keys for path, keys in keyed}
    assert found == {
        "conditions": ["type"],
        "env": ["name"],
        "hostAliases": ["ip"],
        "imagePullSecrets": ["name"],
        "volumes": ["claimName"],
        "workerGroups": ["name"],
    }
    groups = [path for path, _ in keyed if path.endswith(".workerGroups")]
    assert len(groups) == 2  # of the spec and of the status


def test_selectable_fields_are_texts() -> None:
    """A field selector needs a field of a simple type."""
    paths = [field["jsonPath"] for field in VERSION["selectableFields"]]
    status = SCHEMA["properties"]["status"]["properties"]
    assert paths == [".status.phase", ".status.reason"]
    assert {status[path.rpartition(".")[2]]["type"] for path in paths} == {"string"}


def test_printer_columns() -> None:
    """`kubectl get wp` shows these columns; the duration is text, which does not grow by itself."""
    columns = {column["name"]: column for column in VERSION["additionalPrinterColumns"]}
    shown = [name for name, column in columns.items() if column["priority"] == 0]
    assert shown == ["Status", "Progress", "Cached", "Workers", "Duration", "Age"]
    assert columns["Duration"]["type"] == "string"


def test_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments the CRD is printed, with a folder it is written to its files."""
    assert crd.main([]) == 0
    assert capsys.readouterr().out == crd.render()
    assert crd.main(["--write", str(tmp_path)]) == 0
    assert (tmp_path / crd.CRD_FILE).read_text() == crd.render()
