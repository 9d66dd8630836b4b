"""A morning on a real hub: sensors written through its API, bad templates beside good ones, the hub away."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.bus import Bus
from app.clock import SystemClock
from app.hub.client import Hub
from app.hub.hub_now import HubNow
from app.insights.insight import Insight, MetricScore
from app.jobs.run import RunStatus
from app.neighbours import Neighbours
from tests.insights.house import BUSINESS, House, house
from tests.insights.small import AMSTERDAM
from tests.real_hub.peer import RealHub

pytestmark = pytest.mark.hub

CLOCK = SystemClock()
BANDS = "[{at_least: 1, score: 100}, {score: 0}]"
ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}1"
CARD = """
name: real
title: A real home
categories:
  - key: all
    title: All
    weight: 100
    metrics:
      - {key: entity, title: Entity, entity: sensor.NAME_runway, unit: d, bands: &B}
      - {key: attribute, title: Attribute, entity: sensor.NAME_runway, attribute: level, bands: &B}
      - {key: gone, title: Gone, entity: sensor.NAME_gone, bands: &B}
      - {key: away, title: Away, entity: sensor.NAME_away, bands: &B}
      - {key: good, title: Good, template: "{{ states('sensor.NAME_runway') | float * 2 }}", bands: &B}
      - {key: open_end, title: Open end, template: "{% if %}", bands: &B}
      - {key: endless, title: Endless, template: "ENDLESS", bands: &B}
      - {key: words, title: Words, template: "{{ 'many' }}", bands: &B}
      - {key: nothing, title: Nothing, template: "{{ states('sensor.NAME_none') | float }}", bands: &B}
      - {key: truth, title: Truth, template: "{{ 2 > 1 }}", bands: &B}
      - {key: total, title: Total, statistic: "nightshift:NAME_energy", take: change, unit: kWh, bands: &B}
      - {key: mean, title: Mean, statistic: "nightshift:NAME_warmth", take: mean, bands: &B}
      - {key: unkept, title: Unkept, statistic: "nightshift:NAME_none", take: mean, bands: &B}
"""


@pytest.fixture
async def hub(real_hub: RealHub) -> AsyncIterator[Hub]:
    token = SecretStr(real_hub.token)
    async with Hub(real_hub.url, token, neighbours=Neighbours(Bus(), CLOCK), clock=CLOCK) as opened:
        yield opened


@pytest.fixture
async def now(hub: Hub) -> AsyncIterator[HubNow]:
    mirror = HubNow(hub, CLOCK)
    mirror.start()
    yield mirror
    await mirror.close()


async def put(hub: Hub, entity_id: str, state: object, **attributes: Any) -> None:
    await hub.post(f"/states/{entity_id}", {"state": str(state), "attributes": attributes})


async def keep(hub: Hub, statistic_id: str, unit: str, day: datetime, **hourly: float) -> None:
    """Have the hub keep a long-term statistic of the 24 hours from `day` on."""
    summed = "sum" in hourly
    stats = [
        {
            "start": (day + timedelta(hours=hour)).isoformat(),
            **{name: value * (hour + 1) if summed else value for name, value in hourly.items()},
        }
        for hour in range(-1 if summed else 0, 24)
    ]
    await hub.command(
        "recorder/import_statistics",
        metadata={
            "has_mean": not summed,
            "has_sum": summed,
            "mean_type": 0 if summed else 1,
            "name": statistic_id,
            "source": "nightshift",
            "statistic_id": statistic_id,
            "unit_of_measurement": unit,
            "unit_class": None,
        },
        stats=stats,
    )


async def until_known(now: HubNow, *entity_ids: str) -> None:
    while now.since is None or not set(entity_ids) <= now.states().keys():
        await asyncio.sleep(0.05)


def metrics(insight: Insight) -> dict[str, MetricScore]:
    return {metric.key: metric for category in insight.health_breakdown for metric in category.metrics}


async def latest(opened: House, scorecard: str) -> Insight:
    found = await opened.insights.latest("home", scorecard)
    assert found is not None
    return found


async def test_every_kind_of_reading_is_read_and_a_bad_one_stops_no_other(
    hub: Hub, now: HubNow, tmp_path: Path
) -> None:
    name = f"i{secrets.token_hex(3)}"
    await put(hub, f"sensor.{name}_runway", 21.5, unit_of_measurement="d", level=0.5)
    await put(hub, f"sensor.{name}_away", "unavailable", friendly_name="Wind on the roof")
    at = datetime.now(UTC)
    midnight = datetime.combine(at.astimezone(AMSTERDAM).date(), datetime.min.time(), AMSTERDAM)
    day = (midnight - timedelta(days=1)).astimezone(UTC)
    await keep(hub, f"nightshift:{name}_energy", "kWh", day, sum=0.25, state=0.25)
    await keep(hub, f"nightshift:{name}_warmth", "°C", day, mean=20.5, min=19.0, max=22.0)
    await until_known(now, f"sensor.{name}_runway", f"sensor.{name}_away")
    text = CARD.replace("NAME", name).replace("&B", BANDS).replace("ENDLESS", ENDLESS)
    async with house(tmp_path, at=at, now=now) as opened:
        await opened.scorecards.put("home", text, "ana")
        assert (await opened.morning()).status is RunStatus.COMPLETED
        while metrics(found := await latest(opened, "real"))["mean"].value is None:
            await asyncio.sleep(0.5)  # the hub imports statistics in its own time
            await opened.clock.turn(timedelta(minutes=5))
            await opened.morning()
    read = {key: metric.value for key, metric in metrics(found).items() if metric.value is not None}
    assert read == {
        "entity": 21.5,
        "attribute": 0.5,
        "good": 43,
        "truth": 1,
        "total": pytest.approx(6),
        "mean": pytest.approx(20.5),
    }
    missing = {key: metric.missing for key, metric in metrics(found).items() if metric.value is None}
    assert missing.keys() == {"gone", "away", "open_end", "endless", "words", "nothing", "unkept"}
    assert missing["gone"] == f"Home Assistant has no sensor.{name}_gone."
    assert missing["away"] == "Wind on the roof is unavailable."
    assert missing["words"] == "The template says many, which is no number."
    assert missing["unkept"] == f"Home Assistant keeps no long-term statistic nightshift:{name}_none."
    assert all(
        missing[key].startswith("The template is wrong: ") for key in ("open_end", "endless", "nothing")
    )
    assert found.health_score == 83  # five of the six that were read are at least 1
    assert found.confidence == pytest.approx(6 / 13)


async def test_the_business_card_on_written_sensors_and_stale_when_the_hub_is_away(
    real_hub: RealHub, hub: Hub, now: HubNow, tmp_path: Path
) -> None:
    name = f"i{secrets.token_hex(3)}"
    for entity_id, value in {**BUSINESS, "sensor.days_of_runway": 12}.items():
        await put(hub, entity_id.replace("sensor.", f"sensor.{name}_"), value)
    await until_known(now, *(one.replace("sensor.", f"sensor.{name}_") for one in BUSINESS))
    at = datetime.now(UTC)
    async with house(tmp_path, at=at, now=now) as opened:
        kept = await opened.scorecards.get("home", "business")
        await opened.scorecards.put("home", kept.text.replace("sensor.", f"sensor.{name}_"), "ana")
        await opened.morning()
        found = await latest(opened, "business")
        assert [one.score for one in found.health_breakdown] == [30, 100, 100, 100]
        assert (found.health_score, found.confidence, found.stale_since) == (76, 1, None)
        assert [one.message for one in opened.told] == ["Projected negative in 12 days."]
        await real_hub.say("hub-stop")
        try:
            while now.since is not None:
                await asyncio.sleep(0.1)
            await opened.clock.turn(timedelta(days=1))
            await opened.morning()
            stale = await latest(opened, "business")
            assert stale.health_score == 76
            assert stale.stale_since is not None
            assert abs(stale.stale_since - at) < timedelta(milliseconds=1)
            assert len(opened.told) == 1
        finally:
            await real_hub.say("hub-start")
