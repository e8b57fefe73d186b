"""What a piece of work took: time on the clock, processor time over all processes, and memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Usage:
    """Seconds on the clock, seconds of processor time here and in database servers, and peak memory of one process."""

    wall_s: float = 0.0
    client_cpu_s: float = 0.0
    server_cpu_s: float = 0.0
    peak_mib: float = 0.0


@contextmanager
def measured(server_cpu_s: Callable[[], float]) -> Iterator[Usage]:
    """Measure the block; children count once they have ended. Filled in when the block ends."""
    usage = Usage()
    began, client, server = time.perf_counter(), _client_cpu_s(), server_cpu_s()
    yield usage
    usage.wall_s = time.perf_counter() - began
    usage.client_cpu_s = _client_cpu_s() - client
    usage.server_cpu_s = server_cpu_s() - server
    usage.peak_mib = peak_mib()


def peak_mib() -> float:
    """The most memory that this process has held, in MiB; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    # Not ru_maxrss: on Linux a new process begins with the peak of the one that started it.
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def _client_cpu_s() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)
