"""What a change of state means to people: a door that turns on "opens", a motion sensor "sees motion".

The device classes of binary sensors and their meanings are Home Assistant's (developer docs, "Binary sensor
entity").
"""

from typing import Any, Final

from app.web.wording import listed

_OPENS: Final = {"on": ("opens", "open"), "off": ("closes", "closed")}
_COVER: Final = {
    "open": ("opens", "open"),
    "closed": ("closes", "closed"),
    "opening": ("starts to open", "opening"),
    "closing": ("starts to close", "closing"),
}
_PERSON: Final = {"home": ("comes home", "home"), "not_home": ("leaves home", "away")}


def _senses(what: str) -> dict[str, tuple[str, str]]:
    return {
        "on": (f"detects {what}", f"detecting {what}"),
        "off": (f"no longer detects {what}", f"detecting no {what}"),
    }


def _does(doing: str) -> dict[str, tuple[str, str]]:
    return {"on": (f"starts {doing}", doing), "off": (f"stops {doing}", f"not {doing}")}


_SENSORS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "battery": {"on": ("gets low", "low"), "off": ("is no longer low", "not low")},
    "battery_charging": _does("charging"),
    "carbon_monoxide": _senses("carbon monoxide"),
    "cold": {"on": ("gets cold", "cold"), "off": ("is no longer cold", "not cold")},
    "connectivity": {"on": ("connects", "connected"), "off": ("disconnects", "disconnected")},
    "door": _OPENS,
    "garage_door": _OPENS,
    "gas": _senses("gas"),
    "heat": {"on": ("gets hot", "hot"), "off": ("is no longer hot", "not hot")},
    "light": _senses("light"),
    "lock": {"on": ("is unlocked", "unlocked"), "off": ("is locked", "locked")},
    "moisture": {"on": ("gets wet", "wet"), "off": ("gets dry", "dry")},
    "motion": {"on": ("sees motion", "seeing motion"), "off": ("sees no more motion", "seeing no motion")},
    "moving": _does("moving"),
    "occupancy": {"on": ("becomes occupied", "occupied"), "off": ("is no longer occupied", "unoccupied")},
    "opening": _OPENS,
    "plug": {"on": ("is plugged in", "plugged in"), "off": ("is unplugged", "unplugged")},
    "power": {"on": ("gets power", "powered"), "off": ("loses power", "without power")},
    "presence": {"on": ("becomes present", "present"), "off": ("is no longer present", "not present")},
    "problem": {"on": ("reports a problem", "in trouble"), "off": ("is well again", "well")},
    "running": _does("running"),
    "safety": {"on": ("becomes unsafe", "unsafe"), "off": ("becomes safe", "safe")},
    "smoke": _senses("smoke"),
    "sound": _senses("sound"),
    "tamper": _senses("tampering"),
    "update": {"on": ("has an update", "in need of an update"), "off": ("is up to date", "up to date")},
    "vibration": _senses("vibration"),
    "window": _OPENS,
}
_DOMAINS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "cover": _COVER,
    "device_tracker": _PERSON,
    "lock": {"locked": ("is locked", "locked"), "unlocked": ("is unlocked", "unlocked")},
    "media_player": {
        "playing": ("starts playing", "playing"),
        "paused": ("is paused", "paused"),
        "idle": ("stops playing", "idle"),
    },
    "person": _PERSON,
    "sun": {
        "below_horizon": ("sets", "down"),
        "above_horizon": ("rises", "up"),
    },
    "vacuum": {
        "cleaning": ("starts cleaning", "cleaning"),
        "docked": ("is back in its dock", "in its dock"),
        "returning": ("goes back to its dock", "on its way to its dock"),
    },
    "valve": _COVER,
}


def comes_to(kind: str, state: Any) -> str:
    """Return what it does when it comes to that state: `opens`, `turns on`.

    `kind` is a domain; a binary sensor's is followed by its device class: `binary_sensor.door`. `state` None
    is any.
    """
    if state is None:
        return "changes"
    if isinstance(state, list):
        return listed([comes_to(kind, one) for one in state], "or")
    if meaning := _meaning(kind, state):
        return meaning[0]
    plain = _plain(state)
    return f"turns {plain}" if plain in {"on", "off"} else f"changes to {plain}"


def is_in(kind: str, state: Any) -> str:
    """Return what it is in that state, as it follows "is" and "has been": `open`, `on`."""
    if isinstance(state, list):
        return listed([is_in(kind, one) for one in state], "or")
    meaning = _meaning(kind, state)
    return meaning[1] if meaning else _plain(state)


def _meaning(kind: str, state: Any) -> tuple[str, str] | None:
    domain, _, device_class = kind.partition(".")
    known = _SENSORS.get(device_class) if domain == "binary_sensor" else _DOMAINS.get(domain)
    return (known or {}).get(_plain(state).replace(" ", "_"))


def _plain(state: Any) -> str:
    # YAML's bare on and off are true and false.
    if isinstance(state, bool):
        return "on" if state else "off"
    return str(state).replace("_", " ")
