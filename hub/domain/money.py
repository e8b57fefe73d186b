"""Money: whole minor units of an ISO 4217 currency, and the few sums that must come out to the last unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow

# Decimal places of every currency in use, ISO 4217 (list one, table A.1, as of 2026), plus recently replaced ones that
# old orders still carry. Currencies with two places stand in one text because they are nearly all of them.
_NO_PLACES = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO_PLACES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP
    CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR
    IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
    NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN
    SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL
"""
_THREE_PLACES = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_PLACES = "CLF UYW"

EXPONENTS: dict[str, int] = {
    code: places
    for places, codes in ((0, _NO_PLACES), (2, _TWO_PLACES), (3, _THREE_PLACES), (4, _FOUR_PLACES))
    for code in codes.split()
}
# Sums of this context are exact or fail: 40 digits are far more than any amount has.
_EXACT = Context(prec=40, traps=[Inexact, InvalidOperation, Overflow])
_MOST = 2**63 - 1  # what a database keeps in one column
_UNITS = {code: Decimal(10) ** places for code, places in EXPONENTS.items()}


def exponent(currency: str) -> int:
    """Decimal places of a currency. Raises ValueError for a code that ISO 4217 does not know."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code") from None


def to_minor(amount: str | int | Decimal, currency: str) -> int:
    """Whole minor units of a decimal amount, such as 1050 for "10.50" EUR.

    Raises ValueError when the amount is no number or is not a whole number of minor units: nothing is rounded here.
    """
    places = exponent(currency)
    if isinstance(amount, str):
        # Nearly every amount is plain digits with a point; reading them as digits takes a third of the time.
        whole, _, part = amount.partition(".")
        if (
            len(part) <= places
            and len(whole) <= 15
            and whole.isdigit()
            and (whole + part).isdigit()
            and amount.isascii()
        ):
            return int(whole + part + "0" * (places - len(part)))
    try:
        exact = _EXACT.multiply(_number(amount), _UNITS[currency])
        if abs(exact) > _MOST:
            raise ValueError(f"{amount} {currency} is too large an amount")
        minor = int(exact)
    except DecimalException:
        raise ValueError(f"{amount!r} is not a decimal amount") from None
    if minor != exact:
        raise ValueError(f"{amount} is not a whole number of minor units: {currency} has {places} decimal places")
    return minor


def _number(amount: object) -> Decimal:
    if not isinstance(amount, (str, int, Decimal)) or (isinstance(amount, str) and "_" in amount):
        raise ValueError(f"{amount!r} is not a decimal amount")
    number = Decimal(amount)
    if not number.is_finite():
        raise ValueError(f"{amount!r} is not a decimal amount")
    return number


def to_decimal(minor: int, currency: str) -> str:
    """The amount as decimal text with all places of its currency, such as "10.50" for 1050 EUR."""
    places = exponent(currency)
    return f"{_EXACT.scaleb(Decimal(minor), -places):.{places}f}"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency in minor units. Sums and comparisons of two currencies raise ValueError."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __mul__(self, units: int) -> Money:
        return Money(self.minor * units, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __str__(self) -> str:
        return f"{to_decimal(self.minor, self.currency)} {self.currency}"

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self} and {other} are of two currencies")
        return other.minor


def distribute(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Split a total in proportion to `weights`, so that the parts sum up to it exactly.

    Largest remainder: what is left after rounding down goes, one unit each, to the parts that lost most, the earlier
    one first when two lost the same. A negative total is split like the positive one. Raises ValueError for negative
    weights and when there is something to split but no weight to split it by.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight is negative")
    if total_minor < 0:
        return [-part for part in distribute(-total_minor, weights)]
    whole = sum(weights)
    if whole == 0:
        if total_minor:
            raise ValueError(f"{total_minor} minor units cannot be split: every weight is zero")
        return [0] * len(weights)
    parts = [total_minor * weight // whole for weight in weights]
    lost = [total_minor * weight % whole for weight in weights]
    left = total_minor - sum(parts)
    for place in sorted(range(len(weights)), key=lambda place: -lost[place])[:left]:
        parts[place] += 1
    return parts


def nth_unit_share(total_minor: int, units: int, n: int) -> int:
    """What the n-th of `units` units (counted from 1) is worth when the whole line is worth `total_minor`.

    Cumulative floor: the shares of units 1 to n sum up to floor(total * n / units), so all units together are worth
    the line exactly, in whatever portions they are refunded. Raises ValueError for an n outside 1 to `units`.
    """
    if not 1 <= n <= units:
        raise ValueError(f"unit {n} of {units} does not exist")
    if total_minor < 0:
        return -nth_unit_share(-total_minor, units, n)
    return total_minor * n // units - total_minor * (n - 1) // units
