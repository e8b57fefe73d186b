from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.carriers.easypost.plugin import EasyPost
from connectors.carriers.easypost.sandbox import EasyPostSandbox
from hub.domain.documents import Address, Dimensions
from hub.domain.shipping import LabelRequest, RequestLine
from hub.testing import connect

SECRET = "a long secret with an accent: é"

BERLIN = Address(
    name="Demo Lager", line1="Torstr. 1", city="Berlin", postal_code="10119", country="DE", phone="+493000000"
)
NEW_YORK = Address(
    company="Demo Shop", line1="1 Main St", city="New York", region="NY", postal_code="10001", country="US"
)
BOSTON = Address(name="Ada Example", line1="2 Elm St", line2="Apt 3", city="Boston", region="MA", postal_code="02108",
                 country="US", email="ada@example.com")  # fmt: skip
MUG = RequestLine(reference="fl-1", sku="MUG", quantity=2, title="Blue mug", weight_g=300, price_minor=1250,
                  hs_code="6912.00", origin_country="PT")  # fmt: skip


@pytest.fixture
def sandbox() -> Iterator[EasyPostSandbox]:
    vendor = EasyPostSandbox()
    with vendor.serve():
        yield vendor


@pytest.fixture
def opened(sandbox: EasyPostSandbox) -> Callable[..., EasyPost]:
    def opened(**settings: Any) -> EasyPost:
        base = {"api_key": sandbox.api_key, "webhook_secret": SECRET, "base_url": sandbox.url}
        return connect(EasyPost, base | settings)

    return opened


@pytest.fixture
def easypost(opened: Callable[..., EasyPost]) -> EasyPost:
    return opened()


@pytest.fixture
def parcel() -> Callable[..., LabelRequest]:
    def parcel(**changes: Any) -> LabelRequest:
        fields: dict[str, Any] = {
            "reference": "FO-1001-1",
            "ship_from": NEW_YORK,
            "ship_to": BOSTON,
            "weight_g": 650,
            "currency": "USD",
            "lines": (MUG,),
            "dimensions": Dimensions(length_mm=254, width_mm=200, height_mm=100),
        }
        return LabelRequest(**fields | changes)

    return parcel
