"""The health in full, for programs: GET /api/health. The bare liveness stays at /health."""

from typing import Any

from aiohttp import web

from app.upkeep.check import Check
from app.upkeep.health import HEALTHY_ABOVE, Health
from app.web.parts import PARTS


async def health_in_full(request: web.Request) -> web.Response:
    """Answer every check with what it found: a look that is at most a few seconds old."""
    return web.json_response(health_json(await request.app[PARTS].monitor.glance()))


def health_json(health: Health) -> dict[str, Any]:
    """Return a look; `score` and `healthy` for the house, and for each job from its own checks."""
    jobs = {
        name: {"healthy": score > HEALTHY_ABOVE, "score": score} for name, score in health.of_jobs().items()
    }
    return {
        "healthy": health.healthy,
        "score": health.score,
        "timestamp": health.timestamp.isoformat(),
        "jobs": jobs,
        "checks": {name: _check_json(check) for name, check in health.checks.items()},
    }


def _check_json(check: Check) -> dict[str, Any]:
    return {
        "title": check.title,
        "job": check.job,
        "healthy": check.healthy,
        "message": check.message,
        "advice": check.advice,
        "value": check.value,
        "unit": check.unit,
    }
