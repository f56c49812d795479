"""Configuration that the cluster's processes are given."""

import tomllib
from importlib import metadata
from pathlib import Path

from tests.tools.cluster import charts, dns, go_programs, go_toolchain, images, volumes
from tests.tools.cluster.containerd import Containerd
from tests.tools.cluster.kubelet import Node


def test_go_version_is_read() -> None:
    """The version is taken from what `go version` prints; something else is no version."""
    assert go_toolchain.version_of("go version go1.26.8 linux/amd64") == (1, 26)
    assert go_toolchain.version_of("command not found") == (0, 0)


def test_containerd_stays_in_its_own_folders() -> None:
    """The configuration is TOML, names our folders only and limits the score for runc."""
    containerd = Containerd(Path("/data"), Path("/content"), Path("/run/ours"))
    parsed = tomllib.loads(containerd.configuration(Path("/data/network")))
    interface = parsed["plugins"]["io.containerd.grpc.v1.cri"]
    assert (parsed["root"], parsed["state"]) == ("/content", "/run/ours/containerd")
    assert parsed["grpc"]["address"] == "/run/ours/containerd.sock"
    assert interface["restrict_oom_score_adj"] is True
    assert interface["cni"]["conf_dir"] == "/data/network"


def test_kubelet_reports_to_the_given_runtime() -> None:
    """The kubelet uses our containerd and gives pods no resolver of the host."""
    node = Node(Path("/bin"), Path("/data"), Path("/pki"), Path("/run/ours/containerd.sock"))
    configuration = node.configuration()
    assert configuration["containerRuntimeEndpoint"] == "unix:///run/ours/containerd.sock"
    assert configuration["resolvConf"] == ""
    assert configuration["cgroupDriver"] == "cgroupfs"


def test_names_are_forwarded_only_where_there_is_a_resolver() -> None:
    """A host without /etc/resolv.conf gets a name service for the cluster's own names."""
    assert "forward . /etc/resolv.conf" in dns.corefile(Path("/k"), forward=True)
    assert "forward" not in dns.corefile(Path("/k"), forward=False)


def test_pinned_modules_are_complete() -> None:
    """Each program's package is a tool of the go.mod that pins it, and go.sum is there."""
    modules = (
        go_programs.KUBERNETES, go_programs.KUBECTL, go_programs.HELM,
        go_programs.KUBECONFORM, go_programs.KIND,
    )  # fmt: skip
    for module in modules:
        sources = module.sources()
        assert all(package in sources["go.mod"].decode() for package in module.packages)
        assert sources["go.sum"]


def test_only_images_with_our_package_follow_the_source() -> None:
    """Engine and operator carry the package; the images of others' programs do not."""
    assert {target.name for target in images.TARGETS if target.with_source} == {
        "engine",
        "operator",
    }


def test_releases_use_the_built_images() -> None:
    """Every image reference ends up in the values of the release that runs it."""
    built = {target.variable: f"voxk8s/{target.name}:tag" for target in images.TARGETS}
    dask, ours = charts.releases(built)
    assert dask.values["image"] == {"name": "voxk8s/dask-operator", "tag": "tag"}
    libraries = ours.values["image"].pop("libraries")
    assert ours.values["image"] == {
        "operator": "voxk8s/operator:tag",
        "engine": "voxk8s/engine:tag",
    }
    assert libraries == {"voxk8s/engine:tag": {"SimpleITK": metadata.version("SimpleITK")}}
    assert ours.values["s3"]["image"] == "voxk8s/s3:tag"
    assert charts.DENIED in ours.values["store"]["deniedNamespaces"]


def test_rollout_counts_only_when_the_controller_has_seen_the_change() -> None:
    """A workload is ready when all its pods are, and its status is about the present wish."""
    counts = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    seen = {"metadata": {"generation": 2}, "spec": {"replicas": 1}}
    assert charts.is_rolled_out(seen | {"status": counts | {"observedGeneration": 2}})
    assert not charts.is_rolled_out(seen | {"status": counts | {"observedGeneration": 1}})
    old_pod = counts | {"replicas": 2, "observedGeneration": 2}
    assert not charts.is_rolled_out(seen | {"status": old_pod})
    assert not charts.is_rolled_out(seen)


def test_only_released_volumes_of_ours_are_recycled() -> None:
    """A volume in use, or of another class, keeps its data."""

    def volume(name: str, storage_class: str, phase: str) -> dict[str, object]:
        spec = {"storageClassName": storage_class}
        return {"metadata": {"name": name}, "spec": spec, "status": {"phase": phase}}

    found = [
        volume("node-1", volumes.CLASS, "Bound"),
        volume("node-2", volumes.CLASS, "Released"),
        volume("other", "fast", "Released"),
    ]
    assert volumes.released(found) == ["node-2"]
