"""The engine's own pages: /healthz for machines that restart it, /metrics for machines that count.

Knows aiohttp. Must not know what is healthy: it asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

HealthCheck = Callable[[], Awaitable[Mapping[str, str]]]


def service_application(
    registry: CollectorRegistry, health: HealthCheck, refresh: Callable[[], None]
) -> web.Application:
    """Return the application.

    `health` answers part -> `ok` or what is wrong; `refresh` sets the gauges just before they are read.
    """

    async def healthz(request: web.Request) -> web.Response:
        del request
        parts = dict(await health())
        well = all(state == "ok" for state in parts.values())
        return web.json_response({"healthy": well, "parts": parts}, status=200 if well else 503)

    async def metrics(request: web.Request) -> web.Response:
        del request
        refresh()
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/metrics", metrics)
    return application
