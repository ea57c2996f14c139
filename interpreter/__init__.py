"""The interpreter: from a plan to curves, verdicts and figures. It never sees YAML or an expression's text.

    backend      TensorFlow as this process has it
    lower        terms -> tensors;  networks: Keras layers on stacked replicates
    program      one cell's compiled program: start, training steps, measures
    executors    where jobs run;  schedule: which jobs, in which batches, and how far they are
    store        results by digest;  results: what a run gives, in memory and on disk
    verdicts     claims judged on results
    figures, report, tracking    what is made of results
    cli          the commands

`registry` holds the functions that lower, sample and draw what tables name.

Each room imports only those that the import contracts of pyproject.toml put below it.
"""
