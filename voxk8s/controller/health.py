"""What probes and monitoring ask: alive, ready, metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from voxk8s.controller.metrics import Metrics


class Health(Protocol):
    """What is asked of the operator; an empty answer means that all is well."""

    def liveness_error(self) -> str:
        """Say why the operator should be restarted."""

    def readiness_error(self) -> str:
        """Say why the operator should not be counted on yet."""


async def serve_health(health: Health, port: int) -> web.AppRunner:
    """Answer /healthz and /readyz: 200, or 503 with the reason."""
    app = web.Application()
    app.router.add_get("/healthz", _answer(health.liveness_error))
    app.router.add_get("/readyz", _answer(health.readiness_error))
    return await _serve(app, port)


async def serve_metrics(metrics: Metrics, port: int) -> web.AppRunner:
    """Answer /metrics."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(
            body=metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    app = web.Application()
    app.router.add_get("/metrics", answer)
    return await _serve(app, port)


def _answer(ask: Callable[[], str]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        problem = ask()
        return web.Response(text=problem or "ok", status=503 if problem else 200)

    return answer


async def _serve(app: web.Application, port: int) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
