"""The door for webhooks: `POST /in/<connection>/<token>`.

The bytes are read before anything else looks at the body, since the signature is over them. Answers are those of
`hub.flows.receive`; what is decided here needs no database: too much, too often, or packed.
"""

from __future__ import annotations

import math

from flask import Blueprint, Response, abort, request

from hub.flows.receive import receive
from hub.sdk import WebhookRequest
from hub.web.context import console

blueprint = Blueprint("ingress", __name__)

# What no platform sends as a webhook. A missing type is fine when the signature is right.
REFUSED_TYPES = ("multipart/", "image/", "audio/", "video/", "text/html")


@blueprint.route("/in/<connection_id>/<token>", methods=["GET", "POST"])
def take(connection_id: str, token: str) -> Response:
    wait = console().webhooks.take(f"{connection_id}/{token}")
    if wait:
        return _say(429, "too many deliveries at once", {"Retry-After": str(math.ceil(wait))})
    raw = request.get_data(cache=True)
    if request.content_length is None and len(raw) >= (request.max_content_length or math.inf):
        abort(413)  # Werkzeug cuts a chunked body off at the limit without a word
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        return _say(415, "a packed body cannot be verified: send it unpacked")
    if request.mimetype.startswith(REFUSED_TYPES):
        return _say(415, f"{request.mimetype} is no webhook")
    headers = {name.lower(): value for name, value in request.headers.items()}
    delivery = WebhookRequest(request.method, raw, headers, request.args.to_dict(), request.url)
    receipt = receive(console().runtime, connection_id, token, delivery)
    response = Response(receipt.body, receipt.status, content_type=receipt.content_type)
    if receipt.retry_after_s is not None:
        response.headers["Retry-After"] = str(receipt.retry_after_s)
    if receipt.status == 405:
        response.headers["Allow"] = "POST"
    return response


def _say(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    response = console().json({"status": status, "message": words}, status)
    response.headers.update(headers or {})
    return response
