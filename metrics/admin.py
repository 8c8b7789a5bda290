"""This room in the operator console."""

from metrics.console import alerts, channels, dashboards, samples

__all__ = ["alerts", "channels", "dashboards", "samples"]
