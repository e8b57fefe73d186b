"""The command line: `orderhub`."""

from hub.cli.app import main

__all__ = ["main"]
