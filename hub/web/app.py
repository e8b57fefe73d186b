"""The web application, put together. `create_app(settings, runtime)` is the WSGI target."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, abort, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from markupsafe import Markup
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

import hub
from hub.flows.runtime import Runtime
from hub.settings import Settings
from hub.store.views.pages import BadCursorError
from hub.store.views.problems import count_yours
from hub.web import access, api, assets, health, ingress, problems, signin, words
from hub.web.answers import SAID, missing, page
from hub.web.context import Console, console
from hub.web.limits import Limiter
from hub.web.pages import (
    availability,
    connections,
    counts,
    entry_checks,
    fulfillment,
    home,
    ledger,
    locations,
    lots,
    order_changes,
    order_holds,
    orders,
    purchasing,
    reorder,
    routing,
    stock,
    suppliers,
    transfers,
    trouble,
    waiting,
)
from hub.web.pages import settings as settings_page
from hub.web.problems import Problem

log = structlog.get_logger()

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PROBLEMS_KEPT_S = 10.0
BURST_S = 10  # so many seconds' worth of a connection's webhooks may come at once
MOST_FORM_FIELDS = 2000
SUPPLY_PAGES = (
    "purchasing",
    "transfers",
    "counts",
    "lots",
    "reorder",
    "suppliers",
    "waiting",
)  # blueprints under "Supply"
PARTS = (
    ingress, health, assets, signin, home, orders, order_holds, order_changes, fulfillment, connections, entry_checks,
    trouble, stock, ledger, availability, routing, transfers, counts, lots, purchasing, suppliers,
    reorder, waiting, locations, settings_page, api,
)  # fmt: skip


def create_app(settings: Settings, runtime: Runtime) -> Flask:
    """The whole web side on one runtime. Nothing is opened or started here."""
    app = Flask("hub.web", static_folder=None)
    webhooks = Limiter(settings.webhooks_per_s, BURST_S * settings.webhooks_per_s)
    app.extensions["orderhub"] = Console(settings, runtime, webhooks)
    if settings.trusted_proxies:
        near = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=near, x_proto=near, x_host=near)  # type: ignore[method-assign]
    _configure(app, settings, runtime)
    protect = CSRFProtect(app)
    for part in PARTS:
        app.register_blueprint(part.blueprint)
    protect.exempt(ingress.blueprint)  # a platform signs its deliveries and has no form token
    protect.exempt(api.blueprint)  # a program shows its key with every call, and no cookie counts there
    words.install(app)
    app.jinja_env.globals["asset"] = assets.address
    app.jinja_env.globals["has_page"] = app.view_functions.__contains__
    app.jinja_env.globals["supply_pages"] = SUPPLY_PAGES
    app.before_request(_readable)
    app.before_request(_from_elsewhere)
    app.before_request(access.guard)
    app.after_request(_headers)
    app.context_processor(_for_pages)
    app.register_error_handler(Problem, problems.answer)
    app.register_error_handler(BadCursorError, lambda _: missing())
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(SQLAlchemyError, _database_said)
    app.register_error_handler(Exception, _defect)
    return app


def _configure(app: Flask, settings: Settings, runtime: Runtime) -> None:
    secure = settings.cookie_secure
    secrets = [hmac.digest(key, b"orderhub console forms", hashlib.sha256) for key in runtime.keyring.keys.values()]
    app.config.update(
        SECRET_KEY=secrets[0],
        SECRET_KEY_FALLBACKS=secrets[1:],
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_body_bytes,
        MAX_FORM_PARTS=MOST_FORM_FIELDS,
        SESSION_COOKIE_NAME="__Host-orderhub-form" if secure else "orderhub-form",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # a form lives as long as the session
        WTF_CSRF_SSL_STRICT=False,  # some browsers send no Referer; `_from_elsewhere` looks at what they do send
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _for_pages() -> dict[str, Any]:
    """What every page shows."""
    return {
        "caller": g.get("caller"),
        "csrf": _csrf_field,
        "version": hub.__version__,
        "open_problems": _open_problems(),
    }


def _open_problems() -> int:
    """How many problems wait for a person; asked at most every ten seconds."""
    runtime = console().runtime
    if g.get("caller") is None:
        return 0

    def count() -> int:
        with runtime.db.read() as tx:
            return count_yours(tx, runtime.clock())

    return int(console().remembered("problems", PROBLEMS_KEPT_S, time.monotonic, count))


def _csrf_field() -> Markup:
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def _headers(response: Response) -> Response:
    put = response.headers.setdefault
    put("Content-Security-Policy", CSP)
    put("X-Content-Type-Options", "nosniff")
    put("Referrer-Policy", "same-origin")
    put("Cross-Origin-Opener-Policy", "same-origin")
    put("Cross-Origin-Resource-Policy", "same-origin")
    put("Cache-Control", "no-store")
    if console().settings.public_url.startswith("https:"):
        put("Strict-Transport-Security", "max-age=31536000")
    if request.method not in ("GET", "HEAD"):
        console().cached.pop("problems", None)  # what was just done may have solved one
    return response


def _is_machine() -> bool:
    return request.path.startswith(("/api/", "/in/", "/healthz", "/metrics"))


def _from_elsewhere() -> Any:
    """Refuse a form that a page of another site has sent, whatever token it carries.

    Browsers say so themselves in Sec-Fetch-Site; where they do not, Origin is held against our own addresses.
    https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site, read 2026-11-30.
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or _is_machine():
        return None
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = {request.host, urlsplit(console().settings.public_url).netloc}
    if site in ("same-origin", "none") or (site is None and (origin is None or urlsplit(origin).netloc in ours)):
        return None
    log.warning("web.form_from_elsewhere", site=site, origin=origin, path=request.path)
    return page(403, "This form came from another site", "Open the page in the console and send the form from there.")


def _stale_form(error: CSRFError) -> Any:
    log.info("web.form_refused", reason=error.description, path=request.path)
    return page(400, "This form is out of date", "Go back, load the page again and send the form once more.")


def _refused(error: HTTPException) -> Any:
    code = error.code or 500
    if code < 400:
        return error  # a redirect
    if _is_machine():
        answer: Any = problems.answer(Problem(code, error.description or ""))
    else:
        answer = page(code, *SAID.get(code, (error.name, error.description or "")))
    if code == 405 and error.get_response().headers.get("Allow"):
        answer.headers["Allow"] = error.get_response().headers["Allow"]
    return answer


def _database_said(error: SQLAlchemyError) -> Any:
    """What a database refuses is the request's fault; that it does not answer is nobody's."""
    match error:
        case DataError():
            code, title, words = 422, "Cannot be stored", "Something in it is of a kind that no database stores."
        case IntegrityError():
            code, title, words = 409, "Does not fit", "It does not fit what is stored already. Load the page again."
        case OperationalError() | InterfaceError() | PoolTimeout():
            code, title = 503, "Out of reach"
            words = "The database does not answer. Nothing was changed; try again in a moment."
        case _:
            return _defect(error)
    log.error("web.database_said", error=str(error), path=request.path)
    answer = problems.answer(Problem(code, words)) if _is_machine() else page(code, title, words)
    if code == 503:
        answer.headers["Retry-After"] = "10"
    return answer


def _readable() -> None:
    """No address or form may hold a NUL: databases cannot store one, and none comes from a person."""
    if "\0" in request.path or any("\0" in value for _, value in request.args.items(multi=True)):
        abort(400)
    if (
        request.method == "POST"
        and not _is_machine()
        and any("\0" in value for _, value in request.form.items(multi=True))
    ):
        abort(400)


def _defect(error: Exception) -> Any:
    log.error("web.defect", path=request.path, exc_info=error)
    words = "Something went wrong inside the hub. It is in the log; nothing of it is shown here."
    return problems.answer(Problem(500, words)) if _is_machine() else page(500, "A defect", words)
