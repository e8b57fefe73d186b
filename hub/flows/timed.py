"""What is done by the clock: work that falls due by time alone, every minute, every quarter of an hour, every night.

Each function takes the runtime, looks for what is due, does it in transactions of its own and returns how much it did.
Each is safe to call at any time, twice, and by two processes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog

from hub.flows import deadlines, stock_care
from hub.flows.give_up import cancel_overdue
from hub.flows.holds import expire_holds, let_twins_go
from hub.flows.lots import hold_expired
from hub.flows.low_stock import look_at_stock
from hub.flows.operate.changes import expire_changes
from hub.flows.promise import repromise_all
from hub.flows.reevaluate import reevaluate
from hub.flows.refill import look_again
from hub.flows.reopen import reopen
from hub.flows.runtime import Runtime
from hub.flows.watch import forget_rejections, forget_secrets
from hub.store.errors import OperationalError

log = structlog.get_logger()

Timed = Callable[[Runtime], int]

EVERY_MINUTE: Sequence[Timed] = (
    reopen,
    stock_care.expire_reservations,
    cancel_overdue,
    repromise_all,
    look_at_stock,
    expire_holds,
    let_twins_go,
    expire_changes,
    deadlines.route_rested,
    deadlines.open_due,
    deadlines.time_out_unanswered,
    deadlines.flag_uncollected,
    reevaluate,
    forget_rejections,
)
EVERY_QUARTER: Sequence[Timed] = (look_again,)
EVERY_NIGHT: Sequence[Timed] = (hold_expired, stock_care.audit_nightly, forget_secrets)
BY_CLOCK: Mapping[str, Sequence[Timed]] = {"minute": EVERY_MINUTE, "quarter": EVERY_QUARTER, "night": EVERY_NIGHT}


def run_timed(runtime: Runtime, when: str) -> int:
    """Do all work of one beat of the clock ("minute", "quarter" or "night"); returns how much was done.

    What fails is logged and tried again at the next beat; the others are done all the same.
    """
    return sum(_tried(runtime, work) for work in BY_CLOCK[when])


def _tried(runtime: Runtime, work: Timed) -> int:
    try:
        return work(runtime)
    except OperationalError:
        raise  # the database is away: the others would fail as well
    except Exception:  # one defect must not stop the rest of the clock
        log.exception("timed.failed", work=work.__name__)
        return 0
