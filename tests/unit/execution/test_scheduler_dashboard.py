"""Dask's dashboard, loaded when somebody looks at it."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import dask
import pytest
from distributed import Scheduler
from tornado.web import Application

MODULE = "voxk8s.execution.scheduler_dashboard"


@pytest.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    """Start a scheduler as in a pod."""
    options: dict[str, Any] = {
        "dashboard": False,
        "dashboard_address": "127.0.0.1:0",
        "preload": [MODULE],
    }
    name = "distributed.scheduler.http.routes"
    routes = [*dask.config.get(name), "distributed.http.scheduler.api"]
    with dask.config.set({name: routes}):
        async with Scheduler(host="127.0.0.1", port=0, **options) as started:
            yield started


async def _get(scheduler: Scheduler, path: str) -> tuple[int, str, str]:
    """Return status, path after redirections, and text."""
    port = scheduler.services["dashboard"].port
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, response.url.path, await response.text()


def _waiting(scheduler: Scheduler) -> list[Application]:
    return [each for each in scheduler.http_application.applications if "_Dashboard" in repr(each)]


async def test_what_pods_are_asked_for_does_not_load_it(scheduler: Scheduler) -> None:
    """Probes, Prometheus and the autoscaler need the scheduler's own routes only."""
    for path in ("/health", "/metrics", "/api/v1/adaptive_target"):
        status, _, _ = await _get(scheduler, path)
        assert status == 200
    assert len(_waiting(scheduler)) == 1


@pytest.mark.parametrize("path", ["/", "/status", "/workers", "/individual-cpu"])
async def test_it_is_there_when_asked_for(scheduler: Scheduler, path: str) -> None:
    """Every page of Dask's may be the first one, and the others follow."""
    status, end, text = await _get(scheduler, path)
    assert status == 200
    assert end == ("/status" if path == "/" else path)
    assert "Bokeh" in text
    assert not _waiting(scheduler)
    status, _, text = await _get(scheduler, "/graph")
    assert (status, "Bokeh" in text) == (200, True)
    status, _, _ = await _get(scheduler, "/there-is-no-such-page")
    assert status == 404


async def test_the_scheduler_answers_while_it_is_loaded(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that came first, and one that came meanwhile, get their pages after that."""
    load, begun, answered = importlib.import_module, threading.Event(), threading.Event()

    def wait(name: str) -> object:
        begun.set()
        assert answered.wait(30)
        return load(name)

    monkeypatch.setattr(importlib, "import_module", wait)
    pages = [asyncio.ensure_future(_get(scheduler, path)) for path in ("/status", "/", "/graph")]
    assert await asyncio.to_thread(begun.wait, 10)
    status, _, _ = await _get(scheduler, "/health")
    assert status == 200
    assert not any(page.done() for page in pages)
    answered.set()
    for status, _, text in await asyncio.gather(*pages):
        assert (status, "Bokeh" in text) == (200, True)
    assert len(scheduler.http_application.applications) == 1


async def test_a_request_that_is_given_up_does_no_harm(scheduler: Scheduler) -> None:
    """Its browser went away while the dashboard was loaded."""
    port = scheduler.services["dashboard"].port
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
    writer.close()
    status, _, text = await _get(scheduler, "/status")
    assert (status, "Bokeh" in text) == (200, True)


async def test_image_without_its_libraries_says_so(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a second time."""
    monkeypatch.setitem(sys.modules, "distributed.dashboard.scheduler", None)
    for _ in range(2):
        status, _, text = await _get(scheduler, "/status")
        assert (status, "Dask needs bokeh" in text) == (200, True)


async def test_dashboard_that_is_there_stays() -> None:
    """A scheduler that has loaded it at its start does not get a second one."""
    options: dict[str, Any] = {
        "dashboard": True,
        "dashboard_address": "127.0.0.1:0",
        "preload": [MODULE],
    }
    async with Scheduler(host="127.0.0.1", port=0, **options) as started:
        assert not _waiting(started)
        assert len(started.http_application.applications) == 1


def test_its_libraries_are_not_imported_before() -> None:
    """A process that loads the preload has not imported Bokeh."""
    code = f"import {MODULE}, sys; sys.exit('bokeh' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
