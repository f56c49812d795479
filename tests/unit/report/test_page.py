"""The page of a run."""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from fnmatch import fnmatch
from html import unescape

import pytest

from tests.support.html import read_page
from tests.support.paths import ROOT
from tests.unit.report.scenes import GOLDEN, PIXEL, WHOLE, large, operation, run
from voxk8s.failure import Failure
from voxk8s.plan import OperationId
from voxk8s.report import (
    Counts,
    Goal,
    Graph,
    GraphNode,
    Incident,
    InputFile,
    Insert,
    KernelTotal,
    Preview,
    report,
)

EVIL = "<script>alert('x')</script><img src=x onerror=\"alert(1)\">&amp;"


def test_page_is_what_it_was() -> None:
    """The same run gives the same page (`python -m tests.unit.report.scenes` writes a new one)."""
    assert report(WHOLE) == GOLDEN.read_text("utf-8")


def test_page_tells_everything() -> None:
    """Name, end, counts, goals, failures, incidents, times and facts are all there."""
    page = read_page(report(WHOLE))
    text = page.text
    assert page.find("head")[0].find("title")[0].text == "bright.imgql: failed"
    assert "Started 2026-11-26 22:31:04 UTC, took 5.25 s." in text
    assert "1 of 4 goals failed" in text
    counts = [(dt.text, dd.text) for dt, dd in zip(page.find("dt"), page.find("dd"), strict=True)]
    assert counts[:6] == [
        ("total", "9"),
        ("known", "2"),
        ("computed", "4"),
        ("failed", "1"),
        ("not done", "1"),
        ("not needed", "1"),
    ]
    program, command = page.find("pre", class_="program")
    assert (program.text, command.text) == (WHOLE.program, WHOLE.repeat)
    assert counts[6:] == [("$CASE", "7"), ("voxk8s", "0.1.0"), ("store", "s3://lab")]
    goals = page.find("table")[0].rows()
    assert goals[1] == ["volume", f"762306.0SHA-256 {'a' * 64}", "computedfrom line 5"]
    assert "since 2026-11-25 22:31:04 UTC, from voxk8s 0.1.0" in goals[2][2]
    assert goals[4][1:3] == ["bright.imgql:7:4: vox1.volume failed", "failedfrom line 7"]
    (failure,) = page.find("article")
    assert "vox1.volume ffffffffffff at bright.imgql:7:4, 4 attempts" in failure.text
    assert 'print "bad" volume(scan)' in failure.text
    assert "KernelError: not a mask" in failure.text
    assert page.find("table")[2].rows()[1] == [
        "vox1.near is tried again",
        "3",
        "ConnectionError: away",
    ]


def test_operations_stand_in_the_order_of_their_times() -> None:
    """Each with its time, value, start, worker, what was special, and its place."""
    (table,) = read_page(report(WHOLE)).find("table", class_="sortable searched")
    rows = table.rows()[1:]
    assert [row[2] for row in rows] == ["2.5 s", "1 s", "500 ms", "250 ms", "125 ms", "10 ms"]
    first = ["0" * 12, "vox1.near", "2.5 s", "36 MiB", "2 s", "0", "", "bright.imgql:5:12"]
    assert rows[0] == first
    assert rows[3][6] == "stored after 2 attempts"
    assert rows[4][6] == "failed after 4 attempts"
    assert rows[5][6] == "computed by another run"


def test_boxes_of_the_graph_lead_to_details() -> None:
    """Without a script to the row of the graph's table, by a title that a screen reader says."""
    page = read_page(report(WHOLE))
    drawing = page.find("svg", role="group")[0]
    links = drawing.find("a")
    assert [each.attributes["href"] for each in links] == ["#node-0", "#node-1", "#node-2"]
    (said,) = links[1].find("title")
    assert said.text == "vox1.near at bright.imgql:5:12: 3 computed, 1 skipped, 1 not run, 4 s"
    (row,) = page.find("tr", id="node-1")
    assert "let b = near(a)" in row.text
    lines = page.find("table", class_="sortable searched")[0].find("tr")
    assert [each.attributes.get("data-node") for each in lines[1:]] == [
        "1",
        None,
        None,
        None,
        "2",
        None,
    ]
    goals = page.find("table")[0].find("tr")[1:]
    assert [[a.text for a in row.find("a") if "data-node" in a.attributes] for row in goals] == [
        ["from line 5"],
        [],
        ["from line 3"],
        ["from line 7"],
    ]


def test_files_are_linked_and_shown() -> None:
    """A file has a link under its own name, its address, and a picture inside of the page."""
    page = read_page(report(WHOLE))
    (link,) = page.find("a", download="region.nii.gz")
    assert link.attributes == {"href": "./out/region.nii.gz", "download": "region.nii.gz"}
    (picture,) = page.find("img")
    kind, _, data = picture.attributes["src"].partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == PIXEL


def test_nothing_is_taken_from_elsewhere() -> None:
    """The page has no reference but links, and its policy allows its own style and script only."""
    text = report(WHOLE)
    page = read_page(text)
    assert not page.find("link")
    assert all("src" not in each.attributes for each in page.find("script"))
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = page.find("meta", http_equiv="Content-Security-Policy")
    assert "default-src 'none'" in policy.attributes["content"]
    for name in ("style", "script"):
        (element,) = (each for each in page.find(name) if not each.attributes)
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy.attributes["content"]
    assert "unsafe" not in policy.attributes["content"]
    assert 'style="' not in text, "the policy would not let it count"


def test_another_part_runs_with_its_scripts() -> None:
    """The policy permits them by their digests, and what they need, for this page only."""
    part = Insert(
        "<div id=part></div>", ".part{}", ("one()", "two()"), ("img-src data: blob:",), "x"
    )
    text = report(WHOLE, part)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    for script in part.scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert digest in unescape(policy)
        assert f"<script>{script}</script>" in text
    assert "img-src data: blob:" in policy
    assert part.elements in text
    assert ".part{}" in text


def test_what_users_wrote_is_text() -> None:
    """Markup in any name, value, message, place or setting is shown and does nothing."""
    page = run(
        title=EVIL,
        message=EVIL,
        goals=(
            Goal(EVIL, "print", EVIL),
            Goal(EVIL, "save", link="./" + EVIL, media_type=EVIL),
            Goal(EVIL, "print", error=EVIL),
        ),
        failures=(Failure(EVIL, EVIL, EVIL, kernel=EVIL, operation=OperationId(EVIL), place=EVIL),),
        excerpts={EVIL: EVIL},
        incidents=(Incident(EVIL, EVIL),),
        operations=(operation(0, operation=EVIL, kernel=EVIL, worker=EVIL),),
        folded=(KernelTotal(EVIL, 1, 1.0, 1.0, 1),),
        places={OperationId(EVIL): EVIL},
        program=EVIL,
        inputs=(InputFile(EVIL, EVIL, 1, EVIL),),
        graph=Graph((GraphNode(EVIL, EVIL, computed=1),), (), EVIL),
        parameters=((EVIL, EVIL),),
        versions=((EVIL, EVIL),),
        repeat=EVIL,
        facts=((EVIL, EVIL),),
    )
    found = read_page(report(page))
    assert len(found.find("script")) == 3
    assert not found.find("img")
    assert not [each for each in found.find("a") if "onerror" in each.attributes]
    assert EVIL in found.text


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", "//host/x", "x"])
def test_links_lead_to_files_only(target: str) -> None:
    """A link that could run something, or leave for another host unseen, is none."""
    page = run(goals=(Goal("g.png", "save", link=target),))
    assert not read_page(report(page)).find("a")


def test_characters_that_pages_must_not_have_are_escaped() -> None:
    """Controls and halves of pairs are shown as escapes, and the page can be encoded."""
    odd = "a\x00b\x1b[31mc\ud800d\x85e\U0001ffff"
    text = report(run(title=odd, goals=(Goal(odd, "print", odd),)))
    assert r"a\x00b\x1b[31mc\xd800d\x85e\x1ffff" in read_page(text).text
    assert text.encode()


def test_parts_of_the_page_are_shipped() -> None:
    """Whoever installs the package has the template, the style and the script."""
    root = ROOT
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["*"]
    parts = [path.name for path in (root / "voxk8s" / "report").iterdir() if path.is_file()]
    others = [name for name in parts if not name.endswith(".py")]
    assert len(others) == 4
    assert [name for name in others if not any(fnmatch(name, each) for each in patterns)] == []


def test_an_empty_run_is_a_page() -> None:
    """A plan without goals or operations has a report, without empty tables."""
    page = read_page(report(run()))
    assert not page.find("table")
    assert not page.find("svg")


def test_counts_that_are_usual_are_no_alarm() -> None:
    """Nothing is marked as bad in a run without failures."""
    page = read_page(report(run(counts=Counts(total=2, computed=2))))
    assert not page.find("div", class_="bad")


def test_a_large_run_has_a_small_page() -> None:
    """100,000 operations: less than 5 MB, and every one is counted."""
    whole = large()
    text = report(whole)
    assert len(text.encode()) < 5_000_000
    page = read_page(text)
    (table,) = page.find("table", class_="sortable searched")
    assert len(table.rows()) == 1001
    assert "100000 operations" in page.text
    others = page.find("table")[-1].rows()[1:]
    assert sum(int(row[1]) for row in others) == 99_000


def test_the_graph_has_a_box_for_each_node() -> None:
    """With its state in words, its line, and the lines to what needs it; a table has the same."""
    page = read_page(report(WHOLE))
    boxes = page.find("a", class_="item")
    assert [box.find("text")[0].text for box in boxes] == [
        "default.load",
        "vox1.near ×5",
        "vox1.volume",
    ]
    assert [box.find("text")[1].text for box in boxes] == [
        "known · line 3",
        "1 skipped… · line 5",
        "failed · line 7",
    ]
    assert len(page.find("path", class_="edge")) == 2
    (table,) = page.find("details")[0].find("table")
    assert [row[2] for row in table.rows()[1:]] == [
        "known",
        "3 computed, 1 skipped, 1 not run",
        "failed",
    ]
    assert "Summed up by kernel and line." in page.text


def test_failures_are_on_the_timeline() -> None:
    """A failed operation has a bar with a mark, and the legend says what that is."""
    page = read_page(report(WHOLE))
    (failed,) = [
        box
        for box in page.find("rect")
        if "lost" in box.attributes["class"] and box.attributes["height"] == "12"
    ]
    assert failed.text.endswith("from 4 s, 4 attempts, failed")


def test_inputs_are_named_by_content() -> None:
    """Name, size, content and digest; one that could not be read says so."""
    (table,) = read_page(report(WHOLE)).find("table", data_what="inputs")
    assert table.rows()[1:] == [
        ["scan.nii.gz", "1 MiB", f"image 10x20x30 uint8SHA-256 {'c' * 64}"],
        ["gone.nii.gz", "", "not read"],
    ]


def test_texts_of_users_do_not_grow_the_page() -> None:
    """Thousands of goals and failures with long names, values and pictures have their bounds."""
    long = '"<&' * 3000
    preview = Preview(b"\0" * 150_000, "image/png")
    goals = (Goal(long, "print", long, digest="d" * 64, preview=preview),) * 3000
    failures = tuple(
        Failure(long, kernel="vox1.near", operation=OperationId("f" * 64), place=long)
        for _ in goals
    )
    incidents = tuple(Incident(long, long) for _ in goals)
    parts = {
        "goals": goals,
        "failures": failures,
        "excerpts": {long: long},
        "incidents": incidents,
    }
    text = report(run(title=long, program=long * 100, **parts))
    assert len(text.encode()) < 5_000_000
    assert "And 2000 more." in text
    assert "And 2800 more." in text
    assert "And 2900 more." in text


def test_few_values_are_shown_whole() -> None:
    """Where there is room a value, or a message, is not cut."""
    long = "x" * 7000
    text = report(run(goals=(Goal("g", "print", long),), failures=(Failure(long, kernel="k"),)))
    assert text.count(long) == 3, "the value also for programs"


def test_a_known_plan_has_no_timeline() -> None:
    """Where nothing was computed nothing is drawn."""
    page = read_page(report(run(operations=(operation(0, found=True),))))
    assert not page.find("svg", class_="timeline")
