"""Numbered units: where each one is of an article that is kept by serial number, and with what it left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from hub.domain.lots import LotError, check_serial, check_serials
from hub.store.database import Tx, new_id
from hub.store.rows import Rows, chunks, write_changed
from hub.store.tables import serial_number


@dataclass(slots=True)
class SerialState:
    """One numbered unit. Without a location it has left, or is on its way between two of ours."""

    id: str
    variant_id: str
    code: str
    location_id: str | None
    status: str
    fo_line_id: str | None
    transfer_line_id: str | None
    is_new: bool = False
    changed: bool = False


class SerialBook:
    """The numbered units a transaction works on; `skus` name their variants. `flush` writes them."""

    def __init__(self, tx: Tx, now: datetime, skus: Mapping[str, str]) -> None:
        self.tx = tx
        self.now = now
        self._skus = skus
        self._serials: dict[tuple[str, str], SerialState] = {}  # by (variant, code)

    def put(self, location_id: str, variant_id: str, codes: Sequence[str]) -> None:
        """Numbered units are at a location now. Raises LotError for one that is in stock already."""
        for one in self.of(variant_id, codes, make=True):
            if one.status == "in_stock" and one.location_id is not None and not one.is_new:
                raise LotError(f"serial number {one.code} is in stock already; look at the label again")
            if one.status != "in_stock":
                check_serial(one.code, one.status, "in_stock")
            self._set(one, "in_stock", location_id)

    def take(
        self,
        location_id: str,
        variant_id: str,
        codes: Sequence[str],
        status: str,
        *,
        fo_line_id: str | None = None,
        transfer_line_id: str | None = None,
    ) -> None:
        """Numbered units leave a location. Raises LotError for one that is not there."""
        here = self.of(variant_id, codes)
        missing = sorted(set(codes) - {one.code for one in here if one.location_id == location_id})
        if missing:
            raise LotError(f"{self._skus[variant_id]}: not in stock there by our books: {', '.join(missing)}")
        for one in here:
            if status != "in_stock":
                check_serial(one.code, one.status, status)
            self._set(one, status, None, fo_line_id=fo_line_id, transfer_line_id=transfer_line_id)

    def write_off(self, variant_id: str, codes: Sequence[str]) -> None:
        """Numbered units are gone for good. Raises LotError."""
        for one in self.of(variant_id, codes):
            check_serial(one.code, one.status, "scrapped")
            self._set(one, "scrapped", None)

    def found(self, location_id: str, variant_id: str, codes: Sequence[str]) -> None:
        """Numbered units were found at a location, whatever the books said of them."""
        for one in self.of(variant_id, codes, make=True):
            self._set(one, "in_stock", location_id)

    def travelling(self, transfer_line_id: str) -> list[str]:
        """Serial numbers that are on their way with a transfer."""
        query = select(serial_number.c.code).where(
            serial_number.c.transfer_line_id == transfer_line_id, serial_number.c.location_id.is_(None)
        )
        return sorted(self.tx.execute(query).scalars())

    def left_with(self, fo_line_id: str) -> list[str]:
        """Serial numbers that left with a fulfillment line."""
        query = select(serial_number.c.code).where(serial_number.c.fo_line_id == fo_line_id)
        return sorted(self.tx.execute(query).scalars())

    def in_stock(self, location_id: str, variant_id: str) -> list[str]:
        """Serial numbers that our books have at a location."""
        query = select(serial_number.c.code).where(
            serial_number.c.variant_id == variant_id, serial_number.c.location_id == location_id
        )
        return sorted(self.tx.execute(query).scalars())

    def of(self, variant_id: str, codes: Collection[str], *, make: bool = False) -> list[SerialState]:
        """These numbers as they stand; with `make` unknown ones are made. Raises LotError for unknown ones else."""
        wanted = [code for code in codes if (variant_id, code) not in self._serials]
        names = [name for name in SerialState.__slots__ if name in serial_number.c]
        for part in chunks(wanted):
            query = select(*(serial_number.c[name] for name in names)).where(
                serial_number.c.variant_id == variant_id, serial_number.c.code.in_(part)
            )
            for row in self.tx.execute(query):
                self._serials[variant_id, row.code] = SerialState(*row)
        unknown = sorted(code for code in set(wanted) if (variant_id, code) not in self._serials)
        if unknown and not make:
            raise LotError(f"{self._skus[variant_id]} has no serial number {', '.join(unknown)}")
        for code in unknown:
            made = SerialState(new_id(), variant_id, code, None, "in_stock", None, None, is_new=True)
            self._serials[variant_id, code] = made
        return [self._serials[variant_id, code] for code in codes]

    def _set(
        self,
        one: SerialState,
        status: str,
        location_id: str | None,
        *,
        fo_line_id: str | None = None,
        transfer_line_id: str | None = None,
    ) -> None:
        one.status, one.location_id, one.changed = status, location_id, True
        one.fo_line_id, one.transfer_line_id = fo_line_id, transfer_line_id

    def need(self, variant_id: str, units: int, codes: Collection[str]) -> None:
        """Raises LotError when there is not one number for each unit."""
        check_serials(self._skus[variant_id], units, codes)

    def flush(self) -> None:
        """Write what has changed."""
        rows = Rows()
        for one in self._serials.values():
            if one.is_new and one.changed:
                rows.add(
                    serial_number, id=one.id, variant_id=one.variant_id, code=one.code, location_id=one.location_id,
                    status=one.status, fo_line_id=one.fo_line_id, transfer_line_id=one.transfer_line_id,
                    created_at=self.now, updated_at=self.now,
                )  # fmt: skip
        rows.flush(self.tx)
        changed = [one for one in self._serials.values() if one.changed and not one.is_new]
        names = ("location_id", "status", "fo_line_id", "transfer_line_id")
        write_changed(self.tx, serial_number, changed, names, updated_at=self.now)
        for one in self._serials.values():
            one.is_new = one.changed = False
