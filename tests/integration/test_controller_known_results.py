"""Fully cached plans whose files the operator copies, on a real S3 server."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.support import workplans
from tests.support.s3 import S3Server
from voxk8s.cluster.plan_source import Document
from voxk8s.controller.resolve import known_results
from voxk8s.controller.resolve.process_pool import ProcessPool, warm_up_request
from voxk8s.controller.resolve.resolution_state import Resolved
from voxk8s.controller.resolve.resolve_plan import resolve_plan
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.inputs.filesystems import file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate
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
    """A store with the results of the plan."""
    store = s3_server.store()
    assert ExecutionEngine(store, write_files=False).execute_workplan(load_plan(PLAN)).success
    return store


def make_request(server: S3Server, store: ResultStore, folder: str) -> ResolveRequest:
    """Return a request for the plan with an output."""
    return ResolveRequest(
        document=Document(msgspec.json.encode(PLAN), "json", inline=True),
        url=None,
        digest=None,
        parameters=None,
        cache="Use",
        output_url=folder,
        store_url=store.url,
        options=server.options,
        run_folder="ns/wp/u-1",
        output_prefixes=(f"{store.url}/",),
    )


def ask(server: S3Server, store: ResultStore, folder: str) -> dict[str, Any] | None:
    """Resolve the plan with an output; return the final status, or None if a runner is needed."""
    found = resolve_plan(make_request(server, store, folder))
    assert isinstance(found, Resolved)
    return found.final_status


def read(server: S3Server, url: str) -> bytes | None:
    """Return a file, or None."""
    options = InputOptions.from_env(server.env)
    place = locate(url, options)
    system = file_system(place, options)
    return bytes(system.cat_file(place.path)) if system.exists(place.path) else None


def test_files_within_the_store_are_copied(s3_server: S3Server, store: ResultStore) -> None:
    """Files are copied to an output within the store without a runner."""
    part = ask(s3_server, store, f"{store.url}/out/")
    assert part is not None
    assert read(s3_server, f"{store.url}/out/deep/sum.json") == b"8.0\n"
    assert [result["kind"] for result in part["results"]] == ["save", "print"]
    assert part["results"][0]["url"].startswith(f"{store.url}/cas/")


@pytest.mark.parametrize("place", ["{url}-other/out", "s3://elsewhere/out"])
def test_output_outside_the_store(s3_server: S3Server, store: ResultStore, place: str) -> None:
    """The operator does not write outside the store."""
    folder = place.format(url=store.url)
    assert ask(s3_server, store, folder) is None
    assert read(s3_server, f"{folder}/deep/sum.json") is None


def test_large_files(
    s3_server: S3Server, store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large files are left to a runner."""
    monkeypatch.setattr(known_results, "MAX_COPIED_BYTES", 1)
    assert ask(s3_server, store, f"{store.url}/out") is None


def test_corrupt_files(s3_server: S3Server, store: ResultStore) -> None:
    """If a blob is corrupt, nothing is copied and a runner is needed."""
    part = ask(s3_server, store, f"{store.url}/out")
    assert part is not None
    options = InputOptions.from_env(s3_server.env)
    place = locate(part["results"][0]["url"], options)
    file_system(place, options).pipe_file(place.path, b"9\n")
    assert ask(s3_server, store, f"{store.url}/again") is None
    assert read(s3_server, f"{store.url}/again/deep/sum.json") is None


async def test_processes_with_little_memory(s3_server: S3Server, store: ResultStore) -> None:
    """A process whose share of the memory is less than its imports take resolves plans, too."""
    request = make_request(s3_server, store, f"{store.url}/out")
    pool = ProcessPool(1, 2**20, warm_up_request(store.url, s3_server.options, request.domains))
    found = await pool.resolve(request)
    pool.close()
    assert isinstance(found, Resolved)
    assert found.final_status is not None
