"""Names for entities whose own names are not known."""


def readable_name(entity_id: str) -> str:
    """Return `light.kitchen_lamp_2` as `Kitchen lamp 2`."""
    words = entity_id.partition(".")[2].replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else entity_id
