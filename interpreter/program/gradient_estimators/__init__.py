"""The estimators of gradient statistics, by the names of their rows (`spec/tables/gradient_statistics.py`).

In: gradients of examples at the present weights. Out: a statistic of them, and its sampling floor. A file with an estimator
needs to be named nowhere: all that lie here are loaded.
"""

from importlib import import_module
from pkgutil import iter_modules

from .matrices import SPECTRA, Matrix
from .registry import ESTIMATORS, Inputs

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["ESTIMATORS", "SPECTRA", "Inputs", "Matrix"]
