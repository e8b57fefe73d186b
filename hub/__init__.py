"""Orderhub: orders from every channel in, stock to every channel out, and the right step in between."""

__version__ = "0.1.0"
