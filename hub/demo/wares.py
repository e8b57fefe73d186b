"""What is sold in the demo, and how much of it lies where when the day begins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Article:
    """An article. The price is in the currency of each channel; `known` says whether the hub knows the article."""

    sku: str
    title: str
    price: str
    weight_g: int
    hs_code: str
    known: bool = True


ARTICLES = (
    Article("MUG", "Enamel mug", "18.00", 320, "7323.94"),
    Article("TEE-S", "T-shirt, small", "25.00", 160, "6109.10"),
    Article("TEE-M", "T-shirt, medium", "25.00", 180, "6109.10"),
    Article("TEE-L", "T-shirt, large", "25.00", 200, "6109.10"),
    Article("CAP", "Cap", "22.00", 110, "6505.00"),
    Article("BAG", "Shoulder bag", "48.00", 600, "4202.22"),
    Article("LAMP", "Desk lamp", "79.00", 1800, "9405.21"),
    Article("POSTER", "Poster", "15.00", 150, "4911.91"),
    Article("PEN", "Pen", "3.50", 20, "9608.10"),
    Article("SOCKS", "Wool socks", "14.00", 90, "6115.94"),
    Article("VASE", "Glass vase", "36.00", 900, "7013.99"),
    Article("CLOCK", "Wall clock", "64.00", 1100, "9105.29"),
    Article("CANDLE", "Candle", "9.00", 250, "3406.00"),
    Article("SOAP-BAR", "Olive soap", "7.00", 120, "3401.11"),
    # Two that the shop sells under names the hub has not heard of.
    Article("SOAP", "Olive soap", "7.00", 120, "3401.11", known=False),
    Article("GIFT-BOX", "Gift box", "29.00", 700, "4819.10", known=False),
)
SOLD_BY_CHANNEL = {"CAP-FBA": "Cap, shipped by Amazon"}

AT_3PL = {"MUG": 120, "TEE-S": 60, "TEE-M": 60, "TEE-L": 60, "CAP": 60, "BAG": 40, "VASE": 2}
COUNTED = {
    # The 3PL has never heard of the candle, although somebody counted some there.
    "EAST": {"CANDLE": 5},
    "WEST": {"LAMP": 40, "POSTER": 60, "PEN": 150, "CLOCK": 2, "CANDLE": 5, "SOAP-BAR": 20},
    "NORTH": {"MUG": 40, "TEE-M": 40, "CAP": 30, "SOCKS": 60},
}

WEST = {
    "line1": "200 Harbor Way",
    "city": "Oakland",
    "region": "CA",
    "postal_code": "94607",
    "country": "US",
    "phone": "+15105550100",
}
NORTH = {"line1": "Kaistrasse 4", "city": "Hamburg", "postal_code": "20457", "country": "DE", "phone": "+49405550100"}
