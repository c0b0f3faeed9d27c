"""What the documentation lists, held against what the code has."""

import ast
import re
from pathlib import Path

import pytest

from swiftwater import _cli
from swiftwater._native import engine

ROOT = Path(__file__).resolve().parents[3]


def test_every_setting_has_its_row():
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `((?:spark|swiftwater)\.[^`]*)` \| (\S+) \|", text, re.MULTILINE))
    definitions = engine.setting_definitions()
    assert rows == {
        name: f"`{default}`" if default else "\N{EN DASH}" for name, default, _ in definitions
    }


@pytest.mark.parametrize("flag", _cli._WITHOUT_EFFECT + _cli._WITHOUT_EFFECT_OR_VALUE)
def test_every_flag_without_effect_is_named(flag):
    assert f"`{flag}`" in (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


def without_docstring(source):
    tree = ast.parse(source)
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    # Where a chain is broken over lines, and parentheses for that, are not in the tree.
    return ast.dump(tree)


def test_the_first_job_is_the_example():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## A first job\n\n```python\n(.*?)```", readme, re.DOTALL)
    assert block is not None
    example = (ROOT / "examples" / "network_wordcount.py").read_text(encoding="utf-8")
    assert without_docstring(block[1]) == without_docstring(example)
