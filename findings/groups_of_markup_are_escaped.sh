#!/usr/bin/env bash
# MarkupSafe 3.0.3 with Python's `re`: on Python 3.11, `re.sub` over a `Markup` escapes the template's own text where that names a group, and
# returns a plain `str`. The same replacement without a group, or by a function, is left as it is; from Python 3.12 on all three are.
# `re` expanded templates in Python until 3.11, joining their pieces by an empty slice of the subject, and joining is what Markup overrides.
# So markup that is put around what was found shows as text on one version of Python alone: `str(value)` first gives the same on all.
# Seen on 3.11.7: "group: a &lt;b&gt;1&lt;/b&gt; c; text: a <b>n</b> c; function: a <b>1</b> c"; on 3.12.1 and 3.13.0: "group: a <b>1</b> c; …"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet markupsafe==3.0.3 2>/dev/null
cat > "$folder/groups.py" <<'PYTHON'
import re
import sys

from markupsafe import Markup

subject = Markup("a 1 c")
found = {
    "group": re.sub(r"\d", r"<b>\g<0></b>", subject),
    "text": re.sub(r"\d", "<b>n</b>", subject),
    "function": re.sub(r"\d", lambda match: f"<b>{match[0]}</b>", subject),
}
print("; ".join(f"{how}: {result}" for how, result in found.items()))
assert [type(result) for result in found.values()] == [str, str, str]
assert found["text"] == "a <b>n</b> c" and found["function"] == "a <b>1</b> c"
assert found["group"] == ("a <b>1</b> c" if sys.version_info >= (3, 12) else "a &lt;b&gt;1&lt;/b&gt; c")
PYTHON
"$folder/venv/bin/python" "$folder/groups.py"
