"""Machine: the one place in which a fulfillment order changes its state."""

from __future__ import annotations

from hub.domain.fulfillment import EXEC, REQUEST, way
from hub.store.orders import FoState


def work(fo: FoState, status: str) -> None:
    """Move the work at the place. Raises MoveRefusedError when no moves lead there."""
    for step in way(EXEC, fo.exec_status, status):
        fo.exec_status, fo.changed = step, True


def answer(fo: FoState, status: str) -> None:
    """Move what was asked of the place. Raises MoveRefusedError when no moves lead there."""
    for step in way(REQUEST, fo.request_status, status):
        fo.request_status, fo.changed = step, True
