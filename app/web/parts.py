"""What the page and the API are given: every part they ask, and from where people reach them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from app.archive.archive import ArchiveSize
from app.bus import Bus
from app.clock import Clock
from app.habits.offers.offers import Offers
from app.habits.offers.replays import Replays
from app.habits.suggestions import Suggestions
from app.jobs.ledger import Ledger
from app.jobs.results import SubjectResults
from app.jobs.retry_queue import RetryQueue
from app.jobs.run_log import RunLog
from app.jobs.runner import Jobs
from app.model import Home
from app.neighbours import Neighbours
from app.options import Options
from app.upkeep.metrics import Metrics
from app.upkeep.monitor import Monitor

SUPERVISOR_PEER = "172.30.32.2"
"""The address every ingress request comes from (Home Assistant's developer docs, "Ingress")."""


@dataclass(frozen=True, kw_only=True)
class WebParts:
    """Everything `build_web` needs.

    `home` gives the home as last known, None before the hub was ever reached. `archive_size` gives what is
    kept of it, None when nothing is known yet.

    `ingress` is True under the Supervisor: then only `ingress_peers` are let in (and holders of the
    `api_key` option, if it is set). `loopback_only` is True when the server listens on loopback only (the
    demo): then whoever sits at this machine is an admin, as long as the request names one of this machine's
    own names or one of `hosts` (so that no web page elsewhere can point its own name at us).
    """

    options: Options
    clock: Clock
    bus: Bus
    neighbours: Neighbours
    jobs: Jobs
    ledger: Ledger
    results: SubjectResults
    queue: RetryQueue
    log: RunLog
    monitor: Monitor
    metrics: Metrics
    suggestions: Suggestions
    offers: Offers
    replays: Replays
    home: Callable[[], Home | None]
    archive_size: Callable[[], Awaitable[ArchiveSize | None]]
    ingress: bool
    loopback_only: bool = False
    ingress_peers: frozenset[str] = frozenset({SUPERVISOR_PEER})
    hosts: frozenset[str] = frozenset()


PARTS = web.AppKey("parts", WebParts)
