"""What stands for the names of ``typing`` while a job runs."""

import ast
import inspect
import pickle
import pydoc
import typing
from pathlib import Path

import pytest

import swiftwater
from swiftwater import RDD, _typing
from swiftwater.streaming import DStream

T = typing.TypeVar("T")
FOLDER = Path(swiftwater.__file__).parent


def test_each_name_is_one_of_typing():
    assert [name for name in _typing.__all__ if not hasattr(typing, name)] == []
    assert all(hasattr(_typing, name) for name in _typing.__all__)


@pytest.mark.parametrize("kind", [RDD, DStream])
def test_a_class_can_be_indexed_as_with_typing(kind):
    name = f"{kind.__module__}.{kind.__qualname__}"
    assert repr(kind[int]) == f"{name}[int]"
    assert typing.get_origin(kind[int]) is kind
    assert typing.get_args(kind[tuple[str, int]]) == (tuple[str, int],)
    assert kind[T][int] == kind[int]
    assert typing.get_args(kind[int] | None) == (kind[int], type(None))

    class Mine(kind[T], typing.Generic[T]):
        pass

    assert issubclass(Mine, kind)
    assert typing.get_args(Mine[str]) == (str,)


@pytest.mark.parametrize("kind", [RDD, DStream])
def test_a_class_is_shown_as_with_typing(kind):
    shown = pydoc.render_doc(kind, renderer=pydoc.plaintext)
    assert " |      typing.Generic\n" in shown
    assert "_typing" not in shown
    assert pickle.loads(pickle.dumps(kind)) is kind


def test_annotations_are_text_and_can_be_evaluated():
    assert str(inspect.signature(RDD.map)) == (
        "(self: 'RDD[T]', f: 'Callable[[T], U]', preservesPartitioning: 'bool' = False) -> 'RDD[U]'"
    )
    hints = typing.get_type_hints(RDD.map)
    assert hints["preservesPartitioning"] is bool
    assert typing.get_origin(hints["return"]) is RDD


def test_names_for_types_are_shown_and_combined():
    T = _typing.TypeVar("T", bound=int)
    assert repr(T) == "~T"
    assert (T | None) == (None | T)


def test_files_that_a_job_loads_take_names_from_here():
    """Whatever takes more of ``typing`` is loaded by few jobs."""
    others = {
        path.relative_to(FOLDER).as_posix()
        for path in FOLDER.rglob("*.py")
        if "_compat" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "typing"
    }
    assert others <= {
        "_compression.py",
        "_plan_text.py",
        "_typing.py",
        "broadcast.py",
        "resultiterable.py",
        "status.py",
        "streaming/_state_operators.py",
    }
