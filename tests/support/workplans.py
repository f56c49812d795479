"""Small WorkPlans for tests: documents with names for ids, and the resources around them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

Document = dict[str, Any]

TWO_AND_TWO = {
    "nodes": [
        {"id": "two", "type": "constant", "value": 2.0},
        {"id": "sum", "type": "operation", "operator": "addition",
         "arguments": {"0": "two", "1": "two"}},
    ],
    "goals": [{"operation": "print", "id": "sum", "name": "sum"}],
}  # fmt: skip
"""A plan document that adds 2.0 and 2.0, with a name for each id."""


def constant(name: str, value: object) -> Document:
    """Return a constant node."""
    return {"id": name, "type": "constant", "value": value}


def operation(name: str, kernel: str, *arguments: str) -> Document:
    """Return an operation node."""
    return {
        "id": name,
        "type": "operation",
        "operator": kernel,
        "arguments": {str(place): argument for place, argument in enumerate(arguments)},
    }


def show(node: str, name: str | None = None) -> Document:
    """Return a print goal."""
    return {"operation": "print", "id": node, "name": name or node}


def save(node: str, path: str) -> Document:
    """Return a save goal."""
    return {"operation": "save", "id": node, "name": path}


def document(nodes: Iterable[Document], goals: Iterable[Document]) -> Document:
    """Return a plan document."""
    return {"nodes": list(nodes), "goals": list(goals)}


def write_plan(
    folder: Path, nodes: Iterable[Document], goals: Mapping[str, str], name: str = "plan.json"
) -> str:
    """Write a plan document; goals whose name has a dot are saved, the others printed."""
    listed = [
        save(node, label) if "." in label else show(node, label) for label, node in goals.items()
    ]
    (folder / name).write_text(json.dumps(document(nodes, listed)))
    return name


def addition(first: float, second: float) -> Document:
    """Return a plan of one operation, whose goal is `sum`."""
    return document(
        [constant("a", first), constant("b", second), operation("s", "addition", "a", "b")],
        [show("s", "sum")],
    )


def sleeps(count: int, seconds: float, salt: float) -> Document:
    """Return a plan of `count` independent sleeps, each a little longer, and the sum of all.

    The sum is count * seconds + salt * count * (count + 1) / 2; `salt` makes the plan new.
    """
    nodes, total = [], ""
    for place in range(count):
        nodes += [
            constant(f"c{place}", seconds + salt * (place + 1)),
            operation(f"s{place}", "test.sleep", f"c{place}"),
        ]
        if not place:
            total = "s0"
            continue
        nodes.append(operation(f"t{place}", "addition", total, f"s{place}"))
        total = f"t{place}"
    return document(nodes, [show(total, "total")])


def workplan(name: str, plan: Document | None = None, **spec: Any) -> Document:
    """Return a WorkPlan resource with an inline plan, or with the `source` among `spec`."""
    body: Document = {"cluster": {"maxWorkers": 2}, **spec}
    if plan is not None:
        body["source"] = {"plan": plan}
    return {
        "apiVersion": "voxk8s.io/v1alpha1",
        "kind": "WorkPlan",
        "metadata": {"name": name},
        "spec": body,
    }


def sample(name: str) -> Document:
    """Read one of the sample WorkPlans."""
    thing: Document = yaml.safe_load((ROOT / "manifests" / "samples" / name).read_text())
    return thing


def results(thing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values or URLs of a WorkPlan's status by goal name."""
    found = (thing.get("status") or {}).get("results") or ()
    return {r["goal"]: r["value"] if "value" in r else r.get("url") for r in found}
