"""`voxk8s view`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.cli import voxk8s
from tests.support.fake_kube import FakeKube, serving
from tests.unit.cli.workplan_statuses import DONE, RUNNING
from voxk8s.formats.encode_file import encode_file
from voxk8s.storage import open_store
from voxk8s.values import Image, SavedFile

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A volume of noise."""
    array = np.random.default_rng(1).integers(0, 255, (20, 80, 90)).astype(np.uint8)
    value = Image(array, (1.0,) * 3, (0.0,) * 3, IDENTITY)
    (tmp_path / "scan.mha").write_bytes(encode_file(value, ".mha").data)
    return tmp_path / "scan.mha"


def test_export(scan: Path) -> None:
    """The page is written where it is wanted, and its name printed."""
    done = voxk8s(scan.parent, "view", "scan.mha", str(scan), "--export", "page.html")
    assert (done.status, done.out) == (0, "page.html\n")
    assert (scan.parent / "page.html").read_text().count('"name": "scan.mha"') == 2


def test_images_of_one_name_are_told_apart(scan: Path) -> None:
    """By the folders in which they differ: a row of cases has the same names in each."""
    for case in ("case-1", "case-2"):
        (scan.parent / case / "out").mkdir(parents=True)
        (scan.parent / case / "out" / "mask.mha").write_bytes(scan.read_bytes())
    masks = [f"{case}/out/mask.mha" for case in ("case-1", "case-2")]
    done = voxk8s(scan.parent, "view", "scan.mha", *masks, "--export", "page.html")
    assert done.status == 0
    page = (scan.parent / "page.html").read_text()
    assert [f'"name": "{name}"' in page for name in ("scan.mha", *masks)] == [True] * 3
    assert '"name": "mask.mha"' not in page


def test_without_a_browser(scan: Path) -> None:
    """The page is in a temporary file, and it is said that nothing opens it."""
    env = {"TMPDIR": str(scan.parent), "BROWSER": "false", "PATH": "", "DISPLAY": ""}
    done = voxk8s(scan.parent, "view", "scan.mha", env=env)
    assert done.status == 0
    assert "no browser was found" in done.err
    assert Path(done.out.strip()).read_text().startswith("<!DOCTYPE html>")


def test_images_of_other_grids(scan: Path) -> None:
    """They are shown, and it is said on the terminal and below them how they differ."""
    value = Image(np.ones((20, 80, 90), np.uint8), (1.0, 1.0, 3.0), (0.0,) * 3, IDENTITY)
    (scan.parent / "mask.mha").write_bytes(encode_file(value, ".mha").data)
    done = voxk8s(scan.parent, "view", "scan.mha", "mask.mha", "--export", "page.html")
    words = "mask.mha has another grid than scan.mha: spacing (1, 1, 1) and (1, 1, 3)."
    assert done.err.startswith(f"voxk8s: {words}")
    assert f"<p>{words}" in (scan.parent / "page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.nii"], "none.nii"),
        (["plan.json"], "expected an image, found a JSON document"),
        (["scan.mha", "--limit", "0"], "set --limit higher"),
        (["scan.mha", "--export", "scan.mha/page.html"], "--export scan.mha/page.html"),
    ],
)
def test_what_cannot_be_shown(scan: Path, arguments: list[str], words: str) -> None:
    """One line says what was wrong."""
    (scan.parent / "plan.json").write_text("{}")
    done = voxk8s(scan.parent, "view", *arguments)
    assert done.status == 2
    assert words in done.err
    assert done.err.count("\n") == 1


@pytest.fixture
def kube(scan: Path) -> Iterator[FakeKube]:
    """Return a cluster with a WorkPlan that saved an image and a table, and one that runs."""
    store = open_store(str(scan.parent / "store"))
    image = store.put("0" * 64, SavedFile(scan.read_bytes(), ".mha", "application/octet-stream"))
    table = store.put("1" * 64, SavedFile(b"a,b", ".csv", "text/csv"))
    results = [
        {"goal": name, "kind": "save", "url": store.url_of(put.digest)}
        for name, put in (("masks/core.mha", image), ("t.csv", table))
    ]
    with serving() as found:
        found.add("one", {**DONE, "results": results})
        found.add("two", RUNNING)
        yield found


def test_images_of_a_workplan(kube: FakeKube, scan: Path) -> None:
    """All that it has saved, or one, beside files; what is no image is left out."""
    env = {"KUBECONFIG": str(kube.kubeconfig(scan.parent))}
    words = ("scan.mha", "workplan/one", "workplan/one/masks/core.mha")
    done = voxk8s(scan.parent, "view", *words, "--export", "page.html", env=env)
    assert done.status == 0, done.err
    page = (scan.parent / "page.html").read_text()
    assert page.count('"name": "masks/core.mha"') == 2
    assert page.count('"name": "scan.mha"') == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("workplan/one/t.csv", "workplan/one/t.csv: it has masks/core.mha"),
        ("workplan/two", "workplan/two: it has saved no image yet"),
        ("workplan/three", "WorkPlan three not found in namespace mine"),
    ],
)
def test_workplans_without_the_image(kube: FakeKube, scan: Path, name: str, words: str) -> None:
    """What there is instead is said."""
    env = {"KUBECONFIG": str(kube.kubeconfig(scan.parent))}
    done = voxk8s(scan.parent, "view", name, env=env)
    assert done.status in (1, 2)
    assert words in done.err
    assert done.err.count("\n") == 1
