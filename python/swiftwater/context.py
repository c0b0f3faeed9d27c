"""SparkContext: the entry to the engine for programs that work on RDDs and streams."""

from __future__ import annotations

import functools
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from threading import RLock, get_ident, local
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from swiftwater import (
    _active,
    _address_space,
    _errors,
    _interrupts,
    _lifetime,
    _settings,
    _task_environment,
    _task_input,
)
from swiftwater._calls import call_place, call_site
from swiftwater._native import engine
from swiftwater._numbers import require_partitions
from swiftwater.conf import SparkConf, system_properties
from swiftwater.rdd import RDD

if TYPE_CHECKING:
    from types import TracebackType
    from weakref import ref

    from swiftwater._added_files import AddedFiles
    from swiftwater._claimed_folders import ClaimedFolder
    from swiftwater._jobs import Properties
    from swiftwater._jvm import JavaContext, JavaGateway, JavaName
    from swiftwater._swiftwater import Handle
    from swiftwater.accumulators import Accumulator, AccumulatorParam
    from swiftwater.broadcast import Broadcast
    from swiftwater.status import StatusTracker

__all__ = ["SparkContext"]

T = TypeVar("T")
U = TypeVar("U")

# The release of Spark whose API this package follows. Programs look at it to choose between old
# and new names, so it is Spark's number and not Swiftwater's.
SPARK_VERSION = "4.3.0"

_LOG_LEVELS = ("ALL", "DEBUG", "ERROR", "WARN", "INFO", "OFF", "FATAL", "TRACE")

# What reads through Hadoop's classes, and what to use instead.
_NOT_THERE = {
    "sequenceFile": "pickleFile, or textFile",
    "newAPIHadoopFile": "textFile, wholeTextFiles or binaryFiles",
    "newAPIHadoopRDD": "parallelize with what a Python client reads",
    "hadoopFile": "textFile, wholeTextFiles or binaryFiles",
    "hadoopRDD": "parallelize with what a Python client reads",
    "show_profiles": "cProfile around an action, or py-spy for the whole process",
    "dump_profiles": "cProfile around an action, or py-spy for the whole process",
}

# A range up to this length is a list at once; a longer one is made in its tasks.
_SHORT_RANGE = 10_000

# Values that PySpark pickles together, at most: what it cuts into slices.
_BATCH = 1024


class JVMOfContexts:
    """``_jvm`` of a context and of its class: PySpark keeps it in both."""

    def __get__(self, context: object, kind: type) -> JavaName:
        """Return what says that there is none."""
        from swiftwater import _jvm

        return _jvm.jvm


class SparkContext:
    """The engine, opened for one application. Only one may be active in a process.

    ``master`` says on how many cores work runs: ``"local"`` (one), ``"local[4]"``, ``"local[*]"``
    (all, the default). ``appName`` is the name that logs show, the script's file name where nobody
    gives one. Both may also come from ``conf`` (arguments win), from a properties file, the
    environment or the command line (these win over the code). ``pyFiles`` are put on the module
    path. ``sparkHome``, ``environment``, ``batchSize``, ``serializer``, ``gateway``, ``jsc`` and
    the profiler classes are accepted so that old programs run; they have no effect.

    Raises ``ValueError`` where another context is active, for a master or a setting that makes no
    sense, and ``RuntimeError`` in a child of ``os.fork`` and in a function that works on records.

    Example::

        >>> with SparkContext("local[2]", "sum of squares") as sc:
        ...     print(sc.parallelize(range(10)).map(lambda n: n * n).sum())
        285
    """

    _active_spark_context: ClassVar[SparkContext | None] = None
    _lock: ClassVar[RLock] = RLock()

    PACKAGE_EXTENSIONS: ClassVar[tuple[str, ...]] = (".zip", ".egg", ".jar")

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
        _require_driver()
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
            self.environment: dict[str, object] = dict(environment or {})
            _address_space.require()
            _task_input.install()
            self._handle: Handle | None = engine.open_context(_engine_settings(settings))
            _task_environment.watch()
            self.master: str = settings.get("spark.master") or ""
            self.appName: str = settings.get("spark.app.name") or ""
            self.sparkHome: str | None = settings.get("spark.home")
            self.startTime: int = int(time.time() * 1000)
            self.applicationId: str = f"local-{self.startTime}"
            self._default_parallelism = engine.default_parallelism(self._handle)
            self._rdd_ids = itertools.count()
            self._checkpoint_dir: str | None = None
            self._checkpoint_folders: list[ClaimedFolder] = []
            self._log_level = _spark_level(settings.get("swiftwater.log.level") or "info")
            self._added_files: AddedFiles | None = None
            self._local = local()
            self._threads: dict[int, ref[Properties]] = {}
            self._hadoop_settings: dict[str, str] = {}
            SparkContext._active_spark_context = self
            _lifetime.register(self._stop_at_exit)
        if not _interrupts.is_interactive():
            # What nobody catches has parts of records in it, and a terminal must not obey them.
            _errors.install(ends_after_interrupts=False)
        if _settings.command_line.print_config:
            _settings.command_line.print_config = False
            print(_settings.table(settings.entries))
            raise SystemExit(0)
        try:
            for path in _listed(None, settings.get("spark.files")):
                for file in _matching(path):
                    self.addFile(file)
            for path in _listed(None, settings.get("spark.archives")):
                for file in _matching(path):
                    self.addArchive(file)
        except BaseException:
            self.stop()
            raise

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
        """Return the active context; where there is none, open one with ``conf``.

        Raises ``PySparkRuntimeError`` in a function that works on records.

        Example::

            >>> SparkContext.getOrCreate() is sc
            True
        """
        _require_driver()
        with SparkContext._lock:
            active = SparkContext._active_spark_context
            return active if active is not None else cls(conf=conf)

    # --- RDDs -------------------------------------------------------------------------------

    def parallelize(self, c: Iterable[T], numSlices: int | None = None) -> RDD[T]:
        """Make an RDD of the values of ``c`` (any iterable; it is read to its end now).

        ``numSlices`` is the number of partitions, by default ``defaultParallelism``; slice ``i``
        of ``p`` holds the values from position ``i * n // p`` up to ``(i + 1) * n // p``. Where
        ``c`` is no ``range``, Spark counts in batches of ``n // p`` values (1024 at most) instead
        of single ones, and so does this. Raises ``ValueError`` for fewer than one slice.

        Example::

            >>> sc.parallelize(range(5), 3).glom().collect()
            [[0], [1, 2], [3, 4]]
        """
        slices = self._slices(numSlices)
        values = list(c)
        batch = 1 if isinstance(c, range) else max(1, min(len(values) // slices, _BATCH))
        return RDD(engine.parallelize(self._engine, values, slices, batch), self)

    def range(
        self, start: int, end: int | None = None, step: int = 1, numSlices: int | None = None
    ) -> RDD[int]:
        """Make an RDD of the whole numbers of ``range(start, end, step)``.

        With one argument it begins at 0. A long one needs no memory for its numbers: they are made
        in the tasks. Raises ``TypeError`` and ``ValueError`` as ``range`` does.

        Example::

            >>> sc.range(1, 10, 3, numSlices=2).glom().collect()
            [[1], [4, 7]]
        """
        numbers = range(start) if end is None else range(start, end, step)
        slices = self._slices(numSlices)
        try:
            size = len(numbers)
        except OverflowError:
            raise ValueError(f"{numbers} has more numbers than can be counted") from None
        if size <= _SHORT_RANGE:
            return RDD(engine.parallelize(self._engine, list(numbers), slices, 1), self)
        parts = [numbers[size * i // slices : size * (i + 1) // slices] for i in range(slices)]
        whole: RDD[range] = RDD(engine.parallelize(self._engine, parts, slices, 1), self)
        return whole.flatMap(_numbers_of)

    def _slices(self, given: int | None) -> int:
        if given is None:
            return self.defaultParallelism
        try:
            slices = int(given)
        except OverflowError:
            raise ValueError(f"parallelize needs a number of slices, not {given}") from None
        if slices < 1:
            raise ValueError(f"parallelize needs at least one slice, not {slices}")
        require_partitions("parallelize", slices)
        return slices

    def _least_partitions(self, name: str, given: int | None, default: int) -> int:
        """Return how many partitions of files are asked for: 1 or more."""
        try:
            # Spark: 0 is as good as nothing.
            partitions = int(given) if given else default
        except OverflowError:
            raise ValueError(f"{name} needs a number of partitions, not {given}") from None
        require_partitions(name, partitions)
        return max(partitions, 1)

    def emptyRDD(self) -> RDD[Any]:
        """Make an RDD without records and without partitions.

        Example::

            >>> sc.emptyRDD().getNumPartitions()
            0
        """
        return RDD(engine.parallelize(self._engine, [], 0, 1), self)

    def textFile(
        self, name: str, minPartitions: int | None = None, use_unicode: bool = True
    ) -> RDD[str]:
        r"""Make an RDD of the lines of a text file, or of all files of a folder.

        ``name`` is a path or a ``file:`` URL; a pattern such as ``logs/*.txt`` and several paths
        with commas between them stand for all their files. ``minPartitions`` is a lower bound, by
        default ``defaultMinPartitions``. Lines end with ``\n``, ``\r\n`` or ``\r``; bytes that are
        not UTF-8 become U+FFFD, and a byte order mark in front of a file is left out. With
        ``use_unicode=False`` the lines are ``bytes`` in UTF-8. Compressed files (``.gz``, ``.bz2``,
        ``.deflate``, ``.zst``, ``.xz``) are unpacked; each is one partition. A file that is not
        there, or is damaged, raises ``OSError``, at the latest when the lines are asked for.

        Example::

            >>> from pathlib import Path
            >>> _ = Path(tmp, "lines.txt").write_text("to be\nor not\n")
            >>> sc.textFile(f"{tmp}/lines.txt").collect()
            ['to be', 'or not']
        """
        from swiftwater._paths import local_path

        least = self._least_partitions("textFile", minPartitions, self.defaultMinPartitions)
        path = local_path(name, "textFile")
        lines: RDD[str] = RDD(engine.text_file(self._engine, path, least), self)
        lines._origin = (lines._id, "textFile", call_site(), -1, (), 0, os.fspath(name))
        # The type is PySpark's: bytes are the exception that the caller asked for.
        encode: Any = str.encode
        return lines if use_unicode else lines.map(encode)

    def wholeTextFiles(
        self, path: str, minPartitions: int | None = None, use_unicode: bool = True
    ) -> RDD[tuple[str, str]]:
        """Make an RDD of ``(file, text)`` for each file of a folder.

        ``path`` is what ``textFile`` takes, compressed files too. The file's name is a ``file:``
        URL. Bytes that are not UTF-8 become U+FFFD; with ``use_unicode=False`` both are ``bytes``.
        Small files share a partition. Which files there are is decided now; what is not there
        raises ``OSError``.

        Example::

            >>> from pathlib import Path
            >>> _ = Path(tmp, "a.txt").write_text("one")
            >>> _ = Path(tmp, "b.txt").write_text("two")
            >>> sc.wholeTextFiles(tmp).map(lambda file: (file[0][-5:], file[1])).collect()
            [('a.txt', 'one'), ('b.txt', 'two')]
        """
        from swiftwater import _files_in

        return _files_in.whole_text_files(self, path, minPartitions, use_unicode)

    def binaryFiles(self, path: str, minPartitions: int | None = None) -> RDD[tuple[str, bytes]]:
        r"""Make an RDD of ``(file, bytes)`` for each file of a folder.

        The rest is as in ``wholeTextFiles``, but what is compressed stays so.

        Example::

            >>> from pathlib import Path
            >>> _ = Path(tmp, "a.bin").write_bytes(bytes([0, 255]))
            >>> sc.binaryFiles(f"{tmp}/a.bin").values().collect()
            [b'\x00\xff']
        """
        from swiftwater import _files_in

        return _files_in.binary_files(self, path, minPartitions)

    def binaryRecords(self, path: str, recordLength: int) -> RDD[bytes]:
        """Make an RDD of the records of files whose records all have ``recordLength`` bytes.

        ``path`` is what ``textFile`` takes. A file that ends within a record raises ``EOFError``
        when its records are asked for. Raises ``ValueError`` for a length below 1, and for files
        whose names say that they are compressed.

        Example::

            >>> from pathlib import Path
            >>> _ = Path(tmp, "records").write_bytes(b"abcdef")
            >>> sc.binaryRecords(f"{tmp}/records", 2).collect()
            [b'ab', b'cd', b'ef']
        """
        from swiftwater import _files_in

        return _files_in.binary_records(self, path, recordLength)

    def pickleFile(self, name: str, minPartitions: int | None = None) -> RDD[Any]:
        """Make an RDD of the records that ``RDD.saveAsPickleFile`` has written.

        Each file of the folder is a partition; ``minPartitions`` is accepted. Files that Spark
        wrote are Hadoop's and are refused. Unpickling can run any code: read what you trust.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)], 2).saveAsPickleFile(f"{tmp}/pairs")
            >>> sc.pickleFile(f"{tmp}/pairs").collect()
            [('a', 1), ('b', 2)]
        """
        from swiftwater import _files_in

        return _files_in.pickle_file(self, name)

    def union(self, rdds: Sequence[RDD[T]]) -> RDD[T]:
        """Put RDDs one after the other; the partitions are those of all of them.

        Where all are partitioned by key in the same way, so is the result: partition ``i`` holds
        the partitions ``i`` of all. Raises ``ValueError`` for an empty list.

        Example::

            >>> sc.union([sc.parallelize([1]), sc.parallelize([2]), sc.parallelize([3])]).collect()
            [1, 2, 3]
        """
        if not rdds:
            raise ValueError("union needs at least one RDD")
        for rdd in rdds:
            if not isinstance(rdd, RDD):
                raise TypeError(f"union needs RDDs, not {type(rdd).__name__}")
        partitioner = getattr(rdds[0], "partitioner", None)
        if partitioner is not None and all(
            getattr(rdd, "partitioner", None) == partitioner for rdd in rdds
        ):
            return functools.reduce(RDD.union, rdds)
        return RDD(engine.union(self._engine, [rdd._handle for rdd in rdds]), self)

    def runJob(
        self,
        rdd: RDD[T],
        partitionFunc: Callable[[Iterator[T]], Iterable[U]],
        partitions: Sequence[int] | None = None,
        allowLocal: bool = False,
    ) -> list[U]:
        """Return what ``partitionFunc(iterator)`` gives for the partitions with these numbers.

        Without ``partitions`` it is all of them. Raises ``IllegalArgumentException`` for a number
        that the RDD does not have.

        Example::

            >>> sc.runJob(sc.parallelize(range(6), 3), lambda part: [sum(part)], [2, 0])
            [9, 1]
        """
        mapped = rdd.mapPartitions(partitionFunc)
        if partitions is None:
            return mapped.collect()
        from swiftwater import _jobs

        count = rdd.getNumPartitions()
        for partition in partitions:
            if not 0 <= partition < count:
                from swiftwater.errors import IllegalArgumentException

                raise IllegalArgumentException(
                    f"Attempting to access a non-existent partition: {partition}. "
                    f"Total number of partitions: {count}"
                )
        return _jobs.run_partitions(mapped, list(partitions))

    # --- shared variables -------------------------------------------------------------------

    def broadcast(self, value: T) -> Broadcast[T]:
        """Return an object through which functions share ``value`` instead of copying it each.

        What can be changed in it is copied once, here. Raises ``pickle.PicklingError`` for an RDD
        or a context.

        Example::

            >>> stop = sc.broadcast({"the", "a"})
            >>> sc.parallelize(["the", "end"]).filter(lambda w: w not in stop.value).collect()
            ['end']
        """
        _ = self._engine
        from swiftwater.broadcast import Broadcast

        return Broadcast(self, value)

    def accumulator(
        self, value: T, accum_param: AccumulatorParam[T] | None = None
    ) -> Accumulator[T]:
        """Return a variable that tasks add to and the driver reads.

        Numbers are added with ``+``; for anything else ``accum_param`` says how. Raises
        ``TypeError`` where it is missing.

        Example::

            >>> records = sc.accumulator(0)
            >>> sc.parallelize("abc").foreach(lambda record: records.add(1))
            >>> records.value
            3
        """
        from swiftwater import accumulators

        param = accum_param if accum_param is not None else accumulators.default_param(value)
        return accumulators.Accumulator(next(accumulators.numbers), value, param)

    # --- files ------------------------------------------------------------------------------

    def addFile(self, path: str, recursive: bool = False) -> None:
        """Copy a file into the folder of ``SparkFiles``, where functions find it by its name.

        ``path`` is a path or a URL (``file:``, ``http:``, ``https:``, ``ftp:``). A folder needs
        ``recursive=True``. The same path again is ignored; raises ``SparkException`` for another
        file of the same name, and ``OSError`` where there is none.

        Example::

            >>> from pathlib import Path
            >>> _ = Path(tmp, "limit.txt").write_text("7")
            >>> sc.addFile(f"{tmp}/limit.txt")
            >>> Path(SparkFiles.get("limit.txt")).read_text()
            '7'
        """
        self._files.add(path, recursive)

    @property
    def listFiles(self) -> list[str]:
        """What ``addFile`` and ``addPyFile`` have added, as URLs.

        Example::

            >>> sc.listFiles
            []
        """
        return self._files.listed()

    def addPyFile(self, path: str) -> None:
        """Copy a Python file or an archive of modules, from which ``import`` then finds them.

        Raises what ``addFile`` raises.

        Example::

            >>> from pathlib import Path
            >>> _ = Path(tmp, "answers.py").write_text("ANSWER = 42")
            >>> sc.addPyFile(f"{tmp}/answers.py")
            >>> import answers
            >>> answers.ANSWER
            42
        """
        import importlib

        copy = self._files.add(path, recursive=False)
        packed = copy[-4:].lower() in self.PACKAGE_EXTENSIONS
        for place in [copy, self._files.root()] if packed else [self._files.root()]:
            if place not in sys.path:
                sys.path.insert(1, place)
        importlib.invalidate_caches()

    def addArchive(self, path: str) -> None:
        """Unpack an archive into a folder of ``SparkFiles`` that has its name.

        ``path`` is as in ``addFile``; behind a ``#`` there may be another name for the folder. The
        archive is a ``.zip``, ``.jar``, ``.tar``, ``.tar.gz`` or ``.tgz``.

        Example::

            >>> import zipfile
            >>> from pathlib import Path
            >>> with zipfile.ZipFile(f"{tmp}/words.zip", "w") as archive:
            ...     archive.writestr("en.txt", "the")
            >>> sc.addArchive(f"{tmp}/words.zip#words")
            >>> Path(SparkFiles.get("words/en.txt")).read_text()
            'the'
        """
        self._files.add_archive(path)

    @property
    def listArchives(self) -> list[str]:
        """What ``addArchive`` has added, as URLs.

        Example::

            >>> sc.listArchives
            []
        """
        return self._files.archives()

    def setCheckpointDir(self, dirName: str) -> None:
        """Have ``RDD.checkpoint`` write into a new folder below ``dirName``, which is made now.

        Example::

            >>> sc.setCheckpointDir(f"{tmp}/checkpoints")
            >>> sc.getCheckpointDir().startswith(f"file:{tmp}/checkpoints/")
            True
        """
        from swiftwater._paths import local_path
        from swiftwater._rdd.kept import new_folder

        folder = new_folder(os.path.abspath(local_path(dirName, "setCheckpointDir")))
        self._checkpoint_folders.append(folder)
        self._checkpoint_dir = folder.path

    def getCheckpointDir(self) -> str | None:
        """Return the folder for checkpoints as a URL; ``None`` where none was set.

        Example::

            >>> sc.getCheckpointDir() is None
            True
        """
        return None if self._checkpoint_dir is None else f"file:{self._checkpoint_dir}"

    # --- jobs -------------------------------------------------------------------------------

    def setLocalProperty(self, key: str, value: str | None) -> None:
        """Set a property of the calling thread, which its tasks read; ``None`` takes it away.

        Example::

            >>> sc.setLocalProperty("user", "ada")
            >>> sc.getLocalProperty("user")
            'ada'
        """
        properties = self._properties()
        if value is None:
            properties.pop(key, None)
        else:
            properties[key] = str(value)

    def getLocalProperty(self, key: str) -> str | None:
        """Return a property of the calling thread; ``None`` where it is not set.

        Example::

            >>> sc.getLocalProperty("user") is None
            True
        """
        return self._properties().get(key)

    def setJobGroup(self, groupId: str, description: str, interruptOnCancel: bool = False) -> None:
        """Give the jobs of the calling thread a name by which another thread can cancel them.

        ``interruptOnCancel`` is accepted: cancelling always ends the function that runs.

        Example::

            >>> sc.setJobGroup("nightly", "sums of the night")
            >>> sc.getLocalProperty("spark.jobGroup.id")
            'nightly'
        """
        from swiftwater import _jobs

        _jobs.watch()
        self.setLocalProperty(_jobs.GROUP, groupId)
        self.setLocalProperty(_jobs.DESCRIPTION, description)
        self.setLocalProperty(_jobs.INTERRUPT, str(bool(interruptOnCancel)).lower())

    def setInterruptOnCancel(self, interruptOnCancel: bool) -> None:
        """Set what ``setJobGroup`` takes as ``interruptOnCancel``.

        Example::

            >>> sc.setInterruptOnCancel(True)
            >>> sc.getLocalProperty("spark.job.interruptOnCancel")
            'true'
        """
        self.setLocalProperty("spark.job.interruptOnCancel", str(bool(interruptOnCancel)).lower())

    def setJobDescription(self, value: str) -> None:
        """Describe the jobs of the calling thread.

        Example::

            >>> sc.setJobDescription("sums of the night")
            >>> sc.getLocalProperty("spark.job.description")
            'sums of the night'
        """
        self.setLocalProperty("spark.job.description", value)

    def addJobTag(self, tag: str) -> None:
        """Give the jobs of the calling thread one more tag. No commas, and not empty.

        Example::

            >>> sc.addJobTag("nightly")
            >>> sc.getJobTags()
            {'nightly'}
        """
        if not isinstance(tag, str) or not tag or "," in tag:
            from swiftwater.errors import IllegalArgumentException

            raise IllegalArgumentException(
                f"requirement failed: a job's tag is a text without commas, not {tag!r}"
            )
        self._set_tags(self.getJobTags() | {tag})

    def removeJobTag(self, tag: str) -> None:
        """Take a tag away again.

        Example::

            >>> sc.addJobTag("nightly")
            >>> sc.removeJobTag("nightly")
            >>> sc.getJobTags()
            set()
        """
        self._set_tags(self.getJobTags() - {tag})

    def getJobTags(self) -> set[str]:
        """Return the tags of the calling thread's jobs.

        Example::

            >>> sc.getJobTags()
            set()
        """
        return _tags(self._properties())

    def clearJobTags(self) -> None:
        """Take all tags away.

        Example::

            >>> sc.addJobTag("nightly")
            >>> sc.clearJobTags()
            >>> sc.getJobTags()
            set()
        """
        self._set_tags(set())

    def _set_tags(self, tags: set[str]) -> None:
        self.setLocalProperty("spark.job.tags", ",".join(sorted(tags)) or None)

    def cancelJobGroup(self, groupId: str) -> None:
        """End the jobs that other threads run in this group: they raise ``JobCancelledException``.

        A job ends in the Python function that runs, or else before its next result.

        Example::

            >>> sc.cancelJobGroup("nobody's")
        """
        from swiftwater import _jobs

        threads = self._threads_with(lambda given: given.get(_jobs.GROUP) == groupId)
        _jobs.cancel(threads, f"Job cancelled part of cancelled job group {groupId}")

    def cancelJobsWithTag(self, tag: str) -> None:
        """End the jobs that other threads run with this tag; see ``cancelJobGroup``.

        Example::

            >>> sc.cancelJobsWithTag("nobody's")
        """
        from swiftwater import _jobs

        threads = self._threads_with(lambda given: tag in _tags(given))
        _jobs.cancel(threads, f"Job cancelled part of cancelled job tags {tag}")

    def cancelAllJobs(self) -> None:
        """End all jobs that other threads run; see ``cancelJobGroup``.

        Example::

            >>> sc.cancelAllJobs()
        """
        from swiftwater import _jobs

        _jobs.cancel(None, "Job cancelled as part of cancellation of all jobs")

    def statusTracker(self) -> StatusTracker:
        """Return what tells of running and ended jobs.

        Example::

            >>> sc.statusTracker().getActiveJobsIds()
            []
        """
        _ = self._engine
        from swiftwater.status import StatusTracker

        return StatusTracker(self)

    # --- what the context says of itself ----------------------------------------------------

    @property
    def defaultParallelism(self) -> int:
        """Number of partitions where none is given: ``spark.default.parallelism`` or the cores.

        Example::

            >>> sc.defaultParallelism
            2
        """
        return self._default_parallelism

    @property
    def defaultMinPartitions(self) -> int:
        """Least number of partitions of a text file: two, or one on a single core.

        Example::

            >>> sc.defaultMinPartitions
            2
        """
        return min(2, self._default_parallelism)

    @property
    def version(self) -> str:
        """The version of Spark whose API this is; ``swiftwater.__version__`` is the engine's.

        Example::

            >>> sc.version >= "4"
            True
        """
        return SPARK_VERSION

    @property
    def uiWebUrl(self) -> str | None:
        """``None``: there is no web page. The status line and the log say what goes on.

        Example::

            >>> sc.uiWebUrl is None
            True
        """
        return None

    @property
    def resources(self) -> dict[str, Any]:
        """The accelerators of the driver: none.

        Example::

            >>> sc.resources
            {}
        """
        return {}

    def sparkUser(self) -> str:
        """Return the name of the user who runs the program.

        Example::

            >>> sc.sparkUser() != ""
            True
        """
        import getpass

        return os.environ.get("SPARK_USER") or getpass.getuser()

    def getConf(self) -> SparkConf:
        """Return a copy of the settings in effect (of those that somebody set).

        Example::

            >>> sc.getConf().get("spark.master")
            'local[2]'
        """
        conf = SparkConf(loadDefaults=False)
        conf.setAll(self._settings.values().items())
        conf.set("spark.master", self.master).set("spark.app.name", self.appName)
        return conf.set("spark.app.id", self.applicationId)

    def setLogLevel(self, logLevel: str) -> None:
        """Show log lines of this level and above: ALL, DEBUG, ERROR, FATAL, INFO, OFF, TRACE, WARN.

        Raises ``IllegalArgumentException`` for any other word; the case does not matter.

        Example::

            >>> sc.setLogLevel("warn")
        """
        level = str(logLevel).upper()
        if level not in _LOG_LEVELS:
            from swiftwater.errors import IllegalArgumentException

            raise IllegalArgumentException(
                f"requirement failed: Supplied level {logLevel} did not match one of: "
                f"{','.join(_LOG_LEVELS)}"
            )
        engine.set_log_level(level)
        self._log_level = level

    @classmethod
    def setSystemProperty(cls, key: str, value: str) -> None:
        """Set what a ``SparkConf`` made afterwards begins with, where ``key`` begins with spark.

        Example::

            >>> SparkContext.setSystemProperty("spark.ui.port", "4041")
            >>> SparkConf().get("spark.ui.port")
            '4041'
            >>> SparkContext.setSystemProperty("spark.ui.port", None)
        """
        if value is None:
            system_properties.pop(key, None)
        else:
            system_properties[key] = str(value)

    @classmethod
    def getSystemProperty(cls, key: str) -> str | None:
        """Return what ``setSystemProperty`` has set; ``None`` where nothing is.

        Example::

            >>> SparkContext.getSystemProperty("java.home") is None
            True
        """
        return system_properties.get(key)

    @property
    def pythonVer(self) -> str:
        """The minor version of Python that runs the functions.

        Example::

            >>> sc.pythonVer.split(".")[0]
            '3'
        """
        return f"{sys.version_info[0]}.{sys.version_info[1]}"

    @property
    def pythonExec(self) -> str:
        """The interpreter that runs the functions: this one.

        Example::

            >>> import sys
            >>> sc.pythonExec == sys.executable
            True
        """
        return sys.executable

    @property
    def _conf(self) -> SparkConf:
        return self.getConf()

    _jvm = JVMOfContexts()

    @property
    def _gateway(self) -> JavaGateway:
        from swiftwater._jvm import JavaGateway

        return JavaGateway()

    @property
    def _jsc(self) -> JavaContext | None:
        if self._handle is None:
            return None
        from swiftwater._jvm import JavaContext

        return JavaContext(self)

    if not TYPE_CHECKING:
        # To a type checker these names are not there.

        def __getattr__(self, name: str) -> Callable[..., NoReturn]:
            # Only for what is not found in any other way.
            if name not in _NOT_THERE:
                raise AttributeError(f"'SparkContext' object has no attribute '{name}'")

            def refuse(*arguments: object, **named: object) -> NoReturn:
                raise NotImplementedError(
                    f"SparkContext.{name} is not part of Swiftwater: use {_NOT_THERE[name]}"
                )

            return refuse

    # --- the end ----------------------------------------------------------------------------

    def stop(self) -> None:
        """Close the engine. What streams are active on it stop first. Again: nothing happens.

        Inside a function given to ``foreachRDD`` or ``transform`` this only asks, as
        ``StreamingContext.stop`` does: the batch still needs the context.

        Example::

            >>> sc = SparkContext("local", "short")
            >>> sc.stop()
            >>> sc.parallelize([1])
            Traceback (most recent call last):
            ...
            swiftwater.errors.IllegalStateException: Cannot call methods on a stopped SparkContext
        """
        _lifetime.require_this_process()
        streams = _active.active_streams()
        if streams is not None and streams._sc is self:
            streams.stop(stopSparkContext=True)
        else:
            self._stop_at_exit(graceful=False)

    def _stop_at_exit(self, graceful: bool) -> None:
        with SparkContext._lock:
            handle, self._handle = self._handle, None
            if SparkContext._active_spark_context is self:
                SparkContext._active_spark_context = None
        _lifetime.forget(self._stop_at_exit)
        if handle is None:
            return
        streams = _active.active_streams()
        if streams is not None and streams._sc is self:
            streams._stop_streams(graceful)
        engine.close_context(handle)
        for close in _active.at_close:
            close(self)
        if self._added_files is not None:
            self._added_files.delete()
        if self._checkpoint_folders:
            from swiftwater._rdd.kept import give_back

            give_back(self._checkpoint_folders)

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

    def _repr_html_(self) -> str:
        # What a notebook shows.
        rows = (("Version", f"v{self.version}"), ("Master", self.master), ("AppName", self.appName))
        cells = "".join(f"<dt>{name}</dt><dd><code>{text}</code></dd>" for name, text in rows)
        return f"<div><p><b>SparkContext</b></p><dl>{cells}</dl></div>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: a context is driver-side only."""
        raise _driver_only(
            "It appears that you are attempting to reference "
            "SparkContext from a broadcast variable, action, or transformation. SparkContext can "
            "only be used on the driver, not in a function that works on records"
        )

    # --- for the rest of the package --------------------------------------------------------

    @property
    def _engine(self) -> Handle:
        """The engine's handle, or ``IllegalStateException`` where it can no more be used."""
        _lifetime.require_this_process()
        if self._handle is None:
            from swiftwater.errors import IllegalStateException

            raise IllegalStateException("Cannot call methods on a stopped SparkContext")
        return self._handle

    @property
    def _files(self) -> AddedFiles:
        """The folder of added files."""
        _ = self._engine
        with SparkContext._lock:
            if self._added_files is None:
                from swiftwater._added_files import AddedFiles

                self._added_files = AddedFiles(self._settings.get("spark.local.dir") or None)
            return self._added_files

    def _properties(self) -> Properties:
        """Return the local properties of the calling thread, for reading and for writing."""
        try:
            found: Properties = self._local.properties
        except AttributeError:
            from weakref import ref

            from swiftwater._jobs import Properties

            found = self._local.properties = Properties()
            self._threads[get_ident()] = ref(found)
        return found

    def _threads_with(self, matches: Callable[[Properties], bool]) -> list[int]:
        """Return the threads whose local properties fulfil a condition."""
        given = {thread: made() for thread, made in list(self._threads.items())}
        return [thread for thread, found in given.items() if found is not None and matches(found)]

    def _shuffle_partitions(self, rdd: RDD[Any]) -> int:
        # Spark: the setting where it is given, else as many partitions as the RDD has.
        if self._settings.get("spark.default.parallelism"):
            return self.defaultParallelism
        return rdd.getNumPartitions()


_active.find_context(lambda: SparkContext._active_spark_context)


def _driver_only(message: str) -> Exception:
    from swiftwater.errors import PySparkRuntimeError

    return PySparkRuntimeError(
        message, errorClass="CONTEXT_ONLY_VALID_ON_DRIVER", messageParameters={}
    )


def _require_driver() -> None:
    if engine.current_task() is not None:
        raise _driver_only(
            "a SparkContext can only be made and asked for on the driver, not in a function that "
            "works on records"
        )


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


def _numbers_of(numbers: range) -> range:
    return numbers


def _tags(properties: Mapping[str, str]) -> set[str]:
    return set(filter(None, properties.get("spark.job.tags", "").split(",")))
