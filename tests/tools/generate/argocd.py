"""The patch of Argo CD's ConfigMap, made of the Lua scripts beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path("manifests/argocd")
CONFIG_MAP = FOLDER / "argocd-cm.yaml"

_HEADER = """\
# Made by `make generate` from the Lua scripts in this folder; do not edit. To install it:
#   kubectl -n argocd patch configmap argocd-cm --patch-file argocd-cm.yaml
"""


class _Dumper(yaml.SafeDumper):
    """A dumper that writes texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def config_map(root: Path) -> str:
    """Return the patch."""
    actions = root / FOLDER / "actions"
    definitions = [
        {"name": path.parent.name, "action.lua": path.read_text(encoding="utf-8")}
        for path in sorted(actions.glob("*/action.lua"))
    ]
    discovery = (actions / "discovery.lua").read_text(encoding="utf-8")
    data = {
        "resource.customizations.health.voxk8s.io_WorkPlan": (
            root / FOLDER / "health.lua"
        ).read_text(encoding="utf-8"),
        "resource.customizations.actions.voxk8s.io_WorkPlan": _dump(
            {"discovery.lua": discovery, "definitions": definitions}
        ),
    }
    return _HEADER + _dump({"data": data})


def _dump(value: dict[str, Any]) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=1000)
    return text
