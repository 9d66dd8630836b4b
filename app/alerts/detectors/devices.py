"""Devices that went away or silent: told as what it is, one device, one integration, or the whole hub."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.detectors.hazards import hazard_of
from app.alerts.detectors.safety import guards
from app.alerts.finding import Finding, Still
from app.alerts.sight import Sight, Thing

_SPEECHLESS: Final = frozenset({
    "automation", "button", "conversation", "event", "image", "notify", "person", "scene", "script", "stt",
    "tts", "update", "weather", "zone",
})  # fmt: skip
"""What is unavailable or unknown says nothing of the device."""
_COME_AND_GO: Final = frozenset(
    {"device_tracker", "media_player", "remote", "vacuum", "lawn_mower", "camera"}
)
"""A device that is one of these is switched off, driven away or charged as a matter of course."""
_COMING_PLATFORMS: Final = frozenset(
    {"mobile_app", "icloud", "ibeacon", "bermuda", "ping", "ipp", "steam_online"}
)
_AFTER: Final = timedelta(hours=1)
_AFTER_UNLEARNED: Final = timedelta(hours=6)
_TOGETHER_AFTER: Final = timedelta(minutes=15)
_SILENT_LEAST: Final = timedelta(hours=12)
_SILENT_TIMES: Final = 3
_SLACK: Final = 1.5
_FEWEST: Final = 3
_SHARE: Final = 0.5
_SHARE_OVER: Final = 0.25
_HUB_FEWEST: Final = 5
_HUB_SHARE: Final = 0.6
_HUB: Final = "unavailable:hub"


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is looked at. `gone` is since when all of it is unavailable."""

    key: str
    name: str
    platform: str
    things: tuple[Thing, ...]
    main: Thing
    gone: datetime | None
    known: bool


def devices_of(sight: Sight) -> list[Device]:
    """Return the devices that should always be there, and the guarding entities that belong to none."""
    found = [
        device
        for device_id, things in sight.devices.items()
        if (device := _device(sight, device_id, sight.device_names.get(device_id, ""), things)) is not None
    ]
    for thing in sight.things.values():
        if not thing.entity.device_id and thing.plain and (thing.domain == "lock" or hazard_of(thing)):
            device = _device(sight, thing.entity_id, thing.name, (thing,))
            if device is not None:
                found.append(device)
    return found


def _device(sight: Sight, key: str, name: str, things: Sequence[Thing]) -> Device | None:
    if any(one.domain in _COME_AND_GO or one.entity.platform in _COMING_PLATFORMS for one in things):
        return None
    speaking = tuple(one for one in things if one.domain not in _SPEECHLESS and not one.entity.hidden)
    if not speaking:
        return None
    gone = all(one.state == "unavailable" for one in speaking)
    main = min(speaking, key=lambda one: (not one.plain, one.entity_id))
    platforms = Counter(one.entity.platform for one in speaking if one.entity.platform)
    return Device(
        key=key,
        name=name or main.name,
        platform=platforms.most_common(1)[0][0] if platforms else "",
        things=speaking,
        main=main,
        gone=max(one.live.last_changed for one in speaking) if gone else None,
        known=f"available:{key}" in sight.known,
    )


def gone_devices(sight: Sight) -> Iterator[Finding | Still]:
    """Say what is unavailable and what went silent. Only what was seen well once can have failed."""
    if not sight.settled:
        return
    devices = [one for one in devices_of(sight) if one.known]
    hub = _all_of_hub(sight, devices)
    if hub is not None:
        yield hub
    together = _platforms_gone(sight, devices)
    if hub is None:
        yield from together.values()
    yield from _silence(sight, [one for one in devices if one.gone is None])
    for device in devices:
        cause = f"unavailable:{device.key}"
        if device.gone is None:
            continue
        if hub is not None or device.platform in together:
            # The one alert says it; what stood before it stays.
            if cause in sight.standing:
                yield Still(cause)
        else:
            yield _unavailable(sight, device, device.gone, cause)


def _all_of_hub(sight: Sight, devices: list[Device]) -> Finding | None:
    gone = [one for one in devices if one.gone is not None]
    platforms = {one.platform for one in gone}
    share = _SHARE_OVER if _HUB in sight.standing else _HUB_SHARE
    if len(gone) < _HUB_FEWEST or len(platforms) < 2 or len(gone) < share * len(devices):
        return None
    return Finding(
        cause=_HUB,
        kind=AlertKind.UNAVAILABLE,
        level=Level.HIGH,
        title="Most devices are unavailable in Home Assistant",
        description=f"They belong to {len(platforms)} integrations: it is the hub or its network, not they.",
        since=_most_gone(gone),
        after=_TOGETHER_AFTER,
    )


def _platforms_gone(sight: Sight, devices: list[Device]) -> dict[str, Finding]:
    """Return the integrations of which half of the devices and more are gone: it is then not the devices."""
    found = {}
    for platform, count in Counter(one.platform for one in devices if one.platform).items():
        gone = [one for one in devices if one.platform == platform and one.gone is not None]
        cause = f"unavailable:integration:{platform}"
        stands = cause in sight.standing
        share, fewest = (_SHARE_OVER, 2) if stands else (_SHARE, _FEWEST)
        if len(gone) < fewest or len(gone) < share * count:
            continue
        found[platform] = Finding(
            cause=cause,
            kind=AlertKind.UNAVAILABLE,
            level=Level.HIGH,
            title=f"Most devices of the integration {platform} are unavailable",
            description="It is the integration, its radio or its bridge rather than the devices.",
            since=_most_gone(gone),
            after=_TOGETHER_AFTER,
        )
    return found


def _most_gone(gone: list[Device]) -> datetime:
    """Return since when half of these are gone."""
    times = sorted(one.gone for one in gone if one.gone is not None)
    return times[math.ceil(len(times) / 2) - 1]


def _unavailable(sight: Sight, device: Device, since: datetime, cause: str) -> Finding:
    longest = sight.learned.longest_gone(one.entity_id for one in device.things)
    after = max(_AFTER if sight.learned.enough else _AFTER_UNLEARNED, longest * _SLACK)
    guarding = guards(sight, device.main)
    if guarding:
        after = min(after, max(_AFTER, longest * _SLACK))
    return Finding(
        cause=cause,
        kind=AlertKind.UNAVAILABLE,
        level=Level.MEDIUM if guarding else Level.LOW,
        title=f"Unavailable: {device.name}",
        description=f"Home Assistant cannot reach it since {sight.clock(since)}.",
        since=since,
        after=after,
        **device.main.where,
    )


def _silence(sight: Sight, devices: list[Device]) -> Iterator[Finding | Still]:
    """Say which devices say nothing any more though they always did, several times a day.

    When half of those of an integration and more are silent, that is what is told.
    """
    judged = [(one, wait) for one in devices if (wait := _longest_wait(sight, one)) is not None]
    silent = [one for one, wait in judged if sight.now - _heard(one) >= wait]
    spoke = Counter(one.platform for one, _ in judged)
    quiet = Counter(one.platform for one in silent)
    together = {
        platform
        for platform, count in quiet.items()
        if platform and count >= _FEWEST and count >= _SHARE * spoke[platform]
    }
    for platform in sorted(together):
        yield Finding(
            cause=f"silent:integration:{platform}",
            kind=AlertKind.SILENT,
            level=Level.HIGH,
            title=f"Most devices of the integration {platform} went silent",
            description="They still show as available: it is the integration, its radio or its bridge.",
            since=max(_heard(one) for one in silent if one.platform == platform),
        )
    for device in silent:
        if device.platform not in together:
            yield _silent(sight, device)
        elif (cause := f"silent:{device.key}") in sight.standing:
            yield Still(cause)


def _longest_wait(sight: Sight, device: Device) -> timedelta | None:
    """Return after how long its silence means something, None for a device that seldom speaks."""
    waits = [
        max(_SILENT_LEAST, longest * _SILENT_TIMES)
        for one in device.things
        if one.usable and (longest := sight.learned.longest_silence(one.entity_id)) is not None
    ]
    return min(waits) if waits else None


def _heard(device: Device) -> datetime:
    return max(one.live.last_updated for one in device.things)


def _silent(sight: Sight, device: Device) -> Finding:
    heard = _heard(device)
    return Finding(
        cause=f"silent:{device.key}",
        kind=AlertKind.SILENT,
        level=Level.MEDIUM if guards(sight, device.main) else Level.LOW,
        title=f"Silent: {device.name}",
        description=(
            f"Nothing was heard of it since {sight.clock(heard)}, though it still shows as available."
            f" In {len(sight.learned.days)} days it was never silent for a third of that."
        ),
        since=heard,
        **device.main.where,
    )
