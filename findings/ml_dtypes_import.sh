#!/usr/bin/env bash
# ml_dtypes 0.7.0 beside NumPy 2.4.6: `import ml_dtypes` takes some hundred times the processor time that 0.6.0 takes, and each import of TensorFlow, Keras or JAX so much longer.
# It has one number type more (float8_e5m3fnu). Nearly all of the time is spent in NumPy's PyUFunc_AddLoop, which compares each new loop with those that are there.
# Seen (CPython 3.11.7, x86-64, two runs): "0.6.0 0.011 s", "0.7.0 1.146 s"; "0.6.0 0.009 s", "0.7.0 0.822 s"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 2>/dev/null
cat > "$folder/imported.py" <<'PYTHON'
import time

import numpy

begin = time.process_time()
import ml_dtypes

print(ml_dtypes.__version__, time.process_time() - begin)
PYTHON
for version in 0.6.0 0.7.0; do
  "$folder/venv/bin/pip" install --quiet ml_dtypes==$version 2>/dev/null
  for _ in 1 2 3 4 5; do "$folder/venv/bin/python" "$folder/imported.py"; done | sort -k2 -n | head -1
done | tee "$folder/seen" | awk '{ printf "%s %.3f s\n", $1, $2 }'
awk '{ took[$1] = $2 } END { exit !(took["0.7.0"] > 20 * took["0.6.0"]) }' "$folder/seen"
