"""What names tell where a device class doesn't: pure, and on the side of silence where it is not clear.

Names are people's own, so the words are those of the languages that most homes are named in (English, German,
Dutch, French, Spanish, Italian, Portuguese, Swedish, Polish). docs/alerts.md lists what each is for.
"""

import re
from typing import Final


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(r"(?<![^\W\d_])(?:" + "|".join(words) + r")(?![^\W\d_])", re.IGNORECASE)


WET_BY_NATURE: Final = _any(
    "rain", "raining", r"regen\w*", "pluie", "lluvia", "pioggia", "chuva", r"regn\w*", "deszcz",
    "soil", "plants?", "garden", "lawn", "irrigation", "snow", "dew", "pond", "aquarium",
    r"bodenfeucht\w*", "erde", "pflanzen?", "garten", r"bodemvocht\w*", "planten?", "tuin", "plante",
    "jardin", "planta", "jardín", "pianta",
)  # fmt: skip
"""Moisture sensors that are wet because they measure rain or soil. A real leak that stays silent is worse
than a false one: words that also name a floor or a place where water leaks are not here.
"""
LEAKS: Final = re.compile(
    r"leak|flood|wassermelder|wasserleck|leckage|lekkage|lekdetect|waterlek|fuite|fuga|perdita|läcka|wyciek",
    re.IGNORECASE,
)
"""Whatever else its name says, such a sensor watches for a leak."""

HAZARD_NAMES: Final = re.compile(
    r"(?:^|_)(?:(?P<smoke>smoke(?:_alarm)?|rauch|rauchmelder|rook|rookmelder|fumée)"
    r"|(?P<gas>gas_leak|gas_alarm)"
    r"|(?P<carbon_monoxide>carbon_monoxide|co_alarm)"
    r"|(?P<water>leak|water_leak|leakage|flood|flooding|wasserleck|lekkage|fuite))$"
)
"""How the ids of danger sensors end that have no device class."""

OUTER: Final = _any(

    r"(?:front|back|rear|side|main|outer|outside|street|house|garden|yard|cellar) ?(?:door|gate|entrance)",
    "front", "entrance", "entry", "patio", "terrace", "porch", "balcony", "garage", "gate", "haustür",
    "haustuer", "eingangstür", "eingangstuer", "eingang", "wohnungstür", "wohnungstuer", "terrassentür",
    "terrassentuer", "terrasse", "balkontür", "balkontuer", "balkon", "hintertür", "hintertuer",
    "kellertür", "gartentür", "tor", "voordeur", "achterdeur", "tuindeur", "terras", "balkondeur", "poort",
    "porte d.entr[ée]e", "portail", "puerta principal", "puerta de entrada", "puerta trasera", "ingresso",
    "portone", "cancello", "porta de entrada", "ytterdörr", "altandörr", "altan", "drzwi wejściowe",
    "brama",
)  # fmt: skip
"""Doors that lead outside."""

INNER: Final = _any(
    "bed ?room", "bath ?room", "bath", "toilet", "wc", "room", "office", "study", "pantry", "laundry",
    "nursery", "hallway", "closet", "schlafzimmer", "badezimmer", "bad", "zimmer", "büro", "slaapkamer",
    "badkamer", "kamer", "chambre", "salle", "dormitorio", "baño", "camera", "bagno", "quarto", "sovrum",
    "badrum", "sypialnia",
)  # fmt: skip
"""Doors inside, whatever else their names say."""

NOT_OUTER: Final = _any(
    "fridge", "freezer", "refrigerator", "cabinet", "cupboard", "closet", "wardrobe", "drawer", "washer",
    "dryer", "dishwasher", "oven", "microwave", "shower", "mailbox", "letterbox", "post", "kühlschrank",
    "gefrierschrank", "schrank", "schublade", "briefkasten", "koelkast", "vriezer", "kast", "brievenbus",
    "frigo", "congélateur", "armoire", "nevera", "frigorífico", "armario", "kylskåp", "frys", "lodówka",
    "car", "auto", "trunk", "boot",
)  # fmt: skip

COLD_BOX: Final = _any(
    "fridge", "freezer", "refrigerator", "kühlschrank", "kuehlschrank", "gefrierschrank", "gefriertruhe",
    "gefrierfach", "koelkast", "vriezer", "diepvries", "frigo", "réfrigérateur", "congélateur", "nevera",
    "frigorífico", "congelador", "frigorifero", "congelatore", "kylskåp", "kyl", "frys", "lodówka",
    "zamrażarka",
)  # fmt: skip
FREEZER: Final = _any(
    "freezer", "gefrierschrank", "gefriertruhe", "gefrierfach", "vriezer", "diepvries", "congélateur",
    "congelador", "congelatore", "frys", "zamrażarka",
)  # fmt: skip

OUTDOORS: Final = _any(
    "outdoors?", "outside", "exterior", "aussen", "außen", "draussen", "draußen", "buiten", "extérieur",
    "exterieur", "esterno", "ute", "utomhus", "zewnątrz",
)  # fmt: skip
NO_ROOM: Final = _any(
    "external", "weather", "forecast", "feels", "apparent", "dew", "wind", "roof", "pool", "pond", "spa",
    "hot tub", "sauna", "garden", "balcony", "terrace", "patio", "greenhouse", "shed", "attic", "loft",
    "garage", "garten", "balkon", "terrasse", "gewächshaus", "schuppen", "dachboden", "tuin", "schuur",
    "zolder", "jardin", "cpu", "gpu", "soc", "chip", "processor", "core", "board", "disk", "drive", "nvme",
    "ssd", "device", "internal", "battery", "inverter", "charger", "motor", "coil", "rack", "server",
    "router", "modem", "nas", "boiler", "flow", "return", "supply", "inlet", "outlet", "tank", "water",
    "heater", "radiator", "heating", "heatpump", "heat pump",
    r"floor (?:temp\w*|heating|sensor)", "solar", "collector", "buffer", "exhaust",
    "pipe", "vorlauf", "rücklauf", "speicher", "kessel", "wasser", "heizung", "aanvoer", "retour",
    "ketel", "oven", "stove", "grill", "bbq", "probe", "meat", "kettle", "iron", "washer", "dryer",
    "dishwasher", "printer", "nozzle", "bed temp", "hotend", "extruder", "car", "aquarium", "terrarium",
    "vivarium", "incubator", "target", "setpoint",
)  # fmt: skip
"""Temperatures that are not a room's: outdoors, in a machine, in a pipe."""

CHILD_LOCK: Final = _any(
    "child", "childlock", "kinder", "kindersicherung", "kinderslot", "enfants?", "niños?", "bambini",
    "keypad", "keys?", "buttons?", "panel", "screen", "control", "remote", "parental", "tasten",
)  # fmt: skip
"""Locks of an appliance's buttons, which are open as a matter of course."""

CHARGED: Final = _any(
    "phone", "iphone", "ipad", "tablet", "pixel", "galaxy", "watch", "laptop", "macbook", "car", "ev",
    "vehicle", "vacuum", "mower", "robot", "powerwall", "ups", "inverter", "scooter", "bike",
    "toothbrush", "headphones?", "earbuds", "steam ?deck", "kindle", "dualsense", "gamepad",
)  # fmt: skip
"""Batteries that people charge as a matter of course."""


def plain(entity_id: str, *names: str) -> str:
    """Return what an entity is called as words to look through: its id after the dot, its names."""
    return " ".join((entity_id.partition(".")[2], *names)).replace("_", " ").casefold()
