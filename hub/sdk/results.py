"""Small answers of connectors."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hub.domain.documents import Address


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether a connection works.

    `unique_id` is the account at the vendor (shop id, seller id): the same account cannot be connected twice.
    `error` carries the vendor's words, `error_code` is the code of an error class, `field` the setting at fault.
    `warning` is what a connection that works cannot do.
    """

    ok: bool
    unique_id: str = ""
    label: str = ""
    error: str = ""
    error_code: str = ""
    field: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A place that the channel keeps stock at."""

    external_id: str
    name: str
    active: bool = True
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook subscription at the vendor.

    `secret` is the signing secret where the vendor tells it, which some do only once, in the answer that made the
    subscription: the hub keeps it. "" says nothing.
    """

    external_id: str
    topic: str
    url: str
    secret: str = field(default="", repr=False)


def webhook_secret_name(topic: str) -> str:
    """Under which name of `ctx.secrets` the hub keeps the signing secret that was told for a topic."""
    return f"webhook_secret_{re.sub(r'[^a-z0-9]+', '_', topic.lower()).strip('_')}"
