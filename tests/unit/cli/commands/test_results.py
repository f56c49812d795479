"""`voxk8s results`, with an API server in this process and a store in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Done
from tests.support.fake_kube import FakeKube
from tests.unit.cli.workplan_statuses import DONE, FAILED, MESSAGE, RUNNING
from voxk8s.storage import ResultStore, open_store
from voxk8s.values import SavedFile


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    """Return the store of the WorkPlans."""
    return open_store(str(tmp_path / "results"))


def add_saved(kube: FakeKube, goal: str, url: str) -> None:
    """Add the WorkPlan `one`, which has saved a file."""
    kube.add("one", {**DONE, "results": [{"goal": goal, "kind": "save", "url": url}]})


def test_results_of_an_unfinished_workplan(kube: FakeKube, call: Callable[..., Done]) -> None:
    """What is there is printed, with exit status 1."""
    kube.add("one", {**RUNNING, "results": DONE["results"]})
    done = call("results", "one")
    assert (done.status, done.out) == (1, "sum=5\nlist=[1,2]\n")
    assert "one is not finished: Running" in done.err


def test_results_of_the_run_before(kube: FakeKube, call: Callable[..., Done]) -> None:
    """While a retry has not begun, results are printed and the status is 1."""
    kube.add("two", DONE)["metadata"]["annotations"] = {"voxk8s.io/retry": "2"}
    done = call("results", "two")
    assert (done.status, done.out) == (1, "sum=5\nlist=[1,2]\n")
    assert "two is not finished: Succeeded before; another run is asked for" in done.err
    kube.workplans["two"]["status"] = {**DONE, "retry": "2"}
    assert call("results", "two").status == 0


def test_json_marks_values_that_are_truncated(kube: FakeKube, call: Callable[..., Done]) -> None:
    """--json prints the results of the status."""
    kube.add("one", DONE)
    done = call("results", "one", "--json")
    assert done.status == 0
    assert [result["goal"] for result in done.json()["results"]] == ["sum", "list"]
    assert done.json()["results"][1]["truncated"] is True


def test_incomplete_results_name_the_file_that_is_complete(
    kube: FakeKube, call: Callable[..., Done]
) -> None:
    """Truncated values and omitted results are whole in the folder of the run."""
    kube.add("one", {**DONE, "runURL": "s3://b/runs/x", "resultsOmitted": 3})
    truncated, omitted = call("results", "one").err.splitlines()
    assert "the value of list is truncated" in truncated
    assert "3 more results" in omitted
    assert all(line.endswith(" in s3://b/runs/x/results.json") for line in (truncated, omitted))


def test_failures_are_printed(kube: FakeKube, call: Callable[..., Done]) -> None:
    """A failed WorkPlan gives exit status 1."""
    kube.add("one", FAILED)
    done = call("results", "one")
    assert (done.status, done.err) == (1, f"voxk8s: one: {MESSAGE}\n")


def test_saved_files_are_downloaded(
    kube: FakeKube, call: Callable[..., Done], store: ResultStore, tmp_path: Path
) -> None:
    """--download writes them below the folder, under the names of their goals."""
    put = store.put("0" * 64, SavedFile(b"file", ".txt", "text/plain"))
    url = store.url_of(put.digest)
    add_saved(kube, "a/m.txt", url)
    done = call("results", "one", "--download", "got")
    assert (done.status, done.out) == (0, f"a/m.txt={url}\n")
    assert (tmp_path / "got" / "a" / "m.txt").read_bytes() == b"file"


@pytest.mark.parametrize("goal", ["../m.txt", "/m.txt", "."])
def test_names_that_leave_the_folder_are_refused(
    kube: FakeKube, call: Callable[..., Done], store: ResultStore, tmp_path: Path, goal: str
) -> None:
    """Nothing is written."""
    put = store.put("0" * 64, SavedFile(b"file", ".txt", "text/plain"))
    add_saved(kube, goal, store.url_of(put.digest))
    done = call("results", "one", "--download", "got")
    assert done.status == 2
    assert f"expected a file name inside of got, got {goal!r}" in done.err
    assert not (tmp_path / "m.txt").exists()


def test_corrupt_blob_is_not_downloaded(
    kube: FakeKube, call: Callable[..., Done], store: ResultStore, tmp_path: Path
) -> None:
    """Bytes without the digest of the URL are an error."""
    url = store.url_of(store.put("0" * 64, SavedFile(b"file", ".txt", "text/plain")).digest)
    Path(url.removeprefix("file://")).write_bytes(b"fake")
    add_saved(kube, "m.txt", url)
    done = call("results", "one", "--download", "got")
    assert done.status == 1
    assert "missing or corrupt" in done.err
    assert not (tmp_path / "got" / "m.txt").exists()


def test_url_that_is_not_a_blob_is_refused(kube: FakeKube, call: Callable[..., Done]) -> None:
    """The message shows what was found."""
    add_saved(kube, "m.txt", "https://example.org/m.txt")
    done = call("results", "one", "--download", "got")
    assert done.status == 2
    assert "expected the URL of a blob in a result store, got https://example.org/m.txt" in done.err


def test_report_is_fetched(
    kube: FakeKube, call: Callable[..., Done], store: ResultStore, tmp_path: Path
) -> None:
    """--report writes the page that the status names."""
    url = store.write_run_file("ns/one/u/report.html", b"<p>", "text/html")
    kube.add("one", {**DONE, "report": {"url": url}})
    assert call("results", "one", "--report", "pages/one.html").status == 0
    assert (tmp_path / "pages" / "one.html").read_bytes() == b"<p>"


def test_partial_report_of_a_suspended_run_is_fetched(
    kube: FakeKube, call: Callable[..., Done], store: ResultStore, tmp_path: Path
) -> None:
    """Its pods are gone, and the run is not finished."""
    url = store.write_run_file("ns/one/u/report.html", b"<p>", "text/html")
    kube.add("one", {"phase": "Suspended", "progress": "1/2", "report": {"url": url}})
    assert call("results", "one", "--report", "one.html").status == 1
    assert (tmp_path / "one.html").read_bytes() == b"<p>"


@pytest.mark.parametrize(
    ("report", "status", "message"),
    [
        ("runs/ns/one/u/report.html", DONE, "the report of one was deleted"),
        ("cas/report.html", DONE, "is not a file of a run"),
        (None, DONE, "one has no report: all its results were known"),
        (None, FAILED, "one has no report: the run ended without writing one"),
    ],
)
def test_report_that_does_not_exist(
    kube: FakeKube,
    call: Callable[..., Done],
    store: ResultStore,
    report: str | None,
    status: dict[str, Any],
    message: str,
) -> None:
    """The message says why."""
    kube.add("one", {**status, **({"report": {"url": f"{store.url}/{report}"}} if report else {})})
    done = call("results", "one", "--report", "one.html")
    assert done.status == 2
    assert message in done.err
