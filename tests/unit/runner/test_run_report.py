"""The report of a WorkPlan's run."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.support.html import Element, read_page
from voxk8s.api.workplan import WorkPlanResource, decode_resource
from voxk8s.cluster.plan_source import Document, read_source_plan
from voxk8s.execution import ExecutionEngine
from voxk8s.history import Recorder
from voxk8s.inputs.input_options import InputOptions
from voxk8s.kernels import registry
from voxk8s.runner import run_report
from voxk8s.runner.run_report import build_report
from voxk8s.runner.runner_config import RunnerConfig
from voxk8s.storage import ResultStore, open_store

PROGRAM = """\
import "mine.imgql"
print "sum" 1 + 2
save "dir/sum & more.json" 1 + 2
print "broken" broken(7)
"""
FILES = {"mine.imgql": "// mine\nlet broken(x) = [x][5]\n"}


def workplan(**spec: Any) -> WorkPlanResource:
    """Return a WorkPlan as the API server sends it."""
    return decode_resource(
        {
            "metadata": {"name": "wp", "namespace": "ns", "uid": "u-1"},
            "spec": {"source": {"program": "", "parameters": {"CASE": "<7>"}}, **spec},
        }
    )


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    """A store in a folder."""
    return open_store(str(tmp_path / "store"))


def page(
    store: ResultStore, cache: str = "use", problems: tuple[str, ...] = (), **spec: Any
) -> Element:
    """Run the program as a runner does, and read its report."""
    config = RunnerConfig("ns", "wp", "u-1", "", store.url, InputOptions(local_allowed=False))
    document = Document(PROGRAM.encode(), "imgql", "main.imgql", files=FILES)
    read = read_source_plan(document, None, registry())
    plan, places = read.plan, read.places
    recorder = Recorder()
    engine = ExecutionEngine(
        store,
        listeners=[recorder],
        write_files=False,
        run_folder=config.run_folder,
        cache=cache,
    )
    result = engine.execute_workplan(plan, places=places)
    return read_page(
        build_report(
            result,
            plan,
            recorder,
            workplan(**spec),
            config,
            store,
            document=document,
            places=places,
            problems=problems,
        )
    )


@pytest.mark.parametrize("cache", ["use", "bypass"])
def test_links_lead_from_the_folder_of_the_run_to_files(store: ResultStore, cache: str) -> None:
    """By relative paths, so that they hold wherever the store is read from."""
    (link,) = (a for a in page(store, cache).find("a") if "download" in a.attributes)
    target = urljoin(f"{store.url}/runs/ns/wp/u-1/report.html", link.attributes["href"])
    assert Path(target.removeprefix("file://")).read_text() == "3.0\n"
    assert link.attributes["download"] == "sum & more.json"


def test_failures_show_the_line_of_an_imported_file(store: ResultStore) -> None:
    """The texts are those of the WorkPlan's source."""
    (failure,) = page(store).find("article")
    assert "at mine.imgql:2:" in failure.text
    assert "let broken(x) = [x][5]\n" in failure.text


def test_the_program_is_in_the_report(store: ResultStore) -> None:
    """As the WorkPlan has it: with its parameters it says what was asked for."""
    program, command = page(store).find("pre", class_="program")
    assert program.text == PROGRAM
    assert command.text == "voxk8s submit main.imgql --param 'CASE=<7>'"


def test_program_of_a_spec_is_repeated_from_a_file() -> None:
    """It has a name without a suffix, which `submit` would not take for a program."""
    document = Document(b"", "imgql", "program")
    assert run_report._command(workplan(), document).startswith("voxk8s submit program.imgql --")


def test_settings_are_those_of_the_workplan(store: ResultStore) -> None:
    """Parameters, the store, and how the run was to go."""
    found = page(store, retry={"limit": 7}, output={"url": "s3://out/x"}, onFailure="FailFast")
    facts = dict(zip([each.text for each in found.find("dt")], found.find("dd"), strict=True))
    expected = {
        "$CASE": "<7>",
        "WorkPlan": "ns/wp",
        "uid": "u-1",
        "store": store.url,
        "cache": "Use",
        "onFailure": "FailFast",
        "retry.limit": "7",
        "output.url": "s3://out/x",
    }
    assert expected.items() <= {name: each.text for name, each in facts.items()}.items()


def test_files_that_could_not_be_copied_are_listed(store: ResultStore) -> None:
    """Beside the goals that failed."""
    text = page(store, problems=("s3://out/x could not be written",)).text
    assert "1 of 3 goals failed. s3://out/x could not be written" in text
