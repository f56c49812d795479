"""Programs on a cluster from Python, against a small API server in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import voxk8s
from tests.support.fake_kube import FakeKube, serving
from tests.unit.cli.workplan_statuses import DONE, FAILED, MESSAGE, RUNNING, modified
from voxk8s import submitted_run
from voxk8s.cluster.kube_errors import NotFound
from voxk8s.errors import InvalidUsage
from voxk8s.storage import open_store
from voxk8s.submitted_run import SubmittedRun
from voxk8s.values import SavedFile

TEXT = 'import "vox1"\nload scan = "$SCAN"\nprint "volume" volume(scan >. $LEVEL)\n'


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKube]:
    """Return an API server, to which the kubeconfig leads."""
    with serving() as found:
        monkeypatch.setenv("KUBECONFIG", str(found.kubeconfig(tmp_path)))
        yield found


def test_a_program_becomes_a_workplan(kube: FakeKube) -> None:
    """Its text and parameters, in the namespace of the context, with more fields of the spec."""
    more = {"cluster": {"maxWorkers": 8}, "cache": "Refresh"}
    made = voxk8s.submit(TEXT, SCAN="s3://b/a.nii.gz", LEVEL=5, spec=more)
    assert (made.name, made.namespace) == ("python-abcde", "mine")
    assert kube.workplans["python-abcde"]["spec"] == {
        "source": {"program": TEXT, "parameters": {"SCAN": "s3://b/a.nii.gz", "LEVEL": "5"}},
        **more,
    }
    assert voxk8s.submit('print "n" 1', name="one", namespace="lab").namespace == "lab"


def test_inputs_of_this_machine_are_refused_or_must_be_there(kube: FakeKube) -> None:
    """Before anything is created."""
    with pytest.raises(InvalidUsage, match=r"cannot read files of this machine: a\.nii\.gz\. With"):
        voxk8s.submit(TEXT, SCAN="a.nii.gz", LEVEL=5)
    with pytest.raises(InvalidUsage, match=r"input a\.nii\.gz: no such file or folder"):
        voxk8s.submit(TEXT, SCAN="a.nii.gz", LEVEL=5, upload=True)
    assert not kube.workplans


def test_waiting_shows_changes_and_gives_values(
    kube: FakeKube, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also in a notebook, whose main thread runs a loop; 5.0 is a float, as on this machine."""
    results = [
        {"goal": "sum", "kind": "print", "value": 5, "line": "5.0"},
        {"goal": "count", "kind": "print", "value": 5},
        {"goal": "none", "kind": "print", "value": None},
    ]
    body = kube.add("one", RUNNING)
    done = {**DONE, "results": results}
    kube.events = [modified(body, done, "2")]
    run = SubmittedRun("one", "mine")
    assert repr(run) == "<WorkPlan mine/one>"
    assert run.state == "Running 1/2 Progressing"

    async def notebook() -> SubmittedRun:
        return run.wait(60)

    assert asyncio.run(notebook()) is run
    assert "one: Running 1/2" in capsys.readouterr().err
    kube.add("one", done)
    assert [repr(each) for each in run.values.values()] == ["5.0", "5", "None"]
    assert "<pre style='margin:0'>5.0</pre>" in run._repr_html_()


def test_a_value_without_room_in_the_status_is_read_from_the_store(
    kube: FakeKube, tmp_path: Path
) -> None:
    """From the folder of the run."""
    store = open_store(str(tmp_path / "store"))
    url = store.write_run_file(
        "mine/one/u/results.json",
        json.dumps({"results": [{"goal": "list", "value": [1, 2, 3]}]}).encode(),
        "application/json",
    )
    folder = url.rpartition("/")[0]
    kube.add("one", {**DONE, "runURL": folder})
    assert SubmittedRun("one", "mine").values == {"list": [1, 2, 3]}
    kube.add("one", {**DONE, "runURL": f"{folder}x"})
    with pytest.raises(InvalidUsage, match="all results of one, was deleted"):
        _ = SubmittedRun("one", "mine").values


def test_files_and_the_report_are_fetched(kube: FakeKube, tmp_path: Path) -> None:
    """Verified, under the names of their goals."""
    store = open_store(str(tmp_path / "store"))
    put = store.put("0" * 64, SavedFile(b"file", ".txt", "text/plain"))
    page = store.write_run_file("mine/one/u/report.html", b"<p>", "text/html")
    saved = {"goal": "a/m.txt", "kind": "save", "url": store.url_of(put.digest)}
    kube.add("one", {**DONE, "results": [saved], "report": {"url": page}})
    run = SubmittedRun("one", "mine")
    files = run.download(tmp_path / "got")
    assert files == {"a/m.txt": tmp_path / "got" / "a" / "m.txt"}
    assert files["a/m.txt"].read_bytes() == b"file"
    assert run.report(tmp_path / "page.html").read_bytes() == b"<p>"


def test_failures_are_shown_and_a_run_can_be_deleted(kube: FakeKube) -> None:
    """Afterwards it is not found."""
    kube.add("one", FAILED)
    run = SubmittedRun("one", "mine")
    assert MESSAGE in run._repr_html_()
    run.delete()
    assert "mine/one&gt;: WorkPlan one not found" in run._repr_html_()
    with pytest.raises(NotFound, match="WorkPlan one not found in namespace mine"):
        run.wait()


def test_names_of_arguments_are_names_of_parameters_too(kube: FakeKube) -> None:
    """By a mapping after the program; truth values of numpy are those of ImgQL."""
    text = 'print "a" $name\nprint "b" $flag\n'
    voxk8s.submit(text, {"name": 5}, name="one", flag=np.True_)
    source = kube.workplans["one"]["spec"]["source"]
    assert source["parameters"] == {"name": "5", "flag": "true"}


def test_loops_go_on_without_items_that_fail(kube: FakeKube, tmp_path: Path) -> None:
    """If that is asked for, by a word or in the spec; folds of what is compiled here allow it."""
    text = 'print "a" fold + 0 [1 / 2, 3 / 4]\n'
    voxk8s.submit(text, name="one", on_item_failure="skip")
    assert kube.workplans["one"]["spec"] == {"source": {"program": text}, "onItemFailure": "Skip"}
    (tmp_path / "more.imgql").write_text('print "b" 1')
    own = tmp_path / "own.imgql"
    own.write_text(f'import "more.imgql"\n{text}')
    voxk8s.submit(own, name="two", spec={"onItemFailure": "Skip"})
    assert '"fold"' in json.dumps(kube.workplans["two"]["spec"]["source"]["plan"])
    voxk8s.submit(own, name="three")
    assert '"fold"' not in json.dumps(kube.workplans["three"]["spec"]["source"]["plan"])
    with pytest.raises(InvalidUsage, match="on_item_failure: expected fail or skip, got 'Skip'"):
        voxk8s.submit(text, on_item_failure="Skip")


def test_a_spec_replaces_nothing_of_the_program(kube: FakeKube) -> None:
    """Nor is more sent than the API server takes."""
    with pytest.raises(InvalidUsage, match="expected a spec without source"):
        voxk8s.submit('print "a" 1', spec={"source": {"program": 'print "b" 2'}})
    with pytest.raises(InvalidUsage, match="the program: expected at most 1,200,000 bytes"):
        voxk8s.submit(f'print "a" 1 // {"x" * 1_200_000}')
    assert not kube.workplans


def test_a_loop_in_another_thread_is_no_obstacle(kube: FakeKube) -> None:
    """As that of a sub-shell of a notebook."""
    kube.add("one", RUNNING)

    async def shell() -> str:
        return SubmittedRun("one", "mine").state

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, shell()).result() == "Running 1/2 Progressing"


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"results": [{}]}', b"\xff", b"[" * 9999])
def test_results_that_no_run_writes_are_refused(
    kube: FakeKube, tmp_path: Path, content: bytes
) -> None:
    """With their URL: whoever can write to the store may write anything there."""
    store = open_store(str(tmp_path / "store"))
    url = store.write_run_file("mine/one/u/results.json", content, "application/json")
    kube.add("one", {**DONE, "runURL": url.rpartition("/")[0]})
    with pytest.raises(InvalidUsage, match=r"results\.json is not what a run writes"):
        _ = SubmittedRun("one", "mine").values


def test_odd_statuses_are_no_traceback(kube: FakeKube, tmp_path: Path) -> None:
    """Numbers without end, files without a URL, results without a folder."""
    run = SubmittedRun("one", "mine")
    huge = {"goal": "n", "kind": "print", "value": 10**400, "line": "x"}
    kube.add("one", {**DONE, "results": [huge, {"goal": "f.txt", "kind": "save"}]})
    kube.workplans["one"]["status"].pop("resultsOmitted", None)
    assert run.values == {"n": 10**400}
    assert run.download(tmp_path) == {}
    kube.add("one", {**DONE, "results": [], "resultsOmitted": 1})
    with pytest.raises(InvalidUsage, match="has no room for all its results"):
        _ = run.values


def test_an_interruption_at_the_very_end_or_start_is_still_one() -> None:
    """The loop may be closed already, and need not have begun."""
    stops: list[Callable[[], None]] = []

    def remember(work: Callable[[], int], cancel: Callable[[], None]) -> int:
        stops.append(cancel)
        return work()

    async def five() -> int:
        return 5

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submitted_run, "call_in_thread", remember)
        assert submitted_run._in_own_loop(five) == 5
        stops.pop()()
        patch.setattr(submitted_run, "call_in_thread", lambda work, cancel: (cancel(), work())[1])
        with pytest.raises(asyncio.CancelledError):
            submitted_run._in_own_loop(five)
