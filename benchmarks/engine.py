"""What the distributed engine costs: milliseconds for a wake-up, and seconds until a dead worker's door is open again.

python -m benchmarks.engine
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.crash import postgres_url
from hub.engine.distributed import Bell, WorkerEngine, prepare

HANGING = """
import sys, time
from hub.engine.distributed import Bell, WorkerEngine
def hang(door, stopping):
    print(door, flush=True)
    time.sleep(600)
WorkerEngine(Bell(sys.argv[1]), hang, stalled_s=float(sys.argv[2])).start()
time.sleep(600)
"""


def milliseconds_per_wake(url: str, wakes: int = 2000) -> dict[str, float]:
    """A wake-up that makes a job, one that finds it waiting, and what the one who rings waits."""
    bell = Bell(url)
    bell.start()
    bell.tell("inbox:warm")
    figures = {}
    for name, doors in (("new job", [f"inbox:{n}" for n in range(wakes)]), ("waiting already", ["inbox:0"] * wakes)):
        begun = time.perf_counter()
        for door in doors:
            bell.tell(door)
        figures[name] = (time.perf_counter() - begun) / wakes * 1000
    told, begun = bell.rung, time.perf_counter()
    for _ in range(50):
        for number in range(200):
            bell.ring(f"inbox:{wakes + number % 16}")
        time.sleep(0.002)
    figures["ring, for the caller"] = (time.perf_counter() - begun - 50 * 0.002) / 10_000 * 1000
    bell.stop()
    figures["jobs made of 10,000 rings for 16 doors"] = bell.rung - told
    return figures


def seconds_until_free(url: str, stalled_s: float, tick_s: float) -> float:
    """From the death of a worker that had a door open until another has opened it."""
    dying = subprocess.Popen([sys.executable, "-c", HANGING, url, str(stalled_s)], stdout=subprocess.PIPE, text=True)
    opened = threading.Event()
    caller = Bell(url)
    caller.start()
    caller.ring("outbox:slow")
    assert dying.stdout is not None
    dying.stdout.readline()
    caller.stop()

    def open_door(_door: str, _stopping: object) -> bool:
        opened.set()
        return False

    rescuer = WorkerEngine(Bell(url), open_door, stalled_s=stalled_s)
    rescuer.start()
    time.sleep(2 * stalled_s / 5)
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    begun = time.monotonic()
    while not opened.wait(tick_s) and time.monotonic() < begun + 60:
        rescuer.rescue()
    seconds = time.monotonic() - begun
    rescuer.stop()
    return seconds


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, postgres_url(Path(folder)) as url:
        prepare(url)
        for stalled_s, tick_s in ((10.0, 2.0), (3.0, 0.5)):
            seconds = seconds_until_free(url, stalled_s, tick_s)
            print(f"a dead worker's door is open again after {seconds:5.1f} s (stalled_s {stalled_s}, tick_s {tick_s})")
        for name, figure in milliseconds_per_wake(url).items():
            print(f"{name:<45} {figure:8.3f}" + ("" if name.startswith("jobs") else " ms"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
