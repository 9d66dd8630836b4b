"""The page's own files (styles, script, icon), read once and served from memory.

Their address carries a digest of their content, so browsers may keep them for ever; without the digest they
are asked for anew. There is no path to walk: a name is in the table or it is not.
"""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

_FOLDER: Final = Path(__file__).parent / "static"
_KEEP: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    content_type: str
    digest: str


def _read() -> dict[str, Asset]:
    found = {}
    for path in sorted(_FOLDER.rglob("*")):
        if path.is_file():
            body = path.read_bytes()
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            digest = hashlib.sha256(body).hexdigest()[:12]
            found[path.relative_to(_FOLDER).as_posix()] = Asset(body, kind, digest)
    return found


ASSETS: Final = _read()


def asset_url(name: str) -> str:
    """Return an asset's address relative to the page's root. Raises KeyError for a name that is not there."""
    return f"static/{name}?v={ASSETS[name].digest}"


async def serve_asset(request: web.Request) -> web.Response:
    """GET /static/{name}."""
    asset = ASSETS.get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    cache = _KEEP if request.query.get("v") == asset.digest else "no-cache"
    headers = {"Cache-Control": cache, "ETag": f'"{asset.digest}"'}
    if any(tag.value in {asset.digest, "*"} for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    charset = "utf-8" if asset.content_type.startswith(("text/", "application/javascript")) else None
    return web.Response(body=asset.body, content_type=asset.content_type, charset=charset, headers=headers)
