"""Kernels of a user's own package, in images that its Dockerfile makes from ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import voxk8s
from tests.support.kubectl import Kubectl
from tests.support.paths import ROOT
from tests.tools.cluster import charts, derived_images
from tests.tools.cluster.commands import run
from tests.tools.cluster.paths import IMAGES, PROVIDER
from tests.tools.cluster.wheels import UV

RELEASE = ("voxk8s", "--namespace", charts.SYSTEM)
CHART = ROOT / "helm" / "voxk8s"


@pytest.fixture
def images(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Build both images of a new package, and let the chart use them for this test."""
    provider = PROVIDER.read_text().strip() if PROVIDER.exists() else "none"
    if provider != "bare":
        pytest.skip(f"images are built by buildah for the bare cluster, this one is {provider}")
    assert voxk8s(tmp_path, "new-kernels", "lab").status == 0
    package = tmp_path / "lab-kernels"
    ours = dict(line.split("=", 1) for line in IMAGES.read_text().splitlines())
    made = {
        target: derived_images.bring(package, target, variable, ours[variable])
        for target, variable in (("engine", "ENGINE_IMAGE"), ("operator", "OPERATOR_IMAGE"))
    }
    words = [word for name, image in made.items() for word in ("--set", f"image.{name}={image}")]
    charts.helm("upgrade", *RELEASE, CHART, "--reset-then-reuse-values", *words, "--wait")
    yield made
    charts.helm("rollback", *RELEASE, "--wait")


def test_a_new_kernel_runs_on_the_cluster(
    images: dict[str, str], kube: Kubectl, tmp_path: Path
) -> None:
    """As docs/own-kernels.md says: both images, one `helm upgrade`, then the example."""
    package = tmp_path / "lab-kernels"
    # `submit` compiles the program here, too.
    here = tmp_path / "site"
    run([UV, "pip", "install", "--quiet", "--no-deps", "--target", here, package])
    env = {"KUBECONFIG": str(kube.kubeconfig), "PYTHONPATH": str(here)}
    words = ("submit", "--wait", "--namespace", kube.namespace, "example.imgql")
    done = voxk8s(package, *words, env=env)
    assert done.status == 0, done.err
    assert "brightest=0.5" in done.out.splitlines()
    (pod,) = (pod for pod in kube.items("pods") if "runner" in pod["metadata"]["name"])
    assert pod["spec"]["containers"][0]["image"] == images["engine"]
