"""What tells others of a run: TensorBoard's event files and MLflow's tracking, beside the progress on the terminal."""

from .tracker import Tracker
from .tracking import Both, Tracking, opened

__all__ = ["Both", "Tracker", "Tracking", "opened"]
