"""TensorBoard's event files and MLflow.

In: evaluations and ended replicates. Out: the same for trackers, each point once and in order.
"""

from .dispatcher import Both, Tracking, opened
from .origin import Origin
from .tracker import Tracker

__all__ = ["Both", "Origin", "Tracker", "Tracking", "opened"]
