"""The transforms that a field map may name: pure, strict, one job each.

Each raises ValueError with a plain message for what it cannot turn; the engine adds file, field and selector. Numbers
of JSON arrive as int, text or float; a float is taken by its shortest decimal text, so money never meets binary
fractions.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, Inexact
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hub.domain import money
from hub.mapping.countries import country

_GRAMS = {
    "mg": Decimal("0.001"),
    "g": Decimal(1),
    "kg": Decimal(1000),
    "oz": Decimal("28.349523125"),
    "lb": Decimal("453.59237"),
}
_UNIT_NAMES = {
    "milligram": "mg", "gram": "g", "gr": "g", "gm": "g", "kilogram": "kg", "kilo": "kg", "ounce": "oz",
    "pound": "lb",
}  # fmt: skip
# Sums of this context are exact or fail. What is longer than 40 digits is no figure of trade, and "1e999999" would be a
# megabyte of zeros.
_EXACT = Context(prec=80, traps=[Inexact])
_DIGITS = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YES = {"true", "yes", "y", "1", "on"}
_NO = {"false", "no", "n", "0", "off"}


def exact(value: Any) -> Decimal:
    """The number that a JSON value states. Raises ValueError for anything that states none."""
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")  # noqa: TRY004 - wrong data, not a wrong call
    if isinstance(value, float):
        value = repr(value)
    try:
        number = Decimal(value)
    except (DecimalException, TypeError, ValueError):
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite() or (isinstance(value, str) and "_" in value):
        raise ValueError(f"{value!r} is not a number")
    if abs(number.adjusted()) >= _DIGITS:
        raise ValueError(f"{str(value)[:50]!r} has too many digits")
    return number


def text(value: Any) -> str:
    """A scalar as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (float, Decimal)):
        return f"{exact(value):f}"
    raise ValueError(f"a {_kind(value)} is not text")


def integer(value: Any) -> int:
    """A whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = exact(value)
    if number != int(number):
        raise ValueError(f"{value!r} is not a whole number")
    return int(number)


def boolean(value: Any) -> bool:
    """A truth value, also from the words and digits that stand for one."""
    if isinstance(value, bool):
        return value
    word = text(value).strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def trim(value: Any) -> str:
    return text(value).strip()


def upper(value: Any) -> str:
    return text(value).upper()


def lower(value: Any) -> str:
    return text(value).lower()


def decimal(value: Any) -> str:
    """An exact decimal as text, with the places that were stated."""
    return f"{exact(value):f}"


def minor(value: Any, currency: Any) -> int:
    """Minor units of an amount that is stated as a decimal."""
    if not isinstance(currency, str):
        raise ValueError(f"no currency for the amount {value!r}")  # noqa: TRY004 - wrong data, not a wrong call
    if not isinstance(value, str):
        value = exact(value)
    return money.to_minor(value, currency)


def date_time(value: Any, zone: Any = None) -> str:
    """A moment as RFC 3339 in UTC. `zone` is what a time without offset is in, or epoch_s or epoch_ms."""
    return _moment(value, zone).isoformat().replace("+00:00", "Z")


def revision(value: Any, zone: Any = None) -> str:
    """A moment in UTC with microseconds, always of the same width, so that it can be compared as text."""
    return _moment(value, zone).isoformat(timespec="microseconds").replace("+00:00", "Z")


def day(value: Any, zone: Any = None) -> str:
    """A date. Of a date with time the date as stated, or with `zone` the date it is there."""
    stated = text(value).strip()
    if zone is not None and len(stated) > 10:
        return _moment(stated, zone).astimezone(_zone(zone)).date().isoformat()
    try:
        return date.fromisoformat(stated[:10]).isoformat()
    except ValueError:
        raise ValueError(f"{value!r} is not a date") from None


def first(value: Any) -> Any:
    """The first item of a list that is not empty, or None."""
    return next((item for item in _items(value) if item or item == 0), None)


def join(value: Any, separator: Any = ", ") -> str:
    """The items of a list as one text, empty ones left out."""
    return text(separator).join(part for item in _items(value) if item is not None and (part := text(item).strip()))


def unit_g(value: Any, unit: Any) -> int:
    """Whole grams of a weight, half a gram rounded up."""
    name = text(unit).strip().lower().rstrip(".") if unit is not None else ""
    short = name if name in _GRAMS else _UNIT_NAMES.get(name.removesuffix("s"), name.removesuffix("s"))
    if short not in _GRAMS:
        raise ValueError(f"{unit!r} is not a unit of weight that is known ({', '.join(_GRAMS)})")
    return int(_EXACT.multiply(exact(value), _GRAMS[short]).to_integral_value(ROUND_HALF_UP))


def negate(value: Any) -> Any:
    """The same number with the other sign; whole numbers stay whole numbers, the rest becomes decimal text."""
    return _as_stated(value, exact(value).copy_negate())


def absolute(value: Any) -> Any:
    """The number without its sign; whole numbers stay whole numbers, the rest becomes decimal text."""
    return _as_stated(value, exact(value).copy_abs())


def sum_decimal(value: Any) -> str:
    """The sum of a list of decimals, empty items left out, as exact decimal text."""
    whole = Decimal(0)
    for item in _items(value):
        if item is not None and item != "":
            whole = _EXACT.add(whole, exact(item))
    return f"{whole:f}"


def not_empty(value: Any) -> bool:
    """Whether there is something: false for null, blank text, an empty list and an empty object."""
    return bool(value.strip()) if isinstance(value, str) else bool(value or value == 0)


def _as_stated(value: Any, number: Decimal) -> Any:
    return int(number) if isinstance(value, int) else f"{number:f}"


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"a {_kind(value)} is not a list")  # noqa: TRY004 - wrong data, not a wrong call
    return value


def _moment(value: Any, zone: Any) -> datetime:
    if zone in ("epoch_s", "epoch_ms"):
        return _EPOCH + timedelta(microseconds=int(exact(value) * (10**6 if zone == "epoch_s" else 10**3)))
    if not isinstance(value, str) or len(value) <= 10:
        raise ValueError(f"{value!r} is not a date with time")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a date with time") from None
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"{value!r} does not say in which time zone it is")
        moment = moment.replace(tzinfo=_zone(zone))
    return moment.astimezone(UTC)


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError(f"{name!r} is not an IANA time zone") from None


def _kind(value: Any) -> str:
    return {dict: "object", list: "list", str: "text", bool: "truth value", type(None): "null"}.get(
        type(value), "number"
    )


PLAIN: dict[str, Callable[[Any], Any]] = {
    "str": text,
    "int": integer,
    "bool": boolean,
    "trim": trim,
    "upper": upper,
    "lower": lower,
    "decimal": decimal,
    "country": country,
    "first": first,
    "negate": negate,
    "abs": absolute,
    "sum_decimal": sum_decimal,
    "not_empty": not_empty,
}
"""Transforms without an argument."""

OPTIONAL: dict[str, Callable[..., Any]] = {"datetime": date_time, "date": day, "revision": revision, "join": join}
"""Transforms that may have an argument."""

REQUIRED: dict[str, Callable[[Any, Any], Any]] = {"minor": minor, "unit_g": unit_g}
"""Transforms that need an argument. `lookup` and `concat` need one too; the engine reads it when it loads the map."""
