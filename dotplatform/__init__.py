"""What every app of the platform stands on, and the roof over all."""

__version__ = "0.2.0"
