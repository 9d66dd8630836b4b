"""Nightshift works while the house sleeps."""

__version__ = "0.1.0"
