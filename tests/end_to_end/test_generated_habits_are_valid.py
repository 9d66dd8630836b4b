"""Two hundred habits of every kind, drawn at random, in every shape: a real hub takes them all."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import SecretStr

from app.bus import Bus
from app.clock import SystemClock
from app.hub.client import Hub
from app.hub.editor import HubEditor, NotWantedError
from app.neighbours import Neighbours
from tests.habits.generated import MADE, Lot, asking, edited, every_way, narrowed, switched_off
from tests.real_hub.peer import RealHub

pytestmark = [pytest.mark.hub, pytest.mark.timeout(300)]

OF_EACH = 200
SEED = 2026
_AT_ONCE = 100


@pytest.fixture
async def editor(real_hub: RealHub) -> AsyncIterator[HubEditor]:
    clock, bus = SystemClock(), Bus()
    hub = Hub(real_hub.url, SecretStr(real_hub.token), neighbours=Neighbours(bus, clock), clock=clock)
    yield HubEditor(hub, clock)
    await hub.close()


async def refused(editor: HubEditor, config: dict[str, Any]) -> str:
    """Return what the hub has against a configuration, with it as people would read it; "" if nothing."""
    try:
        await editor.check(config)
    except NotWantedError as error:
        return f"{error}\n{yaml.safe_dump(config, sort_keys=False)}"
    return ""


@pytest.mark.parametrize("kind", MADE)
async def test_the_hubs_validator_takes_two_hundred_of_each_kind_in_every_shape(
    editor: HubEditor, kind: str
) -> None:
    lot = Lot(np.random.default_rng(SEED))
    made = [config for _ in range(OF_EACH) for config in every_way(lot, kind)]
    assert len(made) == 9 * OF_EACH
    for start in range(0, len(made), _AT_ONCE):
        said = await asyncio.gather(*(refused(editor, one) for one in made[start : start + _AT_ONCE]))
        first = next(filter(None, said), "")
        assert not first, first


@pytest.mark.parametrize("kind", MADE)
async def test_what_the_validator_takes_is_loaded_too(editor: HubEditor, kind: str) -> None:
    lot = Lot(np.random.default_rng(SEED + 1))
    # A name of its own: the hub remembers whether the last one called so was switched off.
    unique_id = f"nightshift_generated_{secrets.token_hex(4)}"
    found = {**next(every_way(lot, kind)), "alias": unique_id}
    try:
        for shape in (found, edited(lot, found), narrowed(lot, found), asking(lot, found)):
            standing = await editor.put(unique_id, shape, area_id=None)
            assert standing.enabled, yaml.safe_dump(shape, sort_keys=False)
            assert standing.config["alias"] == shape["alias"]
        await editor.remove(unique_id)
        off = f"{unique_id}_off"
        shape = {**switched_off(lot, found), "alias": off}
        assert not (await editor.put(off, shape, area_id=None)).enabled
        await editor.remove(off)
    finally:
        await editor.remove(unique_id)


async def test_a_wrong_one_among_them_would_be_shown(editor: HubEditor) -> None:
    good = next(every_way(Lot(np.random.default_rng(SEED)), "at a time"))
    wrong = {**good, "triggers": [{"trigger": "time"}]}
    said = await refused(editor, wrong)
    assert "Home Assistant does not take its triggers" in said
    assert "alias: at a time, number" in said
