"""Exact arithmetic at EasyPost's edge: ounces, inches and decimal amounts. Nothing here is computed in float."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from hub.domain import money
from hub.sdk import errors

GRAMS_PER_OUNCE = Decimal("28.349523125")  # exact: the pound is 453.59237 g since 1959
MM_PER_INCH = Decimal("25.4")  # exact, same agreement
TENTH = Decimal("0.1")


def ounces(grams: int) -> Decimal:
    """Grams as ounces, rounded up to the tenth that EasyPost accepts: a parcel is never declared too light."""
    return (Decimal(grams) / GRAMS_PER_OUNCE).quantize(TENTH, ROUND_CEILING)


def inches(millimetres: int) -> Decimal:
    """Millimetres as inches, rounded up to the tenth that EasyPost accepts."""
    return (Decimal(millimetres) / MM_PER_INCH).quantize(TENTH, ROUND_CEILING)


def minor(amount: str, currency: str, path: str) -> int:
    """A decimal amount as minor units. Raises SchemaDrift when it is no number or finer than the currency."""
    try:
        return money.to_minor(amount, currency)
    except ValueError as error:
        raise errors.SchemaDrift(str(error), path) from error


def number(value: Decimal) -> float | int:
    """A decimal as a JSON number.

    The shortest text of the nearest float is the decimal itself for up to 15 digits, so nothing is lost on the wire.
    """
    return int(value) if value == value.to_integral_value() else float(value)
