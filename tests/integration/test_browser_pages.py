"""The pages that people look at, in a real browser: reports, comparisons, layers."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from tests.support.browser import Browser, Page, start_browser
from tests.support.waiting import wait_for
from voxk8s.cli.input_file import Input
from voxk8s.cli.report_file import Reporter
from voxk8s.execution import ExecutionEngine
from voxk8s.formats.encode_file import encode_file
from voxk8s.history import own_usage
from voxk8s.inputs.input_options import InputOptions
from voxk8s.program import compile_with_places
from voxk8s.report.comparison import compare
from voxk8s.report.comparison_page import comparison_page
from voxk8s.report.read_page import read_pictures, read_summary
from voxk8s.storage import open_store
from voxk8s.values import Image
from voxk8s.viewer import make_layer, viewer_page

pytestmark = pytest.mark.timeout(900)
"""Seconds; the first test may have to install the browser."""
SCREENSHOTS = os.environ.get("VOXK8S_SCREENSHOTS", "")
MODES = [(375, True), (1400, False)]
"""Widths, and whether it is dark: each once; for people, all of them."""
if SCREENSHOTS:
    MODES += [(375, False), (1400, True)]
PAGES = ("report", "layers", "partial", "comparison", "viewer")
TAB, HOME, LEFT, ENTER = ("Tab", 9), ("Home", 36), ("ArrowLeft", 37), ("Enter", 13)
RESULTS = "[...document.querySelectorAll('[data-what=results] tbody tr')]"
TIMES = "[...document.querySelectorAll('.sortable tbody tr td:nth-child(3)')]"
FIELDS = "a[href], button, input, select, summary, [tabindex='0']"
PROGRAM = """import "vox1"
load scan = "{folder}/scan.nii.gz"
let core = maxvol(scan >=. {low})
let volumes = for low in [20, 60, 100] do volume(scan >. low)
print "volumes" volumes
print "volume" volume(core)
print "broken" [1, 2][volume(core)]
save "core.nii.gz" core
save "margin.nii.gz" dilate(core, 8) \\ core
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with start_browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab of this test; what its page did wrong fails the test."""
    opened = browser.open()
    yield opened
    opened.run("1")  # its events come before the answer
    opened.close()
    assert opened.faults == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every page, of runs on a head that is darker to the left and has a bright core."""
    folder = tmp_path_factory.mktemp("pages")
    scan = phantom()
    (folder / "scan.nii.gz").write_bytes(encode_file(scan, ".nii.gz").data)
    run(folder, "report", 120)
    run(folder, "other", 150)
    run(folder, "layers", 120, voxels=5)
    run(folder, "partial", 120, stopped=True)
    texts = [(folder / f"{name}.html").read_bytes() for name in ("report", "other")]
    before, after = (read_summary(text, "page") for text in texts)
    pictures = read_pictures(texts[0]), read_pictures(texts[1])
    (folder / "comparison.html").write_text(comparison_page(compare(before, after), pictures))
    mask = Image(
        np.greater(scan.array, 120).astype(np.uint8), scan.spacing, scan.origin, scan.direction
    )
    layers = [make_layer("scan.nii.gz", scan, 0), make_layer("core.nii.gz", mask, 1)]
    (folder / "viewer.html").write_text(viewer_page("head", layers))
    return folder


def phantom() -> Image:
    """Return a head of 40 x 48 x 40 voxels."""
    axes = (np.linspace(-1, 1, count) for count in (40, 48, 40))
    z, y, x = np.meshgrid(*axes, indexing="ij")
    noise = np.random.default_rng(1).normal(0, 3, x.shape)
    head = np.where(x**2 + y**2 + z**2 < 0.8, 80 + 40 * x + noise, 0)
    core = (x - 0.3) ** 2 + y**2 + (z - 0.2) ** 2 < 0.08
    array = np.where(core, 200, head).astype(np.float32)
    return Image(array, (4.0, 4.0, 4.0), (0.0,) * 3, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


def run(folder: Path, name: str, low: int, *, voxels: float = 0, stopped: bool = False) -> None:
    """Run the program and write its report."""
    compiled = compile_with_places(PROGRAM.format(folder=folder, low=low), name="head.imgql")
    (folder / "head.imgql").write_text(PROGRAM.format(folder=folder, low=low))
    reporter = Reporter(
        argparse.Namespace(
            report=str(folder / f"{name}.html"),
            file=str(folder / "head.imgql"),
            param=[("LOW", str(low))],
            no_cache=False,
            refresh=False,
            fail_fast=False,
            on_item_failure=None,
            report_voxels=voxels,
        )
    )
    store = open_store(str(folder / "store"))
    engine = ExecutionEngine(
        store, executor="threads", output=folder, listeners=[reporter.recorder]
    )
    if stopped:
        engine.cancel()
    with reporter.usage(own_usage()):
        result = engine.execute_workplan(compiled.plan, places=compiled.origins)
    given = Input(compiled.plan, compiled.origins)
    assert reporter.write(result, given, InputOptions(), store)


def colours(picture: bytes) -> NDArray[np.int64]:
    """Return the pixels of a PNG: rows, columns, and red, green and blue from 0 to 255."""
    return np.asarray(Pillow.open(BytesIO(picture)).convert("RGB")).astype(np.int64)


def save(page: Page, name: str) -> None:
    """Keep a picture of the page in the folder that people have named."""
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        Path(SCREENSHOTS, f"{name}.png").write_bytes(page.picture(whole=True))


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_it(page: Page, folder: Path, name: str) -> None:
    """At 375 pixels without scrolling sideways, light and dark, and with a screen reader."""
    page.show(folder / f"{name}.html", height=320)
    if name in ("layers", "viewer"):
        page.wait("document.body.dataset.ready === 'true'")
    problems = []
    for width, dark in MODES:
        page.adapt(width, dark=dark, height=320)
        page.settle()
        save(page, f"{name}-{width}-{'dark' if dark else 'light'}")
        assert page.run("document.scrollingElement.scrollWidth") <= width
        assert (colours(page.picture("header"))[:2].mean() < 100) == dark
        problems += [f"{width} {dark}: {each}" for each in page.violations()]
    assert problems == []
    smallest = page.run(
        "Math.min(...[...document.querySelectorAll('main *')].filter((e) => !e.closest('svg') &&"
        " [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && e.offsetParent)"
        ".map((e) => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 12


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_reaches_everything(page: Page, folder: Path, name: str) -> None:
    """Tab goes to every link, button, field and region that scrolls; of radio buttons to one."""
    page.show(folder / f"{name}.html", width=700, height=320)
    if name in ("layers", "viewer"):
        page.wait("document.body.dataset.ready === 'true'")
    count = page.run(
        f"window.wanted = [...document.querySelectorAll(`{FIELDS}`)]"
        ".filter((e) => e.checkVisibility() && (e.type !== 'radio' || e.checked));"
        "window.reached = new Set();"
        "document.addEventListener('focusin', (event) => reached.add(event.target));"
        "wanted.length"
    )
    for _ in range(count + 2):
        page.press(*TAB)
    assert count
    assert page.run("wanted.filter((e) => !reached.has(e)).map((e) => e.outerHTML)") == []


def test_a_report_is_searched_and_sorted(page: Page, folder: Path) -> None:
    """Rows that do not fit are hidden, the count is said, and boxes of the graph fade."""
    page.show(folder / "report.html")
    page.run("document.getElementById('search').focus()")
    page.write("core")
    page.wait("document.getElementById('found').textContent !== ''")
    found = page.run("document.getElementById('found').textContent")
    assert found.startswith("1 results, 0 inputs")
    shown = page.run(f"{RESULTS}.filter((r) => !r.hidden).map((r) => r.cells[0].textContent)")
    assert shown == ["core.nii.gz"]
    assert page.run("document.querySelectorAll('svg .item.dim').length") > 3
    seconds = f"{TIMES}.map((cell) => Number(cell.dataset.v))"
    assert page.run(seconds) == sorted(page.run(seconds), reverse=True)
    page.run("document.querySelectorAll('.sortable th button')[2].click()")
    assert page.run(seconds) == sorted(page.run(seconds))


def test_a_box_of_the_graph_leads_to_its_operations(page: Page, folder: Path) -> None:
    """By keyboard: only they are listed, until a button shows all; a box without any has a row."""
    page.show(folder / "report.html")
    lines = "[...document.querySelectorAll('#lines tbody tr')].filter((row) => !row.hidden)"
    every = page.run(f"{lines}.length")
    box = "[...document.querySelectorAll('.graph a')].find((e) => e.textContent.includes('{}'))"
    page.run(f"{box.format('vox1.gt_sv at head.imgql:4')}.focus()")
    page.press(*ENTER)
    shown = page.run(f"{lines}.map((row) => row.cells[1].textContent)")
    assert shown == ["vox1.gt_sv"] * 3
    assert page.run("document.activeElement.id") == "lines"
    said = page.run("document.getElementById('only').firstElementChild.textContent")
    assert said.startswith("Only vox1.gt_sv at head.imgql:4:")
    page.run("document.querySelector('#only button').click()")
    assert page.run(f"{lines}.length") == every
    page.show(folder / "partial.html")
    page.run(f"{box.format('vox1.geq_sv')}.focus()")
    page.press(*ENTER)
    assert page.run("document.getElementById('nodes').open")
    assert "vox1.geq_sv" in page.run("document.activeElement.textContent")


def test_operations_are_taken_away_as_a_table(page: Page, folder: Path) -> None:
    """One line for each operation, with plain numbers."""
    page.show(folder / "report.html")
    page.run(
        "const make = URL.createObjectURL;"
        "URL.createObjectURL = (blob) => { window.taken = blob; return make(blob) }; null"
    )
    page.run("document.querySelector('#export button').click()")
    text = page.run("window.taken.text()")
    heads, *rows = (line.split("\t") for line in text.splitlines())
    assert heads == ["operation", "kernel", "seconds", "bytes", "start", "worker", "notes", "place"]
    assert len(rows) == page.run(f"{TIMES}.length")
    load = next(row for row in rows if row[1] == "default.load")
    assert float(load[2]) > 0
    assert int(load[3]) >= 40 * 48 * 40 * 4
    assert datetime.fromisoformat(load[4]).tzinfo is UTC
    assert load[7].startswith("head.imgql:2:")


@pytest.mark.parametrize("name", ["layers", "viewer"])
def test_layers_are_drawn_and_move(page: Page, folder: Path, name: str) -> None:
    """Grey scan, red mask; its opacity and the crosshair follow the keys."""
    page.show(folder / f"{name}.html", width=1000, height=320)
    page.wait("document.body.dataset.ready === 'true'")
    page.settle()
    before = colours(page.picture("#canvas"))
    red = before[..., 0] - before[..., 1]
    assert (red > 60).sum() > 500, "the mask"
    assert ((abs(red) < 10) & (before[..., 0] > 40)).sum() > 2000, "the scan"
    page.run("document.querySelectorAll('#layers input[type=range]')[1].focus()")
    page.press(*HOME)
    page.settle()
    assert page.run("+document.querySelectorAll('#layers input[type=range]')[1].value") == 0
    after = colours(page.picture("#canvas"))
    assert (after[..., 0] - after[..., 1] > 60).sum() < 20
    place = page.run("document.getElementById('place').textContent")
    assert "mm: scan.nii.gz" in place
    page.run("document.getElementById('canvas').focus()")
    page.press(*LEFT)
    assert page.run("document.getElementById('place').textContent") != place


@pytest.mark.parametrize("width", [1280, 375])
def test_both_lines_of_the_crosshair_are_seen(page: Page, tmp_path: Path, width: int) -> None:
    """In each plane, also where a voxel is less than a pixel; without them the check is off."""
    axes = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    head = Image(np.full((190, 230, 200), 50, np.uint8), (1.0,) * 3, (0.0,) * 3, axes)
    path = tmp_path / "head.html"
    path.write_text(viewer_page("head", [make_layer("head.nii.gz", head, 0)]))
    page.show(path, width=width)
    page.wait("document.body.dataset.ready === 'true'")
    page.settle()
    # Planes beside or above each other share a line.
    assert min(_lines(page)) >= 2
    page.run("document.getElementById('crosshair').click()")
    page.settle()
    assert _lines(page) == (0, 0)


def _lines(page: Page) -> tuple[int, int]:
    """Return how many rows and columns of pixels begin a line of the crosshair, of three planes."""
    seen = colours(page.picture("#canvas"))
    blue = seen[..., 2] - seen[..., 0] > 90
    found = []
    for counts in (blue.sum(1), blue.sum(0)):
        line = counts > 40
        found.append(int((line[1:] & ~line[:-1]).sum()))
    return found[0], found[1]


def test_without_webgl_there_are_pictures(page: Page, folder: Path) -> None:
    """And a sentence that says why."""
    page.send(
        "Page.addScriptToEvaluateOnNewDocument",
        source="HTMLCanvasElement.prototype.getContext = () => null",
    )
    page.show(folder / "viewer.html")
    assert "it has no WebGL 2" in page.run("document.getElementById('reason').textContent")
    seen = "[...document.images].filter((i) => i.checkVisibility() && i.naturalWidth > 100)"
    assert page.run(f"{seen}.length") == 2
    assert not page.run("document.getElementById('scene').checkVisibility()")


def test_a_partial_report_says_so(page: Page, folder: Path) -> None:
    """In the headline and for each result."""
    page.show(folder / "partial.html")
    assert page.run("document.querySelector('h1 .outcome').textContent") == "stopped"
    assert page.run("document.querySelectorAll('[data-what=results] tr.bad').length") > 0
    assert page.run(
        "document.querySelector('[data-what=results]').textContent.includes('not reached')"
    )


def test_a_fault_is_noticed(page: Page, folder: Path) -> None:
    """A request to elsewhere, or an error, does not pass these tests."""
    bad = folder / "bad.html"
    bad.write_text("<script>console.error('x'); fetch('http://127.0.0.1:9/'); throw 1</script>")
    page.show(bad)
    expected = {"console", "request", "exception", "log"}

    def noticed() -> bool:
        page.run("1")
        return expected <= {each.partition(":")[0] for each in page.faults}

    wait_for("every fault is noticed, that of the request is the last", noticed, pause=0.05)
    page.faults.clear()
    assert page.violations(), "a page without a title"
    page.faults.clear()
