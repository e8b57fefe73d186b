"""Where the time goes: seconds spent in named parts of the code, each without the parts inside it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from hub import schemas
from hub.flows import desk, intake, route
from hub.mapping import FieldMap
from hub.store import catalog, connections, inbox, ledger, orders, rows
from hub.store.database import Database


class Stopwatch:
    """Exclusive seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0

    def wrap(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **named: Any) -> Any:
            self._switch()
            self._open.append(part)
            try:
                return function(*args, **named)
            finally:
                self._switch()
                self._open.pop()

        return timed

    def _switch(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


@contextmanager
def parts_of_intake(db: Database) -> Iterator[Stopwatch]:
    """Time the parts of `intake`, by one drainer in this thread, while the block runs."""
    watch = Stopwatch()
    with ExitStack() as stack:
        for owner, name, part in (
            (intake, "read_json", "parse"),
            (FieldMap, "apply", "map"),
            (schemas, "parse", "validate, build"),
            (inbox, "due", "read"),
            (inbox, "claim", "read"),
            (connections, "every", "read"),
            (catalog, "variants_by_sku", "read"),
            (catalog, "listings_of", "read"),
            (catalog, "locations", "read"),
            (orders, "ids_by_external", "read"),
            (orders, "load", "read"),
            (ledger.StockBook, "_read", "read"),
            (route, "plan", "plan"),
            (desk.Desk, "flush", "write"),
            (rows.Rows, "flush", "write"),
            (inbox, "finish", "write"),
            (db.writer.dialect, "do_commit", "commit"),
            (intake, "intake", "enter, route, rest"),
        ):
            before = getattr(owner, name)
            plain = before.__func__ if hasattr(before, "__func__") and isinstance(owner, type) else before
            setattr(owner, name, watch.wrap(part, plain))
            stack.callback(setattr, owner, name, before)
        yield watch
