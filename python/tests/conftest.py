import os

import pytest

from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext
from swiftwater.testing import StreamingTest


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    for name in list(os.environ):
        # The whole suite can be run with functions in worker processes.
        if name.startswith("SWIFTWATER_") and name != "SWIFTWATER_WORKERS":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_context_left():
    yield
    left = SparkContext._active_spark_context
    if left is not None:
        left.stop()
    assert StreamingContext.getActive() is None
    assert left is None, "the test left a context open"


@pytest.fixture
def sc():
    with SparkContext("local[2]", "test") as context:
        yield context


@pytest.fixture
def streaming():
    with StreamingTest(batch_interval=1.0) as test:
        yield test
