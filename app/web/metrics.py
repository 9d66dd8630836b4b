"""The figures for Prometheus: GET /metrics, for whoever may read the API."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from app.web.parts import PARTS


async def metrics(request: web.Request) -> web.Response:
    """Answer the text exposition, whatever the scraper would rather have: every one of them reads it."""
    text = await request.app[PARTS].metrics.render()
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
