"""A month of an invented home in a hub: its past in the recorder, its entities among the states.

`python -m tests.real_hub.past DIR/config` before the hub's first start writes the recorder file, which the
hub takes over. The states are posted later, by the tests, through the hub's own API (`furnish`).
"""

import sys
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from app.events import NUMERIC
from app.hub.invented import Invented, invent
from tests.real_hub.peer import RealHub
from tests.recorder_file import attributes_of, write_home

SEED = 7


def main() -> int:
    config = Path(sys.argv[1])
    config.mkdir(parents=True, exist_ok=True)
    invented = invent(SEED, until=datetime.now(UTC))
    write_home(config / "home-assistant_v2.db", invented.home, invented.events)
    return 0


async def furnish(hub: RealHub, invented: Invented, *, real: Collection[str] = ()) -> None:
    """Give the hub the invented home's entities, each as it was left; not those that are `real` in it."""
    events = invented.events
    last = {int(events.entity[i]): i for i in range(len(events))}
    states = {
        events.entities[code]: events.states[int(events.state[i])]
        if events.state[i] != NUMERIC
        else f"{float(events.value[i]):g}"
        for code, i in last.items()
    }
    head = {"Authorization": f"Bearer {hub.token}"}
    async with aiohttp.ClientSession(headers=head) as http:
        for entity in invented.home.entities:
            if entity.domain in {"automation", "person"} or entity.entity_id not in states.keys() - real:
                continue
            body = {"state": states[entity.entity_id], "attributes": attributes_of(invented.home, entity)}
            async with http.post(f"{hub.url}/api/states/{entity.entity_id}", json=body) as reply:
                reply.raise_for_status()


if __name__ == "__main__":
    sys.exit(main())
