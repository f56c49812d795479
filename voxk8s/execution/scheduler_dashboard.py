"""Loads Dask's dashboard, as a preload of a scheduler, with the first request for one of its pages.

Its libraries take a third of the time from the start of a scheduler until it listens, for which
runner and workers wait, and most runs end without anybody having looked at it.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any, Final

from distributed import Scheduler
from distributed.http.utils import get_handlers
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.web import Application, RequestHandler

_LIBRARIES: Final = "distributed.dashboard.scheduler"


async def dask_setup(scheduler: Scheduler) -> None:
    """Put the dashboard behind the scheduler's own routes, unless it is there already."""
    if not scheduler.http_application.applications:
        scheduler.http_application.add_application(_Dashboard(scheduler))


class _Dashboard(Application):
    """Is replaced by the dashboard when it is asked for what no route of the scheduler has."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._loading: asyncio.Task[None] | None = None

    def find_handler(self, request: HTTPServerRequest, **arguments: Any) -> Any:
        """Return a handler that waits for the dashboard, or for what says that it is missing."""
        application = self._scheduler.http_application
        if self not in application.applications:  # a request that came while it was loaded
            return application.find_handler(request, **arguments)
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._load())
        return _Waiting(self._loading, lambda: application.find_handler(request, **arguments))

    async def _load(self) -> None:
        application = self._scheduler.http_application
        try:
            # In a thread: a scheduler whose loop stands still for seconds answers no worker.
            await asyncio.to_thread(importlib.import_module, _LIBRARIES)
        except ImportError:
            modules = ["distributed.http.scheduler.missing_bokeh"]
            application.applications.remove(self)
            application.add_handlers(".*$", get_handlers(self._scheduler, modules))
        else:
            from distributed.dashboard.scheduler import connect

            application.applications.remove(self)
            connect(application, self._scheduler.http_server, self._scheduler)


class _Waiting(HTTPMessageDelegate):
    """Keeps a request until the dashboard is loaded, and hands it over."""

    handler_class = RequestHandler
    """What the scheduler's application asks each handler for."""

    def __init__(self, loading: asyncio.Task[None], find: Callable[[], Any]) -> None:
        self._loading = loading
        self._find = find
        self._body: list[bytes] = []
        self._closed = False
        self._handler: Any = None
        self._serving: asyncio.Task[None] | None = None

    def data_received(self, chunk: bytes) -> None:
        """Keep a part of the body."""
        self._body.append(chunk)

    def finish(self) -> None:
        """Serve the request, which has come as a whole, as soon as the dashboard is there."""
        self._serving = asyncio.ensure_future(self._serve())

    def on_connection_close(self) -> None:
        """Give the request up."""
        self._closed = True
        if self._handler is not None:
            self._handler.on_connection_close()

    async def _serve(self) -> None:
        await asyncio.shield(self._loading)
        if self._closed:
            return
        self._handler = self._find()
        for chunk in self._body:
            self._handler.data_received(chunk)
        self._handler.finish()
