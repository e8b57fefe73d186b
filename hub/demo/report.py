"""The closing report: every order where it belongs, stock that adds up, and nothing done twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median

from rich.console import Console
from rich.table import Table

from hub.demo import found as findings
from hub.demo.day import Day
from hub.demo.found import Doors, Evidence, StockLine
from hub.demo.script import Scripted, Standing
from hub.demo.teller import Teller


@dataclass(slots=True)
class Report:
    """What was expected and what was found. `wrong` are sentences; the demo fails when there is one."""

    orders: list[tuple[Scripted, Standing]]
    stock: list[StockLine]
    evidence: Evidence
    doors: Doors
    answers_s: list[float]
    refused: list[str]
    off_the_books: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def misplaced(self) -> list[tuple[Scripted, list[str]]]:
        """Orders that are not where they belong, with what is different."""
        compared = [(one, list(one.expected.differences(standing))) for one, standing in self.orders]
        return [(one, differences) for one, differences in compared if differences]


def compare(day: Day) -> Report:
    """Look everywhere and compare."""
    evidence = findings.gather(day)
    report = Report(
        [(one, findings.found(day, one, evidence)) for one in day.script.orders],
        findings.stock_lines(day),
        evidence,
        findings.doors_of(day),
        day.town.post.answers_s,
        findings.refused_messages(day),
    )
    report.wrong += [f"{one.number} ({one.why}): {'; '.join(what)}" for one, what in report.misplaced()]
    report.off_the_books = findings.books(day)
    report.wrong += report.off_the_books
    report.wrong += [words for line in report.stock for words in line.wrong]
    report.wrong += evidence.twice() + report.doors.wrong() + _strays(report)
    report.wrong += [f"the hub logged an error: {line}" for line in day.town.house.errors()]
    return report


def _strays(report: Report) -> list[str]:
    """What the world outside has beyond the orders of the story."""
    totals = (
        ("orders at the 3PL", report.evidence.at_3pl.total(), "at_3pl"),
        ("labels", report.evidence.labels.total(), "labels"),
        ("sales orders", report.evidence.sales_orders.total(), "sales_orders"),
        ("invoices", report.evidence.invoices.total(), "invoices"),
    )
    found = []
    for what, there, name in totals:
        ours = sum(getattr(standing, name) for _, standing in report.orders)
        if there != ours:
            found.append(f"there are {there} {what}, and {ours} belong to orders")
    return found


def show(report: Report, teller: Teller) -> None:
    """Print everything; what is wrong comes last."""
    console = teller.console
    console.print()
    console.print(_states(report))
    console.print(_stock(report))
    console.print(_effects(report))
    _summary(report, teller)
    for words in report.wrong:
        console.print(f"[red]WRONG[/red]  {words}", soft_wrap=True)


def _states(report: Report) -> Table:
    """Orders by final state."""
    table = Table(title="Orders by final state", title_justify="left")
    for name in ("State", "Web shop", "Amazon", "Expected", "Found", ""):
        table.add_column(name, justify="left" if name == "State" else "right")
    expected = Counter(one.expected.state for one, _ in report.orders)
    found = Counter(standing.state for _, standing in report.orders)
    by_role = Counter((standing.state, one.role) for one, standing in report.orders)
    bad = {one.number for one, _ in report.misplaced()}
    bad_states = {state for one, at in report.orders if one.number in bad for state in (one.expected.state, at.state)}
    for state in sorted({*expected, *found}, key=_rank):
        shop, market = by_role[state, "shop"], by_role[state, "market"]
        mark = "[red]no[/red]" if state in bad_states else "[green]yes[/green]"
        row = [state.replace("_", " "), str(shop), str(market), str(expected[state]), str(found[state]), mark]
        table.add_row(*row)
    table.add_section()
    all_shop, all_market = (sum(n for (_, role), n in by_role.items() if role == name) for name in ("shop", "market"))
    misplaced = len(report.misplaced())
    verdict = f"[red]{misplaced} astray[/red]" if misplaced else "[green]all in place[/green]"
    table.add_row("all", str(all_shop), str(all_market), str(len(report.orders)), str(found.total()), verdict)
    return table


_ORDER = ("delivered", "in_transit", "in_fulfilment", "backordered", "on_hold", "done by the channel", "cancelled")


def _rank(state: str) -> tuple[int, str]:
    plain = state.partition(":")[0]
    return (_ORDER.index(plain) if plain in _ORDER else len(_ORDER), state)


def _stock(report: Report) -> Table:
    table = Table(title="Stock: on hand by location, promised, and what each channel shows", title_justify="left")
    table.add_column("Article")
    for name in ("EAST", "WEST", "NORTH", "Promised", "For sale", "Web shop", "Amazon", ""):
        table.add_column(name, justify="right")
    for line in report.stock:
        places = [str(line.on_hand.get(code, "")) for code in ("EAST", "WEST", "NORTH")]
        mark = "[red]no[/red]" if line.wrong else "[green]yes[/green]"
        shown = [str(line.shown[role]) for role in ("shop", "market")]
        table.add_row(line.sku, *places, str(line.promised), str(line.sellable), *shown, mark)
    return table


def _effects(report: Report) -> Table:
    """What was done in the world outside, and that it was done once."""
    table = Table(title="What was done outside, and how often", title_justify="left")
    for name in ("", "Expected", "Found", "Twice"):
        table.add_column(name, justify="left" if not name else "right")
    evidence = report.evidence
    for words, name, counts in (
        ("orders handed to the 3PL", "at_3pl", evidence.at_3pl),
        ("of these called off again", "stopped", evidence.stopped),
        ("labels bought", "labels", evidence.labels),
        ("sales orders booked", "sales_orders", evidence.sales_orders),
        ("invoices booked", "invoices", evidence.invoices),
    ):
        wanted = sum(getattr(one.expected, name) for one, _ in report.orders)
        twice = sum(times - 1 for times in counts.values() if times > 1)
        table.add_row(words, str(wanted), str(counts.total()), str(twice))
    wanted = sum(one.expected.told for one, _ in report.orders)
    told = sum(standing.told for _, standing in report.orders)
    table.add_row("parcels told to the channels", str(wanted), str(told), str(max(0, told - wanted)))
    return table


def _summary(report: Report, teller: Teller) -> None:
    console: Console = teller.console
    answers = sorted(report.answers_s)
    slow = answers[int(len(answers) * 0.99)] if answers else 0.0
    console.print(
        f"{len(answers)} webhooks were sent and answered in {median(answers) * 1000:.0f} ms in the middle, "
        f"99 of 100 within {slow * 1000:.0f} ms; {report.doors.duplicates} were repetitions."
    )
    arrived, sent = sum(report.doors.inbox.values()), report.doors.outbox.get("delivered", 0)
    positions = sum(len(line.on_hand) for line in report.stock)
    if not report.off_the_books:
        console.print(f"All {positions} stock positions are the sums of their moves.")
    console.print(f"{arrived} facts came in, {sent} messages went out and were confirmed.")
    for words in report.refused:
        console.print(f"One message waits under Problems, as it should: {words}", soft_wrap=True)
    slowest = max(teller.seconds.items(), key=lambda one: one[1], default=("", 0.0))
    console.print(
        f"The whole day took {teller.elapsed_s:.1f} s; the longest chapter was “{slowest[0]}”, {slowest[1]:.1f} s."
    )
