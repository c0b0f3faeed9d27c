"""SparkContext: the entry to the engine for programs that work on RDDs and streams."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock

from swiftwater import _active_contexts
from swiftwater._assembling import assembled
from swiftwater._context.core import JVMOfContexts, SparkContextCore
from swiftwater._context.description import SPARK_VERSION, Description
from swiftwater._context.jobs import Jobs
from swiftwater._context.opening import Opening
from swiftwater._context.shared import Shared
from swiftwater._context.sources import Sources
from swiftwater._typing import TYPE_CHECKING, ClassVar, NoReturn

__all__ = ["SPARK_VERSION", "SparkContext"]

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


@assembled
class SparkContext(Opening, Sources, Shared, Jobs, Description):
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
    _jvm = JVMOfContexts()

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


SparkContextCore._context_class = SparkContext
_active_contexts.find_context(lambda: SparkContext._active_spark_context)
