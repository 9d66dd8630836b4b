from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clock import TurnedClock, to_ms
from app.errors import NeighbourError
from app.hub.client import Hub
from app.hub.errors import CommandError
from app.hub.hub_now import HubNow
from app.hub.now import Span, StatisticKind
from tests.hub.peer import Fail, Peer

HOUR = timedelta(hours=1)
FIRST = datetime(2026, 11, 19, 23, tzinfo=UTC)


@pytest.fixture
def now(hub: Hub, clock: TurnedClock) -> HubNow:
    return HubNow(hub, clock)


def row(start: datetime, length: timedelta = HOUR, **figures: Any) -> dict[str, Any]:
    return {"start": to_ms(start), "end": to_ms(start + length), **figures}


async def test_the_kinds_of_statistics_are_told_with_unit_and_what_they_hold(now: HubNow, peer: Peer) -> None:
    peer.answers["recorder/list_statistic_ids"] = [
        {
            "statistic_id": "sensor.meter_reading", "name": None, "unit_class": "energy", "has_sum": True,
            "display_unit_of_measurement": "Wh", "mean_type": 0, "has_mean": False,
        },
        {"statistic_id": "tibber:power", "name": "Tibber", "mean_type": 1, "has_sum": False},
        {"statistic_id": "sensor.wind", "mean_type": 2, "display_unit_of_measurement": "°"},
        {"statistic_id": "sensor.old", "has_mean": True, "display_unit_of_measurement": "°C"},
        {"statistic_id": 7}, {"statistic_id": ""}, "words",
    ]  # fmt: skip
    assert await now.statistics() == [
        StatisticKind("sensor.meter_reading", "Meter reading", "kWh", has_mean=False, has_sum=True),
        StatisticKind("tibber:power", "Tibber", "", has_mean=True, has_sum=False),
        StatisticKind("sensor.wind", "Wind", "°", has_mean=True, has_sum=False),
        StatisticKind("sensor.old", "Old", "°C", has_mean=True, has_sum=False),
    ]


async def test_a_statistic_is_called_what_its_entity_is_called(now: HubNow, peer: Peer) -> None:
    peer.entities = {"sensor.a": {"s": "1", "lc": 1, "a": {"friendly_name": "The  attic"}}}
    peer.answers["recorder/list_statistic_ids"] = [{"statistic_id": "sensor.a", "mean_type": 1}]
    now.start()
    assert [kind.name for kind in await now.statistics()] == ["The attic"]


async def test_a_hub_without_recorder_or_energy_dashboard_has_none(now: HubNow, peer: Peer) -> None:
    assert await now.statistics() == []
    assert await now.energy_ids() == ()
    peer.answers["energy/get_prefs"] = Fail("not_found", "No prefs")
    assert await now.energy_ids() == ()
    peer.answers["energy/get_prefs"] = Fail("home_assistant_error", "Broken")
    with pytest.raises(CommandError):
        await now.energy_ids()


async def test_periods_outside_of_what_was_asked_and_what_is_no_number_are_left_out(
    now: HubNow, peer: Peer
) -> None:
    peer.answers["recorder/statistics_during_period"] = {
        "sensor.t": [
            row(FIRST - HOUR, mean=1.0),
            row(FIRST, mean=20.5, min=20, max=21.0, change=None),
            row(FIRST + HOUR, mean=float("nan"), min="20", max=True, change=0.25),
            row(FIRST + 2 * HOUR, mean=1.0),
            {"start": "x"},
            {"start": 5, "end": 5},
            7,
        ],
        "sensor.none": [],
        "sensor.other": [row(FIRST)],
    }
    found = await now.spans(["sensor.t", "sensor.none", "sensor.t"], FIRST, FIRST + 2 * HOUR, "hour")
    assert found == {
        "sensor.t": [
            Span(FIRST, FIRST + HOUR, mean=20.5, min=20.0, max=21.0),
            Span(FIRST + HOUR, FIRST + 2 * HOUR, change=0.25),
        ]
    }
    (asked,) = peer.asked("recorder/statistics_during_period")
    assert asked["statistic_ids"] == ["sensor.t", "sensor.none"]
    assert (asked["period"], asked["units"]) == ("hour", {"energy": "kWh"})
    assert asked["start_time"] == "2026-11-19T23:00:00+00:00"


async def test_much_is_read_in_pieces_and_too_much_not_at_all(now: HubNow, peer: Peer) -> None:
    peer.answers["recorder/statistics_during_period"] = lambda message: {
        name: [row(FIRST, change=1.0)] for name in message["statistic_ids"]
    }
    names = [f"sensor.n{n}" for n in range(50)]
    assert len(await now.spans(names, FIRST, FIRST + timedelta(days=90), "hour")) == 50
    assert [len(one["statistic_ids"]) for one in peer.asked("recorder/statistics_during_period")] == [
        9, 9, 9, 9, 9, 5,
    ]  # fmt: skip
    with pytest.raises(NeighbourError, match="too many"):
        await now.spans(names, FIRST, FIRST + timedelta(days=900), "hour")


async def test_nothing_asked_is_nothing_sent(now: HubNow, peer: Peer) -> None:
    assert await now.spans([], FIRST, FIRST + HOUR, "hour") == {}
    assert await now.spans(["sensor.t"], FIRST, FIRST, "hour") == {}
    assert peer.times("recorder/statistics_during_period") == 0


@pytest.mark.parametrize("said", [None, [], {"sensor.t": 7}])
async def test_an_answer_of_another_shape_is_none(now: HubNow, peer: Peer, said: Any) -> None:
    for kind in ("recorder/statistics_during_period", "recorder/list_statistic_ids", "energy/get_prefs"):
        peer.answers[kind] = said
    assert await now.spans(["sensor.t"], FIRST, FIRST + HOUR, "hour") == {}
    assert await now.statistics() == []
    assert await now.energy_ids() == ()


async def test_what_is_drawn_from_the_grid_is_found_in_old_and_new_preferences(
    now: HubNow, peer: Peer
) -> None:
    peer.answers["energy/get_prefs"] = {
        "energy_sources": [
            {"type": "solar", "stat_energy_from": "sensor.sun"},
            {
                "type": "grid",
                "flow_from": [{"stat_energy_from": "sensor.low"}, {"stat_energy_from": None}, 7],
            },
            {"type": "grid", "stat_energy_from": "sensor.high"},
            {"type": "grid", "stat_energy_from": "sensor.low", "flow_from": 7},
            7,
        ]
    }
    assert await now.energy_ids() == ("sensor.low", "sensor.high")
