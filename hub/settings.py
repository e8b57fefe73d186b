"""Settings of the hub, from the environment (ORDERHUB_…) or a file `.env` beside it."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every name is an environment variable with the prefix ORDERHUB_."""

    model_config = SettingsConfigDict(env_prefix="ORDERHUB_", env_file=".env", extra="ignore")

    database: str = Field("sqlite:///orderhub.sqlite3", description="Database URL; SQLite or PostgreSQL.")
    keys: str = Field("", description="Keys that seal secrets, id:base64 each, the current one first.")
    keys_file: Path = Field(
        Path("orderhub.keys"), description="Where the keys are read from, and made at first start, when KEYS is empty."
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8080, description="Port the web server listens on.")
    public_url: str = Field("", description="Address under which platforms reach this hub, for webhooks.")
    allow_networks: str = Field("", description="Private networks the hub may call, CIDR, comma-separated.")
    ca_bundle: str = Field("", description="File with further certificate authorities to trust.")
    workers: int = Field(2, ge=1, description="Threads (or jobs at once, per worker process) that take mail in.")
    callers: int = Field(
        4, ge=1, description="Threads (or jobs at once, per worker process) that call outside systems."
    )
    tick_s: float = Field(2.0, gt=0, description="Seconds between two looks for due work.")
    stalled_s: float = Field(
        10.0, gt=0, description="Seconds without a sign of life after which a worker counts as dead."
    )
    sending_s: float = Field(120.0, gt=0, description="Seconds after which a call that never ended counts as unknown.")
    unknown_quiet_s: float = Field(10.0, ge=0, description="Seconds to wait before an unknown outcome is looked up.")
    listed_after_s: float = Field(
        10.0, ge=0, description="Seconds after which a channel lists an order whose units it has taken off its stock."
    )
    quota_factor: float = Field(
        1.0, gt=0, description="Times the vendors' usual quotas; above 1 only where every one of them granted more."
    )
    routing_url: str = Field("", description="Address that decides where orders ship from, for the strategy `http`.")
    routing_token: str = Field("", description="Bearer token that is sent to it.", repr=False)
    routing_time_limit_s: float = Field(2.0, gt=0, description="Seconds it has to answer; then orders go by rank.")
    rehearsal_hours: int = Field(24, ge=1, description="Hours for which rules may be published with a rehearsal.")
    webhooks_per_s: int = Field(
        500,
        ge=1,
        description="Webhooks a second that each web process takes of one connection; ten seconds' worth may come at "
        "once, and more are told to come back.",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        description="Proxies before the web server whose word counts on who called, by which scheme and host "
        "(X-Forwarded-For, -Proto, -Host).",
    )
    max_body_bytes: int = Field(1024 * 1024, description="Longest webhook body.")
    session_hours: int = Field(8, description="Hours of rest after which a console session ends.")
    cookie_secure: bool = Field(default=True, description="Send the session cookie over HTTPS only.")
    metrics_need_key: bool = Field(default=False, description="Whether /metrics asks for an API key.")
    log_level: str = Field("info", description="Least important log lines that are written.")

    def address(self) -> str:
        """Where people reach the console, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{reachable(self.host)}:{self.port}"


def reachable(host: str) -> str:
    """Where this machine itself reaches a server that listens at `host`."""
    return "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not listened on


PAGE_HEAD = """# Settings

Written from `hub/settings.py` by `python -m hub.settings > docs/reference/settings.md`.

Each is an environment variable, or a line in a file `.env` in the folder the hub is started in.
An environment variable wins over the file.

| Variable | Default | Meaning |
|---|---|---|
"""


def page() -> str:
    """The reference page of all settings."""
    lines = [
        f"| `ORDERHUB_{name.upper()}` | {_shown(field.default)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    ]
    return PAGE_HEAD + "".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if str(value) else "empty"


if __name__ == "__main__":
    sys.stdout.write(page())
