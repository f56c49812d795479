"""Records that somebody wrote who did not compute them."""

from __future__ import annotations

import secrets

import pytest

from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution import ExecutionEngine
from voxk8s.kernels import registry
from voxk8s.plan import key_graph
from voxk8s.storage import ResultStore, open_store
from voxk8s.storage.checksummed_json import add_checksum, verify_checksum
from voxk8s.storage.layout import record_path


@pytest.fixture
def url() -> str:
    """Return the URL of an empty store."""
    return f"memory://{secrets.token_hex(8)}"


def plan_maker() -> PlanMaker:
    """Return a plan whose goal is 63."""
    make = PlanMaker()
    make.show("x", make("addition", 60.0, 3.0))
    return make


def forge(store: ResultStore) -> None:
    """Put -666 in the place of 63, as anybody may who has the store's keys."""
    (goal,) = key_graph(plan_maker().plan(), registry()).goals
    assert goal.key is not None
    store.put(goal.key, -666.0, replace=True)


def run(store: ResultStore) -> object:
    """Return the value of the goal."""
    return ExecutionEngine(store).execute_workplan(plan_maker().plan())["x"]


def test_a_record_that_another_domain_forged_is_not_believed(url: str) -> None:
    """Neither one of the shared domain, nor of a domain beside."""
    forge(open_store(url, env={}))
    forge(open_store(url, domain="team-b", env={}))
    assert run(open_store(url, domain="team-a", env={})) == 63.0
    assert run(open_store(url, domain="team-a", env={})) == 63.0


def test_a_run_that_computes_does_not_adopt_what_others_forged(url: str) -> None:
    """Not even when the record is there before its own is written."""
    mine = open_store(url, domain="team-a", env={})
    forge(open_store(url, domain="team-b", env={}))
    engine = ExecutionEngine(mine, cache="refresh")
    assert engine.execute_workplan(plan_maker().plan())["x"] == 63.0
    assert run(open_store(url, domain="team-a", env={})) == 63.0


def test_who_is_trusted_is_believed(url: str) -> None:
    """That is what trust means: within a domain, and of those that it trusts, anybody may forge."""
    forge(open_store(url, domain="team-b", env={}))
    assert run(open_store(url, domain="team-a", trusts=("team-b",), env={})) == -666.0
    assert run(open_store(url, domain="team-b", env={})) == -666.0
    assert open_store(url, domain="team-b", env={}).verify().sound


def test_the_own_result_comes_before_a_forged_one_of_a_trusted_domain(url: str) -> None:
    """What a domain has computed cannot be changed by others, ever."""
    assert run(open_store(url, domain="team-a", env={})) == 63.0
    forge(open_store(url, domain="team-b", env={}))
    assert run(open_store(url, domain="team-a", trusts=("team-b",), env={})) == 63.0


def test_a_record_cannot_name_a_place_elsewhere(url: str) -> None:
    """The URL of a result is made of where its record was found, and of nothing in it."""
    store = open_store(url, env={})
    put = store.put("1" * 64, "x" * 9000)
    record = store.record("1" * 64)
    assert record is not None
    path = record_path("1" * 64)
    data = bytes(store._backend.get(path) or b"")
    verify_checksum(data)
    forged = data.replace(b'"format":1', b'"root":"s3://evil","format":1')
    body, _, _ = forged.rpartition(b',"seal"')
    store._backend.write(path, (add_checksum(body + b"}"),), "application/json")
    found = open_store(url, env={}).record("1" * 64)
    assert found is not None
    assert store.url_of_record(found) == store.url_of(put.digest)
