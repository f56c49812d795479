"""Processes that look plans up, before their first one."""

from __future__ import annotations

import logging

import pytest

from voxk8s.controller.resolve import process_pool, resolve_plan
from voxk8s.controller.resolve.resolution_state import Resolved
from voxk8s.controller.resolve.store_cache import StoreCache
from voxk8s.errors import InputUnavailable, StoreUnreachable
from voxk8s.storage import ResultStore, StoreOptions, open_store

REHEARSAL = process_pool.warm_up_request("s3://results", StoreOptions(endpoint="http://s3:8333"))


def test_a_rehearsal_asks_for_all_that_plans_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store and an input are asked as for a user's plan; that there is no input is fine."""
    asked: list[str] = []

    def open_memory(url: str, **_: object) -> ResultStore:
        asked.append(url)
        return open_store("memory://warm_up_request")

    def stat(url: str, _: object) -> None:
        asked.append(url)
        raise InputUnavailable(f"no {url}")

    monkeypatch.setattr(resolve_plan, "doors", StoreCache())
    monkeypatch.setattr("voxk8s.controller.resolve.store_cache.open_store", open_memory)
    monkeypatch.setattr("voxk8s.inputs.pinning.stat", stat)
    found = resolve_plan.resolve_plan(REHEARSAL)
    assert isinstance(found, Resolved)
    assert (found.store_checked, found.final_status) == (True, None)
    assert asked == ["s3://results", "s3://results/runs/warm_up_request.json"]


@pytest.mark.parametrize("error", [StoreUnreachable("away"), ValueError("unforeseen")])
def test_a_rehearsal_that_fails_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """A process whose warm-up failed is as good as any: users are told what they must know."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(resolve_plan, "doors", StoreCache())
    monkeypatch.setattr("voxk8s.controller.resolve.store_cache.open_store", fail)
    with caplog.at_level(logging.INFO):
        process_pool.warm_up(REHEARSAL)
    assert ("unforeseen" in caplog.text) is isinstance(error, ValueError)


def test_without_a_store_nothing_is_rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator without a store of its own has nobody to ask."""
    monkeypatch.setattr(process_pool, "resolve_plan", lambda _: pytest.fail("looked up"))
    process_pool.warm_up(None)
