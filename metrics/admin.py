"""This room in the operator console."""

from metrics.console import alerts, channels, samples

__all__ = ["alerts", "channels", "samples"]
