"""Where people land after signing in."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def start() -> Response:
    return redirect(url_for("orders.listing"))
