"""Reads what `dlspec runs export` writes by DuckDB, polars and pandas, and holds what they find: of a sweep, an array, replicates that diverge, NaN alone.

python3 -m venv ENV && ENV/bin/pip install duckdb polars pandas pyarrow
python -m tests.clients.exports ENV
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.clients.programs import Programs, of

STUDY = """\
dlspec: 1
study: swept
experiments:
  line:
    constants: {d: 1, rate: 0.1}
    sweep: {rate: [0.1, 1e30]}
    task: {example: {x: "normal([d])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: (f - 1)^2}
    training: {optimizer: {sgd: {learning_rate: rate}}, batch: 4, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {error: E((f - 1)^2), pair: "[[E(f), d]]", never: log(-1 - E(f^2))}
    replicates: 2
"""
FILES = {"curves": [], "finals": ["--finals"], "long": ["--long"]}
READER = """
import math
import duckdb, pandas, polars
import pyarrow.parquet as pq


def one(question):
    return duckdb.sql(question).fetchall()


for name in ("curves", "finals", "long"):
    schema = pq.read_schema(f"{name}.parquet")
    words = {field.name: {key.decode(): value.decode() for key, value in (field.metadata or {}).items()} for field in schema}
    assert all(about["description"] for about in words.values()), words
    assert not [field.name for field in schema if str(field.type) == "null"]
    assert schema.metadata[b"study"] == b"swept" and schema.metadata[b"overrides"] == b"line.training.batch=4,8"
    assert {"rate", "batch", "status"} <= set(words)
    for ending, read in (("parquet", pandas.read_parquet), ("csv", pandas.read_csv)):
        rows = len(read(f"{name}.{ending}"))
        assert one(f"select count(*) from '{name}.{ending}'") == [(rows,)]
        assert getattr(polars, f"read_{ending}")(f"{name}.{ending}").height == rows
    print(name, rows, "rows,", len(words), "columns:", *words)

assert pq.read_schema("finals.parquet").field("seconds").metadata[b"unit"] == b"s"
assert pq.read_schema("finals.parquet").field("never").metadata[b"description"] == b"log(-1 - E(f^2))"
# `never` is finite nowhere: 2 rates × 2 batches × 2 replicates, at 3 steps where nothing diverges and at the first where it does.
assert one("select count(*) from 'curves.parquet' where isnan(value)") == one("select count(*) from 'curves.parquet' where measure = 'never'")
assert one("select count(*) from 'curves.parquet' where isnan(value) and status = 'done'") == [(12,)]
# Finals: NaN where one is undefined, null where a replicate has none.
assert one("select count(*) from 'finals.parquet' where isnan(never)") == [(4,)]
assert one("select count(*) from 'finals.parquet' where never is null") == one("select count(*) from 'finals.parquet' where status = 'diverged'") == [(4,)]
assert one("select count(*) from 'long.parquet' where isnan(value)") == [(4,)]
assert one("select distinct entry from 'curves.parquet' where measure = 'pair' order by 1") == [("[0, 0]",), ("[0, 1]",)]

curves, finals = polars.read_parquet("curves.parquet"), polars.read_parquet("finals.parquet")
keys = ["experiment", "variant", "rate", "batch", "replicate", "digest", "status"]
last = curves.filter(measure="error", step=20, status="done").join(finals, on=keys)
assert last.height == 4 and (last["value"] == last["error_right"]).all(), last
undefined = polars.scan_parquet("curves.parquet").filter(polars.col("value").is_nan()).collect()
assert one("select count(*) from 'curves.parquet' where isnan(value)") == [(undefined.height,)]
frame = pandas.read_parquet("finals.parquet")
assert frame.groupby(["rate", "status"])["error"].count().to_dict() == {(0.1, "done"): 4, (1e30, "diverged"): 0}
print("duckdb", duckdb.__version__, "polars", polars.__version__, "pandas", pandas.__version__)
"""


def main(environment: Path) -> None:
    """Runs the study, exports it, and has the readers read; raises CalledProcessError where one finds something else."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "swept.yaml").write_text(STUDY)
        own = Programs(Path(sys.executable).parent, here)
        own.said("dlspec", "run", "swept.yaml", "-o", "line.training.batch=4,8")
        (run,) = json.loads(own.done("dlspec", "runs", "--json").stdout)["runs"]
        assert run["overrides"] == ["line.training.batch=4,8"] and run["replicates"] == {"done": 4, "diverged": 4}
        for name, options in FILES.items():
            for ending in ("parquet", "csv"):
                own.said("dlspec", "runs", "export", run["run"], f"{name}.{ending}", *options)
        print(of(environment, here).said("python", "-c", READER))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
