"""The CRDs of Kueue, from its Go module: real ones, pinned and with a checksum, 1.5 MB unpacked."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.tools.cluster.cache import digest_of, entry
from tests.tools.cluster.commands import run
from tests.tools.cluster.go_toolchain import go
from tests.tools.cluster.paths import HERE
from tests.tools.cluster.progress import step

_MODULE = HERE / "modules" / "kueue"
_BASES = "config/components/crd/bases"


def crds() -> Iterator[dict[str, Any]]:
    """Yield the CRDs; the first call on a machine downloads them."""
    pins = {path.name: path.read_bytes() for path in sorted(_MODULE.iterdir())}
    for path in sorted(entry("kueue", digest_of(*pins.values()), _download).glob("*.yaml")):
        yield yaml.load(path.read_text(), yaml.CSafeLoader)


def _download(folder: Path) -> None:
    with step("CRDs of Kueue from its Go module (once a machine)"):
        work = folder / "module"
        shutil.copytree(_MODULE, work)
        # Only its own files, not those of what it needs.
        words = ("mod", "download", "-json", "sigs.k8s.io/kueue")
        found = json.loads(run([go(), *words], cwd=work, env={"GOFLAGS": "-mod=readonly"}))
        for path in Path(found["Dir"]).joinpath(_BASES).glob("*.yaml"):
            shutil.copyfile(path, folder / path.name)
        shutil.rmtree(work)
