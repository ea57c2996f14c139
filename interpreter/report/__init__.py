"""A run as one HTML page that needs nothing beside it: read from the run's folder, without TensorFlow and matplotlib."""

from .page import page, write_report

__all__ = ["page", "write_report"]
