"""Figures of the design pages, one command each: `python -m benchmarks.<name>`."""
