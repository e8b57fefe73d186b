"""Label files of the sandbox: 4 by 6 inch, as PDF, PNG and ZPL, drawn from the shipment."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import inch
from reportlab.pdfgen.canvas import Canvas

Json = Mapping[str, Any]


def draw(shipment: Json, label_format: str) -> bytes:
    """The label of a bought shipment in the format PDF, PNG or ZPL; the same shipment gives the same bytes."""
    return {"PDF": _pdf, "PNG": _png, "ZPL": _zpl}[label_format](shipment)


def _lines(address: Json) -> list[str]:
    town = " ".join(str(address.get(key) or "") for key in ("city", "state", "zip")).strip()
    lines = [address.get("name"), address.get("company"), address.get("street1"), address.get("street2"), town]
    return [str(line) for line in [*lines, address.get("country")] if line]


def _title(shipment: Json) -> str:
    return f"{shipment['selected_rate']['carrier']} {shipment['selected_rate']['service']}"


def _pdf(shipment: Json) -> bytes:
    page = BytesIO()
    canvas = Canvas(page, pagesize=(4 * inch, 6 * inch), invariant=True)
    canvas.setTitle(f"Label {shipment['tracking_code']}")
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(0.25 * inch, 5.6 * inch, _title(shipment))
    _write(canvas, "FROM", _lines(shipment["from_address"]), 5.3, 8)
    _write(canvas, "TO", _lines(shipment["to_address"]), 4.1, 12)
    canvas.line(0.2 * inch, 2.3 * inch, 3.8 * inch, 2.3 * inch)
    bars = Code128(shipment["tracking_code"], barHeight=0.9 * inch, barWidth=0.0165 * inch)
    bars.drawOn(canvas, (4 * inch - bars.width) / 2, 1.1 * inch)
    canvas.setFont("Helvetica-Bold", 12)
    canvas.drawCentredString(2 * inch, 0.8 * inch, shipment["tracking_code"])
    canvas.setFont("Helvetica", 8)
    canvas.drawCentredString(2 * inch, 0.4 * inch, f"{shipment['parcel']['weight']} oz   SANDBOX, NOT POSTAGE")
    canvas.showPage()
    canvas.save()
    return page.getvalue()


def _write(canvas: Canvas, heading: str, lines: list[str], top: float, size: int) -> None:
    canvas.setFont("Helvetica-Bold", size)
    canvas.drawString(0.25 * inch, top * inch, heading)
    canvas.setFont("Helvetica", size)
    for row, line in enumerate(lines):
        canvas.drawString(0.9 * inch, top * inch - row * size * 1.25, line)


def _png(shipment: Json) -> bytes:
    """Drawn at 200 dots an inch; bars and gaps are the Code 128 of the tracking code."""
    image = Image.new("1", (800, 1200), 1)
    pen, large = ImageDraw.Draw(image), ImageFont.load_default(36)
    pen.text((40, 40), _title(shipment), font=large, fill=0)
    pen.multiline_text((40, 130), "\n".join(_lines(shipment["from_address"])), font=ImageFont.load_default(20), fill=0)
    pen.multiline_text((120, 400), "\n".join(_lines(shipment["to_address"])), font=large, fill=0)
    _bars(pen, shipment["tracking_code"])
    pen.text((150, 1100), shipment["tracking_code"], font=large, fill=0)
    page = BytesIO()
    image.save(page, "PNG")
    return page.getvalue()


def _bars(pen: ImageDraw.ImageDraw, code: str) -> None:
    barcode = Code128(code, quiet=False)
    barcode.validate()
    barcode.encode()
    barcode.decompose()
    left = 80
    for module in barcode.decomposed:
        width = (ord(module.lower()) - ord("a") + 1) * 4
        if module.islower():
            left += width
        else:
            pen.rectangle((left, 850, left + width - 1, 1080), fill=0)
            left += width


def _zpl(shipment: Json) -> bytes:
    rows = [f"^FO40,{180 + 30 * row}^A0N,24^FD{line}^FS" for row, line in enumerate(_lines(shipment["from_address"]))]
    rows += [f"^FO120,{480 + 44 * row}^A0N,40^FD{line}^FS" for row, line in enumerate(_lines(shipment["to_address"]))]
    bars = f"^FO60,850^BY2^BCN,220,Y,N,N^FD{shipment['tracking_code']}^FS"
    return "\n".join(["^XA", "^CI28", f"^FO40,60^A0N,48^FD{_title(shipment)}^FS", *rows, bars, "^XZ", ""]).encode()
