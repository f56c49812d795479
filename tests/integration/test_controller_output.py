"""Known plans whose files are copied by the operator itself, on a real S3 server."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.support import workplans
from tests.support.s3 import S3Server
from voxk8s.cluster.plan_source import Document
from voxk8s.controller.resolve import known_results
from voxk8s.controller.resolve.resolution_state import Resolved
from voxk8s.controller.resolve.resolve_plan import resolve_plan
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.inputs.filesystems import file_system
from voxk8s.inputs.locations import locate
from voxk8s.inputs.options import InputOptions
from voxk8s.storage import ResultStore

pytestmark = pytest.mark.s3
PLAN = workplans.document(
    [
        workplans.constant("a", 5),
        workplans.constant("b", 3),
        workplans.operation("s", "addition", "a", "b"),
    ],
    [workplans.save("s", "deep/sum.json"), workplans.show("s")],
)


@pytest.fixture
def store(s3_server: S3Server) -> ResultStore:
    """A store that knows the plan."""
    store = s3_server.store()
    assert ExecutionEngine(store, write_files=False).execute_workplan(load_plan(PLAN)).success
    return store


def ask(server: S3Server, store: ResultStore, folder: str) -> dict[str, Any] | None:
    """Look the plan up, with its files to be copied; None where a runner has to."""
    request = ResolveRequest(
        document=Document(msgspec.json.encode(PLAN), "json", inline=True),
        url=None,
        digest=None,
        parameters=None,
        cache="Use",
        output_url=folder,
        store_url=store.url,
        options=server.options,
        run_folder="ns/wp/u-1",
    )
    found = resolve_plan(request)
    assert isinstance(found, Resolved)
    return found.final_status


def read(server: S3Server, url: str) -> bytes | None:
    """Return a file, or None."""
    options = InputOptions.from_env(server.env)
    place = locate(url, options)
    system = file_system(place, options)
    return bytes(system.cat_file(place.path)) if system.exists(place.path) else None


def test_files_within_the_store_are_copied(s3_server: S3Server, store: ResultStore) -> None:
    """A known plan with output in its own store needs no runner: its file has its own name."""
    part = ask(s3_server, store, f"{store.url}/out/")
    assert part is not None
    assert read(s3_server, f"{store.url}/out/deep/sum.json") == b"8.0\n"
    assert [result["kind"] for result in part["results"]] == ["save", "print"]
    assert part["results"][0]["url"].startswith(f"{store.url}/cas/")


@pytest.mark.parametrize("place", ["{url}-other/out", "s3://elsewhere/out"])
def test_other_places_are_the_runners(s3_server: S3Server, store: ResultStore, place: str) -> None:
    """The operator writes nowhere but below the store."""
    folder = place.format(url=store.url)
    assert ask(s3_server, store, folder) is None
    assert read(s3_server, f"{folder}/deep/sum.json") is None


def test_large_files_are_the_runners(
    s3_server: S3Server, store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would need much memory of the operator is left to a runner."""
    monkeypatch.setattr(known_results, "MAX_COPIED_BYTES", 1)
    assert ask(s3_server, store, f"{store.url}/out") is None


def test_files_that_are_gone_are_the_runners(s3_server: S3Server, store: ResultStore) -> None:
    """A blob that cannot be read, sound, is computed again by a run."""
    part = ask(s3_server, store, f"{store.url}/out")
    assert part is not None
    options = InputOptions.from_env(s3_server.env)
    place = locate(part["results"][0]["url"], options)
    file_system(place, options).pipe_file(place.path, b"9\n")
    assert ask(s3_server, store, f"{store.url}/again") is None
    assert read(s3_server, f"{store.url}/again/deep/sum.json") is None
