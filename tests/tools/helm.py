"""helm, as a user calls it, on the chart of this checkout."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import yaml

from tests.support.paths import ROOT

CHART = ROOT / "helm" / "voxk8s"
NAMESPACE = "voxk8s-system"


class HelmError(AssertionError):
    """helm ended with an error; the message is what it said."""


def program(name: str) -> str:
    """Find a program of `make tools`, or of the machine; raises FileNotFoundError."""
    own = ROOT / ".tools" / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is missing: run `make tools`")
    return found


def helm(*words: str) -> str:
    """Run helm and give what it prints; raises HelmError."""
    done = subprocess.run(
        [program("helm"), *words], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise HelmError(f"{done.stdout}{done.stderr}")
    return done.stdout


def template(*options: str, values: dict[str, Any] | None = None) -> str:
    """Render the chart with values; raises HelmError."""
    words = ["template", "voxk8s", str(CHART), "--namespace", NAMESPACE, *options]
    if values is None:
        return helm(*words)
    done = subprocess.run(
        [program("helm"), *words, "--values", "-"],
        input=yaml.safe_dump(values),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise HelmError(f"{done.stdout}{done.stderr}")
    return done.stdout


def objects(text: str) -> list[dict[str, Any]]:
    """Read rendered manifests."""
    return [thing for thing in yaml.load_all(text, Loader=yaml.CSafeLoader) if thing]


def render(*options: str, **values: Any) -> list[dict[str, Any]]:
    """Render the chart with values and read the manifests."""
    return objects(template(*options, values=values))


def one(things: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """Return the object of a kind and name; raises AssertionError when it is not exactly one."""
    found = [
        thing for thing in things if thing["kind"] == kind and thing["metadata"]["name"] == name
    ]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    return found[0]
