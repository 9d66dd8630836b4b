"""What it costs to know what every entity is now: memory, the first event, one change. Prints a table.

Run: python -m benchmarks.mirror
"""

import asyncio
import json
import sys
import time
import tracemalloc
from typing import Any

from pydantic import SecretStr

from app.bus import Bus
from app.clock import SystemClock
from app.hub.client import Hub
from app.hub.mirror import Mirror
from app.neighbours import Neighbours

SIZES = (500, 3000)
CHANGES = 5000
AT = 1_795_000_000.0


def attributes(number: int) -> dict[str, Any]:
    """Return what an average sensor tells beside its state."""
    return {
        "friendly_name": f"Sensor number {number}", "device_class": "temperature", "options": [1, 2],
        "unit_of_measurement": "°C", "state_class": "measurement", "icon": "mdi:thermometer",
        "linkquality": number % 200, "battery": number % 100, "voltage": number, "last_seen": "2026-11-22",
    }  # fmt: skip


def first_event(size: int) -> str:
    states = {
        f"sensor.number_{n}": {
            "s": str(n),
            "a": attributes(n),
            "c": f"{n:026}",
            "lc": AT + n,
            "lu": AT + n + 1,
        }
        for n in range(size)
    }
    return json.dumps({"a": states})


def change(number: int, size: int) -> str:
    new = {"s": str(number * 7), "lc": AT + number, "c": f"{number:026}", "a": {"linkquality": number}}
    return json.dumps({"c": {f"sensor.number_{number % size}": {"+": new}}})


def measure(hub: Hub, size: int) -> str:
    """Return a row: the mirror is given what the hub would send, decoded before the clock starts."""
    told = json.loads(first_event(size))
    tracemalloc.start()
    mirror = Mirror(hub, SystemClock())
    mirror.hear(json.loads(first_event(size)))
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    mirror = Mirror(hub, SystemClock())
    began = time.process_time()
    mirror.hear(told)
    first = time.process_time() - began
    changes = [json.loads(change(n, size)) for n in range(CHANGES)]
    began = time.process_time()
    for event in changes:
        mirror.hear(event)
        mirror.states.all()
    each = (time.process_time() - began) / CHANGES
    return f"| {size:,} | {kept / 1024:,.0f} kB | {first * 1000:.1f} ms | {each * 1e6:.0f} µs |\n"


async def main() -> int:
    clock = SystemClock()
    hub = Hub("http://127.0.0.1", SecretStr("none"), neighbours=Neighbours(Bus(), clock), clock=clock)
    sys.stdout.write(
        "| entities | memory | CPU of the first event | CPU of one change |\n|---|---|---|---|\n"
    )
    for size in SIZES:
        sys.stdout.write(measure(hub, size))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
