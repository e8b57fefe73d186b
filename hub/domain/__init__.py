"""Decisions and shapes of the trade: standard library only, frozen values in, values out."""
