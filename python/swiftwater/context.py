"""SparkContext: the entry to the engine for programs that work on RDDs and streams."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from swiftwater import _lifetime, _settings
from swiftwater._calls import call_place
from swiftwater._native import engine
from swiftwater.conf import SparkConf
from swiftwater.rdd import RDD

if TYPE_CHECKING:
    from types import TracebackType

    from swiftwater._swiftwater import Handle

__all__ = ["SparkContext"]

T = TypeVar("T")

# The release of Spark whose API this package follows. Programs look at it to choose between old
# and new names, so it is Spark's number and not Swiftwater's.
SPARK_VERSION = "4.3.0"

_LOG_LEVELS = ("ALL", "DEBUG", "ERROR", "FATAL", "INFO", "OFF", "TRACE", "WARN")


class SparkContext:
    """The engine, opened for one application. Only one may be active in a process.

    ``master`` says on how many cores work runs: ``"local"`` (one), ``"local[4]"``, ``"local[*]"``
    (all, the default). ``appName`` is the name that logs show, the script's file name where nobody
    gives one. Both may also come from ``conf`` (arguments win), from a properties file, the
    environment or the command line (these win over the code). ``pyFiles`` are put on the module
    path. ``sparkHome``, ``environment``, ``batchSize``, ``serializer``, ``gateway``, ``jsc`` and
    the profiler classes are accepted so that old programs run; they have no effect.

    Raises ``ValueError`` where another context is active, for a master or a setting that makes no
    sense, and ``RuntimeError`` in a child of ``os.fork``.

    Example::

        with SparkContext("local[2]", "sum of squares") as sc:
            print(sc.parallelize(range(10)).map(lambda n: n * n).sum())
    """

    _active_spark_context: ClassVar[SparkContext | None] = None
    _lock: ClassVar[RLock] = RLock()

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
        _lifetime.require_this_process()
        code = _code_settings(master, appName, sparkHome, environment, conf)
        with SparkContext._lock:
            self._refuse_second()
            self._created_at = call_place()
            settings = _settings.merge(code, _settings.command_line, os.environ)
            settings.check_flags()
            for level, message in settings.messages:
                engine.log(level, message)
            for path in _listed(pyFiles, settings.get("spark.submit.pyFiles")):
                _add_to_path(path)
            self._settings = settings
            self._handle: Handle | None = engine.open_context(_engine_settings(settings))
            self.master: str = settings.get("spark.master") or ""
            self.appName: str = settings.get("spark.app.name") or ""
            self.sparkHome: str | None = settings.get("spark.home")
            self.startTime: int = int(time.time() * 1000)
            self.applicationId: str = f"local-{self.startTime}"
            self._default_parallelism = engine.default_parallelism(self._handle)
            self._rdd_ids = itertools.count()
            SparkContext._active_spark_context = self
            _lifetime.register(self._stop_at_exit)
        if _settings.command_line.print_config:
            _settings.command_line.print_config = False
            print(_settings.table(settings.entries))
            raise SystemExit(0)

    def _refuse_second(self) -> None:
        active = SparkContext._active_spark_context
        if active is not None:
            file, line = active._created_at
            raise ValueError(
                "Cannot run multiple SparkContexts at once; "
                f"existing SparkContext(app={active.appName}, master={active.master}) "
                f"created by __init__ at {file}:{line}"
            )

    @classmethod
    def getOrCreate(cls, conf: SparkConf | None = None) -> SparkContext:
        """Return the active context; where there is none, open one with ``conf``."""
        with SparkContext._lock:
            active = SparkContext._active_spark_context
            return active if active is not None else cls(conf=conf)

    # --- RDDs -------------------------------------------------------------------------------

    def parallelize(self, c: Iterable[T], numSlices: int | None = None) -> RDD[T]:
        """Make an RDD of the values of ``c`` (any iterable; it is read to its end now).

        ``numSlices`` is the number of partitions, by default ``defaultParallelism``; slice ``i``
        of ``p`` holds the values from position ``i * n // p`` up to ``(i + 1) * n // p``. Raises
        ``ValueError`` for fewer than one slice.

        Example::

            sc.parallelize(range(5), 3).glom().collect()  # [[0], [1, 2], [3, 4]]
        """
        slices = self.defaultParallelism if numSlices is None else int(numSlices)
        if slices < 1:
            raise ValueError(f"parallelize needs at least one slice, not {slices}")
        return RDD(engine.parallelize(self._engine, list(c), slices), self)

    def emptyRDD(self) -> RDD[Any]:
        """Make an RDD without records and without partitions."""
        return RDD(engine.parallelize(self._engine, [], 0), self)

    def textFile(
        self, name: str, minPartitions: int | None = None, use_unicode: bool = True
    ) -> RDD[str]:
        r"""Make an RDD of the lines of a text file, or of all files of a folder.

        ``name`` is a path or a ``file:`` URL. ``minPartitions`` is a lower bound, by default
        ``defaultMinPartitions``. Lines end with ``\n``, ``\r\n`` or ``\r``; bytes that are not
        UTF-8 become U+FFFD. With ``use_unicode=False`` the lines are ``bytes`` in UTF-8. A file
        that is not there raises ``OSError``, at the latest when the lines are asked for.
        """
        partitions = self.defaultMinPartitions if minPartitions is None else int(minPartitions)
        lines: RDD[str] = RDD(
            engine.text_file(self._engine, _local_path(name), max(partitions, 1)), self
        )
        # The type is PySpark's: bytes are the exception that the caller asked for.
        encode: Any = str.encode
        return lines if use_unicode else lines.map(encode)

    def union(self, rdds: Sequence[RDD[T]]) -> RDD[T]:
        """Put RDDs one after the other; the partitions are those of all of them.

        Raises ``ValueError`` for an empty list.
        """
        if not rdds:
            raise ValueError("union needs at least one RDD")
        for rdd in rdds:
            if not isinstance(rdd, RDD):
                raise TypeError(f"union needs RDDs, not {type(rdd).__name__}")
        return RDD(engine.union(self._engine, [rdd._handle for rdd in rdds]), self)

    # --- what the context says of itself ----------------------------------------------------

    @property
    def defaultParallelism(self) -> int:
        """Number of partitions where none is given: ``spark.default.parallelism`` or the cores."""
        return self._default_parallelism

    @property
    def defaultMinPartitions(self) -> int:
        """Least number of partitions of a text file: two, or one on a single core."""
        return min(2, self._default_parallelism)

    @property
    def version(self) -> str:
        """The version of Spark whose API this is; ``swiftwater.__version__`` is the engine's."""
        return SPARK_VERSION

    def getConf(self) -> SparkConf:
        """Return a copy of the settings in effect (of those that somebody set)."""
        conf = SparkConf()
        conf.setAll(self._settings.values().items())
        conf.set("spark.master", self.master).set("spark.app.name", self.appName)
        return conf.set("spark.app.id", self.applicationId)

    def setLogLevel(self, logLevel: str) -> None:
        """Show log lines of this level and above: ALL, DEBUG, ERROR, FATAL, INFO, OFF, TRACE, WARN.

        Raises ``ValueError`` for any other word; the case does not matter.
        """
        level = str(logLevel).upper()
        if level not in _LOG_LEVELS:
            raise ValueError(f"the log level {logLevel} is not one of: {','.join(_LOG_LEVELS)}")
        engine.set_log_level(level)

    # --- the end ----------------------------------------------------------------------------

    def stop(self) -> None:
        """Close the engine. What streams are active on it stop first. Again: nothing happens."""
        _lifetime.require_this_process()
        self._stop_at_exit(graceful=False)

    def _stop_at_exit(self, graceful: bool) -> None:
        with SparkContext._lock:
            handle, self._handle = self._handle, None
            if SparkContext._active_spark_context is self:
                SparkContext._active_spark_context = None
        _lifetime.forget(self._stop_at_exit)
        if handle is None:
            return
        streaming = sys.modules.get("swiftwater.streaming.context")
        if streaming is not None:
            streaming.stop_streams_of(self, graceful)
        engine.close_context(handle)

    def __enter__(self) -> SparkContext:
        """Return the context itself; leaving the ``with`` block stops it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the context."""
        self.stop()

    def __repr__(self) -> str:
        """Return master and name, as PySpark shows them."""
        return f"<SparkContext master={self.master} appName={self.appName}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: a context is driver-side only."""
        raise RuntimeError(
            "[CONTEXT_ONLY_VALID_ON_DRIVER] It appears that you are attempting to reference "
            "SparkContext from a broadcast variable, action, or transformation. SparkContext can "
            "only be used on the driver, not in a function that works on records"
        )

    # --- for the rest of the package --------------------------------------------------------

    @property
    def _engine(self) -> Handle:
        """The engine's handle, or ``RuntimeError`` where it cannot be used any more."""
        _lifetime.require_this_process()
        if self._handle is None:
            raise RuntimeError("Cannot call methods on a stopped SparkContext")
        return self._handle

    def _shuffle_partitions(self, rdd: RDD[Any]) -> int:
        # Spark: the setting where it is given, else as many partitions as the RDD has.
        if self._settings.get("spark.default.parallelism"):
            return self.defaultParallelism
        return rdd.getNumPartitions()


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


def _add_to_path(path: str) -> None:
    # A module's folder, an archive or a folder: what has to be on sys.path to import from it.
    place = os.path.abspath(path)
    if not os.path.exists(place):
        raise FileNotFoundError(f"the Python file {path} of the job is not there")
    if place.endswith(".py"):
        place = os.path.dirname(place)
    if place not in sys.path:
        sys.path.insert(1, place)


def _local_path(name: str) -> str:
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"textFile needs a path, not {type(name).__name__}: {name!r}")
    name = os.fspath(name)
    scheme, colon, rest = name.partition(":")
    if colon and scheme == "file":
        return "/" + rest.lstrip("/")
    if "://" in name:
        raise ValueError(f"textFile reads local files only, not {scheme}: {name}")
    return name
