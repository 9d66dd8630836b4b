import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.clock import TurnedClock, from_ms, to_ms

NIGHT = datetime(2026, 3, 29, 3, tzinfo=UTC)


async def test_a_sleeper_wakes_at_its_own_instant() -> None:
    clock = TurnedClock(NIGHT)
    woken: list[datetime] = []

    async def nap(minutes: int) -> None:
        await clock.sleep(minutes * 60)
        woken.append(clock.now())

    naps = [asyncio.create_task(nap(m)) for m in (30, 10, 90)]
    await clock.turn(timedelta(hours=1))
    assert woken == [NIGHT + timedelta(minutes=10), NIGHT + timedelta(minutes=30)]
    assert clock.monotonic() == 3600
    await clock.turn(timedelta(hours=1))
    await asyncio.gather(*naps)
    assert len(woken) == 3


def test_milliseconds_come_back_as_the_same_instant() -> None:
    assert from_ms(to_ms(NIGHT)) == NIGHT


def test_a_naive_time_is_refused() -> None:
    naive = NIGHT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="naive"):
        to_ms(naive)
    with pytest.raises(ValueError, match="aware"):
        TurnedClock(naive)
