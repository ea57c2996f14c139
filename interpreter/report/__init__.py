"""A run as one HTML page that needs nothing beside it.

In: the folder of a run. Out: the page. Needs neither TensorFlow nor matplotlib.
"""

from .page import page, write_report

__all__ = ["page", "write_report"]
