"""Programs of the kind that papers show, on synthetic images, compared with numpy and scipy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import reference_kernels
from tests.support.paths import DATA
from tests.support.plans_and_runs import fresh_store
from tests.support.programs import read, run_program, write

PROGRAMS = DATA / "programs"


@pytest.fixture(autouse=True)
def _in_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a temporary folder: programs name their images relative to it."""
    monkeypatch.chdir(tmp_path)


def blob(shape: tuple[int, ...], centre: tuple[float, ...], radius: float) -> NDArray[np.float64]:
    """Return a smooth bump: 1 in the middle, 0.5 at the radius."""
    grid = np.indices(shape) - np.reshape(centre, (-1,) + (1,) * len(shape))
    field: NDArray[np.float64] = 0.5 ** ((grid**2).sum(axis=0) / radius**2)
    return field


def test_brain_tumour(tmp_path: Path) -> None:
    """Percentiles, smoothing, growing and Dice of a brain tumour segmentation."""
    shape, spacing = (20, 24, 26), (3.0, 2.0, 2.0)
    random = np.random.default_rng(1)
    brain = blob(shape, (9.5, 11.5, 12.5), 9) > 0.5
    lesion = blob(shape, (9, 10, 15), 4)
    flair = brain * (0.3 + 0.02 * random.random(shape) + 0.6 * lesion)
    flair[3, 12, 12] = 1.1  # a bright vessel, far from the tumour
    flair = flair.astype(np.float32)
    manual = (lesion > 0.35).astype(np.uint8)
    write(tmp_path / "p1_flair.nii.gz", flair, spacing)
    write(tmp_path / "p1_seg.nii.gz", manual, spacing)
    parameters = {"INPUTDIR": ".", "CASE": "p1", "OUTPUTDIR": "out"}
    result = run_program(PROGRAMS / "brain.imgql", parameters, tmp_path)

    inside = ~reference_kernels.touch(flair <= np.float32(0.1), reference_kernels.border(flair))
    ranks = reference_kernels.percentiles(flair, inside, 0)
    hyper = reference_kernels.smoothen(ranks > np.float32(0.95), 5, spacing)
    very = reference_kernels.smoothen(ranks > np.float32(0.86), 2, spacing)
    similar = reference_kernels.grow(hyper, very)
    similar |= reference_kernels.surrounded(very, hyper) & reference_kernels.near(hyper)
    gtv, truth = reference_kernels.maxvol(similar), manual > 0
    assert hyper.any()
    assert np.array_equal(read(tmp_path / "out" / "p1" / "gtv.nii.gz"), gtv)
    assert result["dice"] == pytest.approx(reference_kernels.dice(gtv, truth))
    assert result["dice"] > 0.6  # type: ignore[operator] # a number
    assert result["sensitivity"] == pytest.approx((gtv & truth).sum() / truth.sum())
    scores = result["scores"]
    assert isinstance(scores, Mapping)
    assert scores["dice_score"] == pytest.approx(reference_kernels.dice(gtv, truth))
    picture = read(tmp_path / "out" / "p1" / "overlay.png")
    painted = (picture == (255, 0, 0)).all(axis=-1)
    assert np.array_equal(painted, gtv[shape[0] // 2])


def test_nevus(tmp_path: Path) -> None:
    """A dark spot with a hole in a photograph with dark corners."""
    shape = (48, 56)
    random = np.random.default_rng(2)
    skin = np.stack([np.full(shape, level) for level in (220.0, 180.0, 160.0)], axis=-1)
    spot = (blob(shape, (22, 25), 12) > 0.5) & ~(blob(shape, (22, 25), 3) > 0.5)
    skin[spot] = (90, 60, 50)
    skin[:6, :6] = 10
    photo = np.clip(skin + random.normal(0, 3, skin.shape), 0, 255).astype(np.uint8)
    write(tmp_path / "nevus-photo.png", photo)
    result = run_program(PROGRAMS / "nevus.imgql", {"IMAGE": "nevus-photo.png"}, tmp_path)

    grey = (photo @ np.array([0.2126, 0.7152, 0.0722])).astype(np.float32)
    edge, spacing = reference_kernels.border(grey), (1.0, 1.0)
    dark = reference_kernels.smoothen(
        grey < np.float32(grey[edge].mean(dtype=float) * 0.7), 3, spacing
    )
    candidates = dark & ~reference_kernels.touch(dark, edge)
    nevus = reference_kernels.maxvol(candidates | ~reference_kernels.touch(~candidates, edge))
    rim = reference_kernels.near(nevus) & ~nevus
    assert result["area"] == nevus.sum()
    assert nevus[22, 25]
    contrast = grey[rim].mean(dtype=float) - grey[nevus].mean(dtype=float)
    assert result["contrast"] == pytest.approx(contrast, rel=1e-5)
    assert result["asymmetric"] is not bool(
        nevus[:, np.arange(shape[1]) > (shape[1] - 1) / 2].any()
    )
    drawn = np.where(rim[..., None], np.array([0, 255, 0], np.uint8), photo)
    assert np.array_equal(read(tmp_path / "nevus.png"), drawn)


MAZE = """\
###############
#S....#...#...#
#####.#.#.#.#.#
#...#...#...#.#
#.#.#####.###.#
#.#.....#.#...#
#.#####.#.###.#
#.....#.#...#E#
###############
"""


@pytest.mark.parametrize("solvable", [True, False])
def test_maze(tmp_path: Path, solvable: bool) -> None:
    """Corridors that lead from the start to the exit, and dead ends."""
    text = MAZE if solvable else MAZE.replace("#S....#", "#S.#..#")
    cells = np.array([list(line) for line in text.split()])
    cells = cells.repeat(3, axis=0).repeat(3, axis=1)
    colours = {"#": (0, 0, 0), ".": (255, 255, 255), "S": (0, 0, 255), "E": (0, 255, 0)}
    maze = np.array([[colours[cell] for cell in line] for line in cells], np.uint8)
    write(tmp_path / "maze.png", maze)
    result = run_program(PROGRAMS / "maze.imgql", {}, tmp_path)

    free, start, end = cells != "#", cells == "S", cells == "E"
    reachable = reference_kernels.through(start, free)
    way = reachable & reference_kernels.through(end, free)
    dead = free & ~reference_kernels.may_reach(end, free)
    assert result["solved"] is solvable
    assert result["share"] == pytest.approx(reachable.sum() / free.sum())
    assert np.array_equal(read(tmp_path / "dead.png").astype(bool), dead)
    drawn = np.where(way[..., None], np.array([255, 0, 0], np.uint8), maze)
    assert np.array_equal(read(tmp_path / "way.png"), drawn)


def test_connectivity(tmp_path: Path) -> None:
    """Cells with and without a nucleus, by operators that the program defines."""
    shape = (14, 30, 32)
    image = np.zeros(shape)
    for centre in ((7, 8, 8), (7, 20, 22), (6, 8, 24)):
        image = np.maximum(image, 150 * blob(shape, centre, 6))
    for centre, radius in (((7, 8, 8), 2), ((7, 20, 22), 3)):
        image += 120 * blob(shape, centre, radius)
    image = image.astype(np.float32)
    write(tmp_path / "cells.nii.gz", image)
    result = run_program(PROGRAMS / "connectivity.imgql", {}, tmp_path)

    nucleus, cell = image > 180, image > 90
    assert len(reference_kernels.components(cell)) == 3
    assert result["nuclei in cells"] is True
    assert result["cells"] == 3
    assert result["one cell only"] is True
    assert result["thick"] == reference_kernels.interior(reference_kernels.interior(cell)).sum()
    labels = np.zeros(shape)
    for number, each in enumerate(reference_kernels.components(cell), 1):
        labels[each] = number
    kept = np.where(nucleus, labels, 0)
    assert result["labels"] == [kept.min(), kept.max()]
    whole = reference_kernels.through(nucleus, cell)
    ring = reference_kernels.surrounded(whole & ~nucleus, nucleus | ~cell)
    assert np.array_equal(read(tmp_path / "ring.nii.gz"), ring)
    assert ring.any()


def test_sweep_of_two_thresholds(tmp_path: Path) -> None:
    """160 pairs of thresholds in nested loops; a fold; a slice of the table."""
    shape = (10, 22, 24)
    random = np.random.default_rng(3)
    lesion = blob(shape, (5, 11, 12), 3)
    flair = (blob(shape, (5, 11, 12), 12) > 0.5) * (0.2 + 0.1 * random.random(shape) + lesion)
    flair = flair.astype(np.float32)
    write(tmp_path / "flair.nii.gz", flair)
    write(tmp_path / "seg.nii.gz", (lesion > 0.5).astype(np.uint8))
    result = run_program(PROGRAMS / "sweep.imgql", {}, tmp_path)

    ranks = reference_kernels.percentiles(flair, flair > np.float32(0.05), 0.5)
    above = {step: ranks > np.float32(step / 100) for step in range(70, 98)}
    scores = [
        [
            reference_kernels.dice(reference_kernels.grow(above[high], above[low]), lesion > 0.5)
            for high in range(90, 98)
        ]
        for low in range(70, 90)
    ]
    row, column = np.unravel_index(np.argmax(scores), (20, 8))
    assert result["best"] == pytest.approx(np.max(scores))
    assert (result["low"], result["high"]) == ((70 + row) / 100, (90 + column) / 100)
    assert np.array(result["middle"]).tolist() == [pytest.approx(each) for each in scores[5:10]]
    assert result["total"] == sum(above[low].sum() for low in range(70, 90))
    best = reference_kernels.grow(above[90 + int(column)], above[70 + int(row)])
    assert np.array_equal(read(tmp_path / "best.nii.gz"), best)


def test_texture(tmp_path: Path) -> None:
    """A region whose histogram is like that of a sample drawn by hand."""
    shape, spacing = (9, 20, 18), (3.0, 2.0, 2.0)
    random = np.random.default_rng(6)
    scan = (0.5 + 0.02 * random.random(shape)).astype(np.float32)
    scan[:, 3:14, 2:12] = random.choice([0.3, 0.7], (9, 11, 10)) + 0.02 * random.random((9, 11, 10))
    sample = np.zeros(shape, np.uint8)
    sample[3:6, 6:11, 4:9] = 1
    write(tmp_path / "in" / "scan.nii.gz", scan, spacing)
    write(tmp_path / "in" / "sample.nii.gz", sample, spacing)
    result = run_program(PROGRAMS / "texture.imgql", {"DIR": "in"}, tmp_path)

    body, drawn = scan > np.float32(0.02), sample > 0
    limits = (float(scan.min()), float(scan.max()))
    # 5 mm are 1.67 and 2.5 voxels: halves are rounded away from zero.
    likeness = reference_kernels.cross_correlation((2, 3, 3), scan, scan, drawn & body, limits, 50)
    close = np.where(body, likeness, 0).astype(np.float32) > np.float32(0.6)
    region = reference_kernels.grow(drawn & body, reference_kernels.smoothen(close, 2, spacing))
    assert np.array_equal(read(tmp_path / "region.nii.gz"), region)
    assert result["volume"] == region.sum()
    assert result["mean likeness"] == pytest.approx(likeness[region].mean(), rel=1e-4)
    assert region.sum() > 2 * drawn.sum()


def test_folder(tmp_path: Path) -> None:
    """A loop over a folder that is listed at run time, without the images' borders."""
    random = np.random.default_rng(7)
    images = [random.random((5, 6, 7)).astype(np.float32) for _ in range(3)]
    for number, image in enumerate(images):
        write(tmp_path / "in" / f"scan{number}.nii.gz", image)
    (tmp_path / "in" / "list.json").write_text(json.dumps([]))
    result = run_program(PROGRAMS / "folder.imgql", {"FOLDER": "in", "THRESHOLD": "0.4"}, tmp_path)

    volumes = [int((image[1:-1, 1:-1, 1:-1] > np.float32(0.4)).sum()) for image in images]
    assert [Path(str(each)).name for each in np.array(result["files"])] == [
        f"scan{number}.nii.gz" for number in range(3)
    ]
    assert result["mean volume"] == pytest.approx(np.mean(volumes))
    assert result["deviation"] == pytest.approx(np.std(volumes, ddof=1))
    assert str(result["largest"]).endswith(f"scan{int(np.argmax(volumes))}.nii.gz")


def test_folds_over_a_folder(tmp_path: Path) -> None:
    """Folds over `dir` are the same operations as folds over known files."""
    random = np.random.default_rng(8)
    images = [random.random((5, 6, 7)).astype(np.float32) for _ in range(3)]
    for number, image in enumerate(images):
        write(tmp_path / "in" / f"i{number}.nii.gz", image)
    program = """
        import "vox1"
        let ++(a, b) = (2 * a) + b
        let bright(f) = load(f) >. 0.5
        let folds(files) = [
          fold ++ 0 (for f in files do volume(bright(f))),
          volume(fold & tt (for f in files do bright(f)))]
        print "folder" folds(dir("in", "*.nii.gz", false, true))
    """
    (tmp_path / "folder.imgql").write_text(program, "utf-8")
    listed = ", ".join(f'"in/i{number}.nii.gz"' for number in range(3))
    known = program.replace('dir("in", "*.nii.gz", false, true)', f"[{listed}]")
    (tmp_path / "known.imgql").write_text(known.replace("folder", "known"), "utf-8")
    store = fresh_store()
    result = run_program(tmp_path / "folder.imgql", {}, tmp_path, store=store)
    again = run_program(tmp_path / "known.imgql", {}, tmp_path, store=store)

    bright = [image > np.float32(0.5) for image in images]
    volumes = [float(each.sum()) for each in bright]
    expected = [
        4 * volumes[0] + 2 * volumes[1] + volumes[2],
        float(np.logical_and.reduce(bright).sum()),
    ]
    assert result["folder"] == again["known"] == expected
    assert again.completed_operations == 0
