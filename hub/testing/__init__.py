"""Shipped for connector authors: a context without a hub, sandboxes on loopback, faults on demand."""

from hub.testing.context import connect
from hub.testing.sandbox import Fault, Sandbox

__all__ = ["Fault", "Sandbox", "connect"]
