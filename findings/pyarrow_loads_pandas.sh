#!/usr/bin/env bash
# pyarrow 26.0.1 beside pandas 3.1.1: making an array of a list of numbers imports pandas, and so does turning an array into NumPy's, though neither has to do with it.
# `import pyarrow` alone does not, nor do an array made of a buffer and numpy.frombuffer of its buffer, which give the same numbers.
# Seen: "import False", "buffers False [1.0, 2.0]", "array True", and in a process of its own "to_numpy True"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6 2>/dev/null
cat > "$folder/made.py" <<'PYTHON'
import sys

import numpy as np
import pyarrow as pa

print("import", "pandas" in sys.modules)
held = pa.Array.from_buffers(pa.float64(), 2, [None, pa.py_buffer(np.array([1.0, 2.0]))])
values = np.frombuffer(held.buffers()[1], np.float64)
print("buffers", "pandas" in sys.modules, values.tolist())
pa.array([1.0, 2.0])
print("array", "pandas" in sys.modules)
PYTHON
cat > "$folder/converted.py" <<'PYTHON'
import sys

import numpy as np
import pyarrow as pa

held = pa.Array.from_buffers(pa.float64(), 2, [None, pa.py_buffer(np.array([1.0, 2.0]))])
held.to_numpy(zero_copy_only=True)
print("to_numpy", "pandas" in sys.modules)
PYTHON
for script in made converted; do "$folder/venv/bin/python" "$folder/$script.py"; done | tee "$folder/seen"
for line in 'import False' 'buffers False [1.0, 2.0]' 'array True' 'to_numpy True'; do
  grep -qxF "$line" "$folder/seen"
done
