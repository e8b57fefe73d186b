"""The teller: says what happens, a few sentences per chapter, and shows that work goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.padding import Padding

WIDTH = 100  # where the terminal does not say


def terminal() -> Console:
    """The terminal, or a file or pipe at a fixed width."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


@dataclass(slots=True)
class Teller:
    console: Console
    began: float = field(default_factory=time.monotonic)
    chapters: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def chapter(self, title: str) -> Iterator[None]:
        """Tell a chapter and note how long it took."""
        self.chapters += 1
        self.console.print(f"\n[bold]{self.chapters}. {title}[/bold]")
        begun = time.monotonic()
        yield
        self.seconds[title] = time.monotonic() - begun

    def say(self, words: str) -> None:
        self.console.print(Padding(words, (0, 0, 0, 3), expand=False))

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show that something takes its time."""
        with self.console.status(f"{what} …"):
            yield

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.began
