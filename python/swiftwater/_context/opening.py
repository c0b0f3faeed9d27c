"""Opening a context: what the code says, what wins over it, and the engine."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Mapping, Sequence
from threading import local

from swiftwater import (
    _address_space,
    _interrupts,
    _process_end,
    _settings,
    _standard_input,
    _uncaught_errors,
)
from swiftwater._context.core import SparkContextCore, require_driver
from swiftwater._native import engine
from swiftwater._operator_calls import call_place
from swiftwater._tasks import environ
from swiftwater._typing import TYPE_CHECKING
from swiftwater.conf import SparkConf

if TYPE_CHECKING:
    from swiftwater.context import SparkContext

__all__ = ["Opening"]


class Opening(SparkContextCore):
    """How a context is made."""

    def __init__(
        self,
        master: str | None = None,
        appName: str | None = None,
        sparkHome: str | None = None,
        pyFiles: Sequence[str] | None = None,
        environment: Mapping[str, object] | None = None,
        batchSize: int = 0,
        serializer: object = None,
        conf: SparkConf | None = None,
        gateway: object = None,
        jsc: object = None,
        profiler_cls: object = None,
        udf_profiler_cls: object = None,
        memory_profiler_cls: object = None,
    ) -> None:
        """Open the engine; see the class."""
        _process_end.require_this_process()
        require_driver()
        code = _code_settings(master, appName, sparkHome, environment, conf)
        with self._context_class._lock:
            self._refuse_second()
            self._created_at = call_place()
            settings = _settings.merge(code, _settings.command_line, os.environ)
            settings.check_flags()
            for level, message in settings.messages:
                engine.notice(level, None, message)
            for path in _listed(pyFiles, settings.get("spark.submit.pyFiles")):
                _add_to_path(path)
            self._settings = settings
            self.environment: dict[str, object] = dict(environment or {})
            _address_space.require()
            _standard_input.install()
            self._handle = engine.open_context(_engine_settings(settings))
            environ.watch()
            self.master = settings.get("spark.master") or ""
            self.appName = settings.get("spark.app.name") or ""
            self.sparkHome: str | None = settings.get("spark.home")
            self.startTime: int = int(time.time() * 1000)
            self.applicationId = f"local-{self.startTime}"
            self._default_parallelism = engine.default_parallelism(self._handle)
            self._rdd_ids = itertools.count()
            self._checkpoint_dir = None
            self._checkpoint_folders = []
            self._log_level = _spark_level(settings.get("swiftwater.log.level") or "info")
            self._added_files = None
            self._local = local()
            self._threads = {}
            self._hadoop_settings = {}
            self._context_class._active_spark_context = self._itself
            _process_end.register(self._stop_at_exit)
        if not _interrupts.is_interactive():
            # What nobody catches has parts of records in it, and a terminal must not obey them.
            _uncaught_errors.install(ends_after_interrupts=False)
        if _settings.command_line.print_config:
            _settings.command_line.print_config = False
            print(_settings.table(settings.entries))
            raise SystemExit(0)
        try:
            for path in _listed(None, settings.get("spark.files")):
                for file in _matching(path):
                    self._itself.addFile(file)
            for path in _listed(None, settings.get("spark.archives")):
                for file in _matching(path):
                    self._itself.addArchive(file)
        except BaseException:
            self.stop()
            raise

    def _refuse_second(self) -> None:
        active = self._context_class._active_spark_context
        if active is not None:
            file, line = active._created_at
            raise ValueError(
                "Cannot run multiple SparkContexts at once; "
                f"existing SparkContext(app={active.appName}, master={active.master}) "
                f"created by __init__ at {file}:{line}"
            )

    @classmethod
    def getOrCreate(cls, conf: SparkConf | None = None) -> SparkContext:
        """Return the active context; where there is none, open one with ``conf``.

        Raises ``PySparkRuntimeError`` in a function that works on records.

        Example::

            >>> SparkContext.getOrCreate() is sc
            True
        """
        require_driver()
        with cls._context_class._lock:
            active = cls._context_class._active_spark_context
            return active if active is not None else cls(conf=conf)._itself


def _code_settings(
    master: str | None,
    appName: str | None,
    sparkHome: str | None,
    environment: Mapping[str, object] | None,
    conf: SparkConf | None,
) -> dict[str, str]:
    """Return what the script's code says, arguments over ``conf``."""
    if conf is not None and not isinstance(conf, SparkConf):
        raise TypeError(f"conf must be a SparkConf, not {type(conf).__name__}")
    for name, given in (("master", master), ("appName", appName)):
        if given is not None and not isinstance(given, str):
            raise TypeError(f"{name} must be a text, not {type(given).__name__}: {given!r}")
    chosen = SparkConf()
    if conf is not None:
        chosen.setAll(conf.getAll())
    if master:
        chosen.setMaster(master)
    if appName:
        chosen.setAppName(appName)
    if sparkHome:
        chosen.setSparkHome(sparkHome)
    for name, value in (environment or {}).items():
        chosen.set(f"spark.executorEnv.{name}", value)
    return dict(chosen.getAll())


def _engine_settings(settings: _settings.Settings) -> dict[str, str]:
    """Return what the engine is opened with: what somebody set, and always master and name."""
    values = settings.values()
    for name in ("spark.master", "spark.app.name"):
        values[name] = settings.entries[name][0]
    return values


def _listed(files: Sequence[str] | None, setting: str | None) -> list[str]:
    if isinstance(files, str):
        files = [files]
    return [*(files or ()), *(path for path in (setting or "").split(",") if path)]


def _matching(path: str) -> list[str]:
    """Return what a pattern stands for, as ``spark-submit`` has it; the path itself otherwise."""
    from swiftwater._paths import matching_paths

    is_pattern = "://" not in path and any(sign in path for sign in "*?[{")
    return (is_pattern and not os.path.exists(path) and matching_paths(path)) or [path]


def _add_to_path(path: str) -> None:
    # A module's folder, an archive or a folder: what has to be on sys.path to import from it.
    place = os.path.abspath(path)
    if not os.path.exists(place):
        raise FileNotFoundError(f"the Python file {path} of the job is not there")
    if place.endswith(".py"):
        place = os.path.dirname(place)
    if place not in sys.path:
        sys.path.insert(1, place)


def _spark_level(level: str) -> str:
    """Return Spark's name for a level of the log."""
    return {"WARNING": "WARN"}.get(level.upper(), level.upper())
