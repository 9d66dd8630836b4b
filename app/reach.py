"""From options and environment to the outside: which hub, which Supervisor, which broker."""

import os

import aiohttp
from pydantic import SecretStr

from app.announce.broker import BrokerFinder, broker_finder
from app.clock import Clock
from app.errors import InputError
from app.hub.client import Hub
from app.hub.supervisor import Supervisor
from app.neighbours import Neighbours
from app.options import Options

_PROXY = "http://supervisor/core/api"


def supervisor_token() -> SecretStr | None:
    """Return the token that the Supervisor gives each start, or None where there is no Supervisor."""
    token = os.environ.get("SUPERVISOR_TOKEN", "")
    return SecretStr(token) if token else None


def hub_of(options: Options, neighbours: Neighbours, clock: Clock, http: aiohttp.ClientSession) -> Hub:
    """Return the hub: by `hub_url` if it is set, else through the Supervisor's proxy.

    Raises InputError when there is neither.
    """
    if options.hub_url:
        return Hub(str(options.hub_url), options.hub_token, neighbours=neighbours, clock=clock, http=http)
    if token := supervisor_token():
        return Hub(_PROXY, token, neighbours=neighbours, clock=clock, http=http)
    raise InputError(
        "no hub is set up: give NIGHTSHIFT_HUB_URL and NIGHTSHIFT_HUB_TOKEN (a long-lived token from your "
        "profile in Home Assistant), or see it at work with ./run.sh demo"
    )


def finder_of(options: Options, http: aiohttp.ClientSession) -> BrokerFinder:
    """Return who knows where the broker is: `mqtt_host`, else the Supervisor's service, else nobody."""
    token = supervisor_token()
    if token is None:
        return broker_finder(options)
    return broker_finder(options, Supervisor(token, http).mqtt_service)
