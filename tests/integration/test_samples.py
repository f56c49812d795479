"""The sample programs give what an independent computation gives."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from tests.support import reference_kernels
from tests.support.paths import SAMPLES
from tests.support.plans_and_runs import fresh_store
from tests.support.programs import read, run_program, write
from tests.support.s3 import S3Server
from voxk8s.inputs.filesystems import file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate

SAMPLES = SAMPLES
SPACING = (2.0, 2.0, 2.0)


def template(kind: str) -> NDArray[np.uint8]:
    """Return an MNI152 template of the nilearn wheel (`t1`, `wm`), every other voxel of it."""
    name = f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
    path = Path(str(files("nilearn.datasets") / "data" / name))
    voxels: NDArray[np.uint8] = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    return np.ascontiguousarray(voxels[::2, ::2, ::2])


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the T1 template and the white matter's probability, at 2 mm."""
    folder = tmp_path_factory.mktemp("mni")
    for kind in ("t1", "wm"):
        write(folder / f"{kind}.nii.gz", template(kind), SPACING)
    return folder


def test_white_matter(scan: Path, tmp_path: Path) -> None:
    """The region, its volume and its share are those of scipy; it agrees with the reference."""
    parameters = {"SCAN": str(scan / "t1.nii.gz")}
    result = run_program(SAMPLES / "white-matter.imgql", parameters, tmp_path, executor="local")

    t1 = template("t1").astype(np.float32)
    head = t1 >= 1
    ranks = reference_kernels.percentiles(t1, head, 0.5)
    core = reference_kernels.maxvol(
        reference_kernels.smoothen(ranks >= np.float32(0.8), 2, SPACING)
    )
    grown = reference_kernels.grow(core, ranks >= np.float32(0.6))
    region = reference_kernels.maxvol(reference_kernels.smoothen(grown, 1.5, SPACING))

    assert np.array_equal(read(tmp_path / "white-matter.nii.gz"), region)
    assert result["volume"] == region.sum()
    assert result["share of the head"] == pytest.approx(region.sum() / head.sum())
    assert result["mean intensity"] == pytest.approx(t1[region].mean(dtype=np.float64))
    depth = reference_kernels.positive_distance(~region, SPACING).max()
    assert result["depth in mm"] == pytest.approx(depth, rel=1e-6)
    assert reference_kernels.dice(region, template("wm") > 127) > 0.85


def test_threshold_sweep(scan: Path, tmp_path: Path) -> None:
    """Every score is that of numpy, and the best threshold's mask is saved; a repeat is known."""
    parameters = {"SCAN": str(scan / "t1.nii.gz"), "REFERENCE": str(scan / "wm.nii.gz")}
    store = fresh_store()
    program = SAMPLES / "threshold-sweep.imgql"
    result = run_program(program, parameters, tmp_path, store=store, executor="local")

    t1, truth = template("t1").astype(np.float32), template("wm") > 127
    ranks = reference_kernels.percentiles(t1, t1 >= 1, 0.5)
    thresholds = [step / 100 for step in range(50, 90)]
    scores = [
        reference_kernels.dice(reference_kernels.maxvol(ranks >= np.float32(each)), truth)
        for each in thresholds
    ]
    best = int(np.argmax(scores))
    assert result["scores"] == pytest.approx(scores)
    assert result["dice"] == pytest.approx(max(scores))
    assert result["best threshold"] == thresholds[best]
    mask = reference_kernels.maxvol(ranks >= np.float32(thresholds[best]))
    assert np.array_equal(read(tmp_path / "best.nii.gz"), mask)
    assert max(scores) > 0.9

    again = run_program(program, parameters, tmp_path, store=store, executor="local")
    assert again.completed_operations == 0
    assert again["scores"] == result["scores"]


def test_folder_statistics(tmp_path: Path) -> None:
    """Counts and means over a folder are numpy's, also when an image has come in."""
    random = np.random.default_rng(4)
    images = {name: random.integers(0, 255, (7, 8, 9), np.uint8) for name in "abcd"}
    for name in "abc":
        write(tmp_path / "in" / f"{name}.nii.gz", images[name])
    (tmp_path / "in" / "notes.txt").write_text("no image")
    parameters = {"FOLDER": str(tmp_path / "in"), "THRESHOLD": "100"}
    store, program = fresh_store(), SAMPLES / "folder-statistics.imgql"
    first = run_program(program, parameters, tmp_path, store=store)
    write(tmp_path / "in" / "d.nii.gz", images["d"])
    second = run_program(program, parameters, tmp_path, store=store)
    for result, names in ((first, "abc"), (second, "abcd")):
        volumes = [int((images[name] >= 100).sum()) for name in names]
        means = [images[name][images[name] >= 100].mean() for name in names]
        assert result["volumes"] == volumes
        assert result["mean volume"] == pytest.approx(np.mean(volumes))
        assert result["deviation"] == pytest.approx(np.std(volumes, ddof=1))
        assert result["median intensity"] == pytest.approx(np.median(means))
        assert Path(str(result["largest"])).name == f"{names[int(np.argmax(volumes))]}.nii.gz"
        assert [Path(str(each)).stem[0] for each in _list(result["images"])] == list(names)


@pytest.mark.s3
def test_folder_in_s3(tmp_path: Path, s3_server: S3Server) -> None:
    """As in a cluster: the folder and the store are in S3, local files are not allowed."""
    options = InputOptions.from_env({**s3_server.env, "VOXK8S_LOCAL_INPUTS": "false"})
    folder = s3_server.url()
    volumes = [12, 30]
    for number, volume in enumerate(volumes):
        image = np.zeros(60, np.uint8)
        image[:volume] = 150
        write(tmp_path / "image.nii.gz", image.reshape(3, 4, 5))
        location = locate(f"{folder}/scan{number}.nii.gz", options)
        data = (tmp_path / "image.nii.gz").read_bytes()
        file_system(location, options).pipe_file(location.path, data)
    result = run_program(
        SAMPLES / "folder-statistics.imgql",
        {"FOLDER": folder, "THRESHOLD": "100"},
        tmp_path,
        store=s3_server.store(),
        inputs=options,
    )
    assert result["images"] == [f"{folder}/scan{number}.nii.gz" for number in (0, 1)]
    assert result["volumes"] == volumes
    assert (result["mean volume"], result["median intensity"]) == (21, 150)
    assert result["largest"] == f"{folder}/scan1.nii.gz"


def test_texture_similarity(tmp_path: Path) -> None:
    """A corner that is checkered around the mean of the rest is found by a sample of it."""
    random = np.random.default_rng(5)
    shape, spacing = (12, 13, 14), (1.0, 1.0, 1.5)
    scan = (140 + 8 * random.random(shape)).astype(np.float32)
    stripes = np.indices(shape).sum(axis=0) % 2 == 0
    textured = np.zeros(shape, np.bool_)
    textured[1:10, 1:10, 1:9] = True
    scan[textured] += np.where(stripes, 40, -40)[textured]
    write(tmp_path / "scan.nii.gz", scan, spacing)
    parameters = {"SCAN": str(tmp_path / "scan.nii.gz"), "X": "5", "Y": "5", "Z": "5"}
    result = run_program(
        SAMPLES / "texture-similarity.imgql", {**parameters, "RADIUS": "2"}, tmp_path
    )

    point = np.zeros(shape, np.bool_)
    point[5, 5, 5] = True
    sample = reference_kernels.positive_distance(point, spacing) <= 2
    limits = (float(scan.min()), float(scan.max()))
    likeness = reference_kernels.cross_correlation((2, 2, 1), scan, scan, sample, limits, 32)
    alike = reference_kernels.smoothen(likeness.astype(np.float32) >= np.float32(0.7), 2, spacing)
    region = reference_kernels.grow(sample, alike)
    assert np.allclose(
        read(tmp_path / "likeness.nii.gz").astype(float), likeness, rtol=1e-7, atol=1e-5
    )
    assert np.array_equal(read(tmp_path / "region.nii.gz"), region)
    assert (result["sample"], result["region"]) == (sample.sum(), region.sum())
    assert result["mean likeness"] == pytest.approx(likeness[region].mean(), rel=1e-5)
    assert region.sum() > 2 * sample.sum()
    assert (region & textured).sum() > 0.9 * region.sum()


def _list(value: object) -> list[object]:
    assert isinstance(value, list | tuple)
    return list(value)
