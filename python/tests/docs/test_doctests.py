"""Every public name has a docstring of its own with an example, and every example runs.

One part only: ``pytest tests/test_doctests.py -k swiftwater.rdd`` (or ``-k RDD.map``).
"""

import ast
import doctest
import importlib
import inspect
import pkgutil
import sys
from contextlib import ExitStack

import pytest

import swiftwater
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext
from swiftwater.testing import StreamingTest, run_batches


def public_modules():
    prefix = f"{swiftwater.__name__}."
    names = [found.name for found in pkgutil.walk_packages(swiftwater.__path__, prefix)]
    public = [name for name in names if not any(part.startswith("_") for part in name.split("."))]
    return [swiftwater, *(importlib.import_module(name) for name in public)]


def function_of(member):
    """What carries the docstring of a member of a class; None for what is no code."""
    if isinstance(member, (classmethod, staticmethod)):
        member = member.__func__
    is_code = isinstance(member, property) or inspect.isfunction(member) or inspect.isclass(member)
    return member if is_code else None


def documented(module):
    """Public names of a module that are defined there, with what carries their docstrings."""
    for name in getattr(module, "__all__", vars(module)):
        value = getattr(module, name)
        defined_here = getattr(value, "__module__", None) == module.__name__
        if name.startswith("_") or not defined_here:
            continue
        if inspect.isfunction(value):
            yield f"{module.__name__}.{name}", value
        elif inspect.isclass(value):
            yield f"{module.__name__}.{name}", value
            for member_name, member in vars(value).items():
                carrier = function_of(member)
                if carrier is not None and not member_name.startswith("_"):
                    yield f"{module.__name__}.{name}.{member_name}", carrier


MODULES = public_modules()
NAMES = {module.__name__: list(documented(module)) for module in MODULES}
EXAMPLES = {
    name: (module, carrier.__doc__)
    for module in MODULES
    for name, carrier in [(module.__name__, module), *NAMES[module.__name__]]
    if ">>>" in (carrier.__doc__ or "")
}


@pytest.mark.parametrize("module", [name for name, names in NAMES.items() if names])
def test_every_name_has_its_example(module):
    missing = [name for name, carrier in NAMES[module] if ">>>" not in (carrier.__doc__ or "")]
    assert not missing, f"{len(missing)} names without a `>>>` example: {', '.join(missing)}"


def uses_context(test):
    """True where an example takes the context that is there, and makes none called so."""
    names = [
        node
        for example in test.examples
        for node in ast.walk(ast.parse(example.source))
        if isinstance(node, ast.Name) and node.id == "sc"
    ]
    return bool(names) and all(isinstance(node.ctx, ast.Load) for node in names)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_example(name, tmp_path, monkeypatch):
    module, text = EXAMPLES[name]
    monkeypatch.chdir(tmp_path)
    # What an example makes importable is so for itself only.
    for places in ("path", "meta_path"):
        monkeypatch.setattr(sys, places, list(getattr(sys, places)))
    given = {
        each: getattr(place, each)
        for place in (swiftwater, module)
        for each in getattr(place, "__all__", ())
    }
    given |= {
        "run_batches": run_batches,
        "StreamingContext": StreamingContext,
        "StreamingTest": StreamingTest,
        "tmp": str(tmp_path),
    }
    test = doctest.DocTestParser().get_doctest(text, given, name, module.__file__, 0)
    printed = []
    with ExitStack() as stack:
        if uses_context(test):
            test.globs["sc"] = stack.enter_context(SparkContext("local[2]", "example"))
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        result = runner.run(test, out=printed.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(printed)
