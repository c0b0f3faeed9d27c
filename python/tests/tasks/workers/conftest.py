import pytest

from tests.tasks.workers.worker_contexts import context


@pytest.fixture(autouse=True)
def _no_workers_from_outside(monkeypatch):
    monkeypatch.delenv("SWIFTWATER_WORKERS", raising=False)


@pytest.fixture
def always():
    with context("always") as sc:
        yield sc
