"""Where a hub's two APIs are."""

from yarl import URL

from app.errors import InputError

_WRONG = "hub_url: not an address; give one such as http://homeassistant.local:8123"


def addresses(url: str) -> tuple[URL, URL]:
    """Return the REST root and the WebSocket's address of a hub, or of a Supervisor's `…/core/api`.

    Raises InputError when that is no http address.
    """
    try:
        base = URL(url.rstrip("/"))
    except ValueError:
        raise InputError(_WRONG) from None
    if base.scheme not in {"http", "https"} or not base.host:
        raise InputError(_WRONG)
    if base.path.endswith("/core/api"):
        rest, websocket = base, base.parent / "websocket"
    else:
        rest, websocket = base / "api", base / "api" / "websocket"
    return rest, websocket.with_scheme("wss" if base.scheme == "https" else "ws")
