"""Stylesheets and scripts: from this package only, packed once, named by their content so that they may be kept."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

from flask import Blueprint, Response, abort, request, url_for

blueprint = Blueprint("assets", __name__)

KINDS = {".css", ".js", ".svg", ".txt"}
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    packed: bytes
    kind: str
    mark: str  # changes with the content


@cache
def load(name: str) -> Asset | None:
    """A file below static/, or None. Files do not change while the program runs."""
    path = PurePosixPath(name)
    if path.suffix not in KINDS or path.is_absolute() or ".." in path.parts:
        return None
    found = files("hub.web").joinpath("static", *path.parts)
    if not found.is_file():
        return None
    content = found.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "text/plain"
    return Asset(content, gzip.compress(content, 9, mtime=0), kind, hashlib.sha256(content).hexdigest()[:16])


@blueprint.get("/static/<path:name>")
def file(name: str) -> Response:
    asset = load(name)
    if asset is None:
        abort(404)
    packs = request.accept_encodings.quality("gzip") > 0
    response = Response(asset.packed if packs else asset.content, content_type=asset.kind)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Vary"] = "Accept-Encoding"
    if packs:
        response.headers["Content-Encoding"] = "gzip"
    return response


def address(name: str) -> str:
    """The address of a file; it changes with the content, so that browsers need not ask again. Raises KeyError."""
    asset = load(name)
    if asset is None:
        raise KeyError(name)
    return url_for("assets.file", name=name, v=asset.mark)
