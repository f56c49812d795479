"""The CRDs of Argo CD and Flux in tests/data/crds, from the projects' Go modules.

`python -m tests.tools.generate.gitops_crds` downloads the modules (60 MB) and writes the files
without descriptions and versions that are not served any more: the tests need no network.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from typing import Any, Final
from zipfile import ZipFile

import yaml

from tests.support.paths import ROOT
from tests.tools.cluster.go_toolchain import go

FOLDER: Final = ROOT / "tests" / "data" / "crds"
_BASES: Final = "config/crd/bases"
SOURCES: Final = {
    "github.com/argoproj/argo-cd/v3@v3.6.1": ["manifests/crds/application-crd.yaml"],
    "github.com/fluxcd/helm-controller@v1.6.1": [
        f"{_BASES}/helm.toolkit.fluxcd.io_helmreleases.yaml"
    ],
    "github.com/fluxcd/kustomize-controller@v1.10.1": [
        f"{_BASES}/kustomize.toolkit.fluxcd.io_kustomizations.yaml"
    ],
    "github.com/fluxcd/source-controller@v1.10.1": [
        f"{_BASES}/source.toolkit.fluxcd.io_gitrepositories.yaml",
        f"{_BASES}/source.toolkit.fluxcd.io_helmrepositories.yaml",
    ],
}
"""Files of modules under the Apache License 2.0."""


def without_descriptions(value: Any) -> Any:
    """Return a schema without its texts; a property that is called description stays."""
    if isinstance(value, dict):
        return {
            name: without_descriptions(each)
            for name, each in value.items()
            if not (name == "description" and isinstance(each, str))
        }
    return [without_descriptions(each) for each in value] if isinstance(value, list) else value


def main() -> None:
    """Write all files, and where each comes from."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    origins: dict[str, dict[str, str]] = {}
    for module, paths in SOURCES.items():
        with tempfile.TemporaryDirectory() as empty:
            # Fails after the download for a module that wants a newer Go; nothing is built here.
            words = [str(go()), "mod", "download", "-json", module]
            done = subprocess.run(words, cwd=empty, capture_output=True, text=True, check=False)
        with ZipFile(json.loads(done.stdout)["Zip"]) as archive:
            for path in paths:
                data = archive.read(f"{module}/{path}")
                crd = without_descriptions(yaml.load(data, yaml.CSafeLoader))
                crd["spec"]["versions"] = [
                    each for each in crd["spec"]["versions"] if each["storage"]
                ]
                name = f"{crd['spec']['names']['plural']}.json"
                (FOLDER / name).write_text(json.dumps(crd, separators=(",", ":")) + "\n")
                origins[name] = {
                    "module": module,
                    "path": path,
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "licence": "Apache-2.0",
                }
    (FOLDER / "origins.json").write_text(json.dumps(origins, indent=2) + "\n")


if __name__ == "__main__":
    main()
