"""The pages for users, as the tests beside this file read them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def page(name):
    return (ROOT / name).read_text(encoding="utf-8")


def python_blocks(name):
    return re.findall(r"^```python\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)


def section(name, title):
    pattern = rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)"
    found = re.search(pattern, page(name), re.MULTILINE | re.DOTALL)
    assert found is not None, f"{name} has no section {title}"
    return found[1]
