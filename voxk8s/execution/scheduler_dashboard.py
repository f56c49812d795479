"""Loads Dask's dashboard, as a preload of a scheduler, with the first request for one of its pages.

Its libraries take a third of the time from the start of a scheduler until it listens, for which
runner and workers wait, and most runs end without anybody having looked at it.
"""

from __future__ import annotations

from typing import Any

from distributed import Scheduler
from distributed.http.utils import get_handlers
from tornado.httputil import HTTPServerRequest
from tornado.web import Application


async def dask_setup(scheduler: Scheduler) -> None:
    """Put the dashboard behind the scheduler's own routes, unless it is there already."""
    if not scheduler.http_application.applications:
        scheduler.http_application.add_application(_Dashboard(scheduler))


class _Dashboard(Application):
    """Is replaced by the dashboard when it is asked for what no route of the scheduler has."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler

    def find_handler(self, request: HTTPServerRequest, **arguments: Any) -> Any:
        """Return the handler of the dashboard, or what says that its libraries are missing."""
        application = self._scheduler.http_application
        application.applications.remove(self)
        try:
            from distributed.dashboard.scheduler import connect
        except ImportError:
            modules = ["distributed.http.scheduler.missing_bokeh"]
            application.add_handlers(".*$", get_handlers(self._scheduler, modules))
        else:
            connect(application, self._scheduler.http_server, self._scheduler)
        return application.find_handler(request, **arguments)
