"""Write all generated files (`make generate`): CRDs, samples, golden files, documents, tables.

The tests compare what this module gives with what is checked in.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.support import example_runs
from tests.support.paths import ROOT
from tests.tools.generate import argocd, chart_readme, kernel_pictures, samples
from tests.tools.generate.kernel_reference import kernel_reference
from tests.tools.generate.module_index import module_index
from tests.tools.generate.textmate import grammar
from tests.tools.helm import template
from voxk8s.api import crd
from voxk8s.imgql.syntax import parser_tables

HEADER = "# Made from helm/voxk8s by `make generate`; do not edit.\n"
BASE = Path("manifests/base/voxk8s.yaml")
README = Path("helm/voxk8s/README.md")
MODULE_INDEX = Path("docs/modules.md")
KERNEL_REFERENCE = Path("docs/kernels.md")
TEXTMATE_GRAMMAR = Path("docs/editors/vscode/imgql.tmLanguage.json")
GOLDEN = Path("tests/data/manifests")

CHART_VALUES: dict[str, dict[str, Any]] = {
    "default": {"crds": {"install": False}},
    "everything": {
        "image": {"pullSecrets": ["registry"]},
        "operator": {
            "replicas": 2,
            "env": {"EXTRA": "1"},
            "podLabels": {"team": "imaging"},
            "podAnnotations": {"note": "mine"},
            "nodeSelector": {"pool": "system"},
            "tolerations": [{"key": "system", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "priorityClassName": "system-cluster-critical",
        },
        "serviceAccount": {"name": "operator", "annotations": {"cloud/role": "voxk8s"}},
        "watchNamespaces": ["lab", "ward"],
        "store": {
            "allowedNamespaces": ["lab"],
            "deniedNamespaces": ["ward"],
            "readableSecrets": ["lab-keys"],
            "domains": {"clinic": {"namespaces": ["ward"], "existingSecret": "clinic-keys"}},
        },
        "inputs": {"allowedPrefixes": ["s3://images/"]},
        "testKernels": {"enabled": True},
        "defaults": {"runAs": None, "env": {"A": "1"}, "priorityClasses": {"high": 100}},
        "kueue": {"enabled": True},
        "limits": {"clusters": 20, "clustersPerNamespace": 5},
        "podDisruptionBudget": {"enabled": True},
        "metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
        "s3": {"enabled": True, "existingSecret": "s3-keys"},
        "crds": {"install": False},
    },
    "external-store": {
        "store": {
            "url": "s3://results/lab",
            "endpoint": "https://s3.example.org:9000",
            "existingSecret": "store",
            "allowedNamespaces": ["*"],
            "trust": "shared",
        },
        "networkPolicy": {"enabled": False},
        "rbac": {"aggregate": False},
        "crds": {"install": False},
    },
}


def base() -> str:
    """Render the base of the kustomizations: the chart's defaults without CRD and tests."""
    text = template("--skip-tests", values={"crds": {"install": False}})
    text = re.sub(r"^# Source: .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^ *helm\.sh/chart: .*\n", "", text, flags=re.MULTILINE)
    return HEADER + text.replace("managed-by: Helm", "managed-by: kustomize")


def golden_run(name: str) -> str:
    """Write down the manifests of an example run."""
    plain = json.loads(json.dumps(example_runs.GOLDEN[name]))  # nothing shared, so no YAML anchors
    text: str = yaml.safe_dump_all(plain, sort_keys=False, width=100)
    return text


def files() -> dict[Path, str]:
    """Return every generated file with its content."""
    return {
        crd.CRD_FILE: crd.render(),
        crd.CHART_FILE: crd.render_chart(),
        BASE: base(),
        README: chart_readme.readme(),
        argocd.CONFIG_MAP: argocd.config_map(ROOT),
        MODULE_INDEX: module_index(),
        KERNEL_REFERENCE: kernel_reference(),
        TEXTMATE_GRAMMAR: json.dumps(grammar(), indent=2) + "\n",
        parser_tables.TABLES_FILE: parser_tables.render(
            (ROOT / parser_tables.TABLES_FILE).read_text(encoding="utf-8")
        ),
        **samples.files(ROOT),
        **{GOLDEN / f"run-{name}.yaml": golden_run(name) for name in example_runs.GOLDEN},
        **{
            GOLDEN / f"chart-{name}.yaml": template(values=values)
            for name, values in CHART_VALUES.items()
        },
    }


def main() -> None:
    """Write the CRD first, since the chart contains it, then everything."""
    crd.main(["--write", str(ROOT)])
    for path, text in files().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
    write_kernel_pictures()


def write_kernel_pictures() -> None:
    """Run the examples of kernels, and replace their pictures."""
    folder = ROOT / kernel_pictures.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        drawn = kernel_pictures.pictures(kernel_pictures.run_all(Path(scratch)))
    for path in folder.iterdir():
        path.unlink()
    for name, picture in drawn.items():
        (folder / kernel_pictures.file_name(name)).write_bytes(kernel_pictures.encoded(picture))


if __name__ == "__main__":
    main()
