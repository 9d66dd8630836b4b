"""What lies outside: the hub in all the ways it is asked, or the demo's home in its place."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp

from app.announce.phones import Phones
from app.composition.setting import Setting
from app.hub.client import Hub
from app.hub.editor import AutomationEditor, HubEditor
from app.hub.hub_now import HubNow
from app.hub.live import HubSource
from app.hub.now import HomeNow
from app.hub.services import ServiceCall, no_service_call, service_call
from app.hub.side_bar import PersistentNotifications
from app.hub.source import HomeSource
from app.neighbours import Neighbours, NeighbourState
from app.reach import hub_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the home and its past are read from, what it is now, how its services are called.

    `editor` makes its automations; it, the hub itself, its phones and its side bar are None in a demo.
    """

    source: HomeSource
    now: HomeNow
    call: ServiceCall
    hub: Hub | None = None
    editor: AutomationEditor | None = None
    phones: Phones | None = None
    side_bar: PersistentNotifications | None = None


async def reach(
    setting: Setting, neighbours: Neighbours, http: aiohttp.ClientSession, closing: AsyncExitStack
) -> Outside:
    """Begin to reach the hub; what has to be let go of is pushed on the stack."""
    if (invented := setting.invented) is not None:
        closing.push_async_callback(invented.source.close)
        closing.push_async_callback(invented.now.close)
        invented.now.start()
        neighbours.set("hub", NeighbourState.OK, "an invented home, nothing is asked of a real one")
        return Outside(source=invented.source, now=invented.now, call=no_service_call)
    hub = hub_of(setting.options, neighbours, setting.clock, http)
    closing.push_async_callback(hub.close)
    hub.start()
    now = HubNow(hub, setting.clock)
    closing.push_async_callback(now.close)
    now.start()
    return Outside(
        source=HubSource(hub),
        now=now,
        call=service_call(hub),
        hub=hub,
        editor=HubEditor(hub, setting.clock),
        phones=Phones(hub, setting.options.digest_phones),
        side_bar=PersistentNotifications(hub),
    )
