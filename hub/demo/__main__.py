"""`python -m hub.demo`: the demo without the command line around it."""

from __future__ import annotations

import sys

from hub.demo.run import run

if __name__ == "__main__":
    sys.exit(run(once="--once" in sys.argv[1:]))
