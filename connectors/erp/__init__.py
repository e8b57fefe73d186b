"""Connectors, each found by its entry point."""
