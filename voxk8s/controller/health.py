"""HTTP endpoints of the probes and of Prometheus: /healthz, /readyz, /metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from voxk8s.controller.metrics import Metrics


class Health(Protocol):
    """What the probes check; an empty text means success."""

    def liveness_error(self) -> str:
        """Return why the operator should be restarted."""

    def readiness_error(self) -> str:
        """Return why the operator is not ready yet."""


async def serve_health(health: Health, port: int) -> web.AppRunner:
    """Serve /healthz and /readyz: 200, or 503 with the reason."""
    app = web.Application()
    app.router.add_get("/healthz", _probe(health.liveness_error))
    app.router.add_get("/readyz", _probe(health.readiness_error))
    return await _serve(app, port)


async def serve_metrics(metrics: Metrics, port: int) -> web.AppRunner:
    """Serve /metrics."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(
            body=metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    app = web.Application()
    app.router.add_get("/metrics", handle)
    return await _serve(app, port)


def _probe(check: Callable[[], str]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(_: web.Request) -> web.StreamResponse:
        error = check()
        return web.Response(text=error or "ok", status=503 if error else 200)

    return handle


async def _serve(app: web.Application, port: int) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
