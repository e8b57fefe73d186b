"""The process that `house` starts: what `orderhub serve` does, with settings from the environment alone."""

from __future__ import annotations

import sys

from hub.processes import serve
from hub.settings import Settings
from hub.web.app import create_app

if __name__ == "__main__":
    sys.exit(serve(Settings(_env_file=None), create_app))
