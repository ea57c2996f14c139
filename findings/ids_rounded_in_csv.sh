#!/usr/bin/env bash
# pyarrow 26.0.1: one whole number beyond 64 bits with a sign makes a CSV column of whole numbers one of float64, without a word, and others in it become their
# neighbours: two ids that differ become one. pandas 3.1.1 reads the same bytes exactly, with its own parser; its engine "pyarrow" does not.
# Seen: "pyarrow double [9007199254740992, 9007199254740992, 9223372036854775808]", "pandas uint64 [9007199254740992, 9007199254740993, 9223372036854775808]",
# "pandas with pyarrow float64 [9007199254740992, 9007199254740992, 9223372036854775808]"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6 2>/dev/null
cat > "$folder/ids.py" <<'PYTHON'
import io

import pandas as pd
import pyarrow as pa
from pyarrow import csv

text = b"id\n9007199254740992\n9007199254740993\n9223372036854775808\n"
column = csv.read_csv(pa.BufferReader(text))["id"]
print("pyarrow", column.type, [int(value) for value in column.to_pylist()])
for name, engine in (("pandas", "c"), ("pandas with pyarrow", "pyarrow")):
    column = pd.read_csv(io.BytesIO(text), engine=engine)["id"]
    print(name, column.dtype, [int(value) for value in column])
PYTHON
"$folder/venv/bin/python" "$folder/ids.py" | tee "$folder/seen"
for line in 'pyarrow double [9007199254740992, 9007199254740992, 9223372036854775808]' \
  'pandas uint64 [9007199254740992, 9007199254740993, 9223372036854775808]' \
  'pandas with pyarrow float64 [9007199254740992, 9007199254740992, 9223372036854775808]'; do
  grep -qxF "$line" "$folder/seen"
done
