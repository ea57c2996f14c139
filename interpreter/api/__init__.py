"""dlspec as Python sees it: a study, its plan, its run, what the run gave. The module `dlspec` holds the public names.

In: paths, texts, names of runs. Out: plain objects, pandas and xarray, what a notebook shows. The command line is written with it.
"""
