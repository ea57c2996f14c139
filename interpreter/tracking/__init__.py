"""What tells others of a run: TensorBoard's event files and MLflow's tracking, beside the progress on the terminal."""

from .dispatcher import Both, Tracking, opened
from .tracker import Tracker

__all__ = ["Both", "Tracker", "Tracking", "opened"]
