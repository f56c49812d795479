"""The CustomResourceDefinition of WorkPlan; `python -m voxk8s.api.crd` prints or writes it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from voxk8s.api import cel_rules
from voxk8s.api.openapi_schema import Schema, schema_of
from voxk8s.api.spec import WorkPlanSpec
from voxk8s.api.status import WorkPlanStatus
from voxk8s.constants import GROUP, KIND, PLURAL, SHORT_NAME, VERSION

NAME = f"{PLURAL}.{GROUP}"
CRD_FILE = Path("manifests/crds") / f"{GROUP}_{PLURAL}.yaml"
CHART_FILE = Path("helm/voxk8s/templates") / "crd.yaml"

_HEADER = "# Made from voxk8s/api by `make generate`; do not edit.\n"
_COLUMNS = (
    ("Status", "string", ".status.phase", 0),
    ("Progress", "string", ".status.progress", 0),
    ("Cached", "integer", ".status.operations.cached", 0),
    ("Workers", "integer", ".status.cluster.workers", 0),
    ("Duration", "string", ".status.duration", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Reason", "string", ".status.reason", 1),
    ("Message", "string", ".status.message", 1),
)
_SELECTABLE = (".status.phase", ".status.reason")
_KEEP = """\
    {{- if .Values.crds.keep }}
    helm.sh/resource-policy: keep
    {{- end }}
"""


def crd() -> Schema:
    """Return the CRD, built from the types of `spec` and `status` and the CEL rules."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": NAME},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": [SHORT_NAME],
                "categories": ["voxk8s"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        {"name": name, "type": kind, "jsonPath": path, "priority": priority}
                        for name, kind, path, priority in _COLUMNS
                    ],
                    # kubectl get wp --field-selector status.phase=Failed
                    "selectableFields": [{"jsonPath": path} for path in _SELECTABLE],
                    "schema": {"openAPIV3Schema": _schema()},
                }
            ],
        },
    }


def _schema() -> Schema:
    spec = schema_of(WorkPlanSpec)
    spec["description"] = "A plan and how to run it."
    fields = spec["properties"]
    for name, own in (
        ("source", cel_rules.SOURCE),
        ("cluster", cel_rules.CLUSTER),
        ("store", cel_rules.STORE),
        ("output", cel_rules.BUCKET),
    ):
        fields[name]["x-kubernetes-validations"] = own
    status = schema_of(WorkPlanStatus)
    status["description"] = "Observed state of the WorkPlan."
    # kstatus takes an object without a status as current, so a new object gets one that is not.
    status["default"] = {"observedGeneration": -1}
    return {
        "type": "object",
        "description": "A VoxLogicA work plan, computed on a Dask cluster.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
        "x-kubernetes-validations": cel_rules.WORK_PLAN,
    }


def render() -> str:
    """Return the CRD as YAML; deterministic."""
    return _HEADER + _yaml(crd())


def render_chart() -> str:
    """Return the CRD as a template of the chart.

    It is a template because Helm never upgrades files in `crds/`.
    """
    document = crd()
    document["metadata"]["annotations"] = {}
    body = _yaml(document).replace("  annotations: {}\n", f"  annotations:\n{_KEEP}", 1)
    guard = "{{- if .Values.crds.install }}\n"
    annotations = "    {{- with .Values.crds.annotations }}\n    {{- toYaml . | nindent 4 }}\n"
    body = body.replace(_KEEP, f"{_KEEP}{annotations}    {{{{- end }}}}\n", 1)
    return f"{_HEADER}{guard}{body}{{{{- end }}}}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the CRD, or write it to its files in the repository."""
    parser = argparse.ArgumentParser(prog="python -m voxk8s.api.crd", description=main.__doc__)
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="top folder of the repository")
    options = parser.parse_args(arguments)
    if options.write is None:
        sys.stdout.write(render())
        return 0
    for path, text in ((CRD_FILE, render()), (CHART_FILE, render_chart())):
        target = options.write / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return 0


class _Dumper(yaml.SafeDumper):
    """A dumper without anchors and aliases, which are unusual in manifests."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- PyYAML's signature
        """Return True: repeat equal values."""
        return True


def _yaml(document: Schema) -> str:
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100)
    return text


if __name__ == "__main__":
    sys.exit(main())
