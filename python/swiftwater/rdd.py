"""RDD: a lazy collection in partitions."""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._assembling import assembled
from swiftwater._rdd.core import RDDCore, T_co
from swiftwater._rdd.description import Description
from swiftwater._rdd.joins import Joins
from swiftwater._rdd.keeping import Keeping
from swiftwater._rdd.keys import Keys
from swiftwater._rdd.layout import Layout
from swiftwater._rdd.order import Order
from swiftwater._rdd.outputs import Outputs
from swiftwater._rdd.partitioners import Partitioner, portable_hash
from swiftwater._rdd.records import Records
from swiftwater._rdd.results import Results
from swiftwater._rdd.samples import Samples
from swiftwater._rdd.statistics import Statistics
from swiftwater._rdd.taking import Taking
from swiftwater._typing import Any, NoReturn

__all__ = ["RDD", "Partitioner", "portable_hash"]


@assembled
class RDD(
    Records[T_co],
    Samples[T_co],
    Keys[T_co],
    Joins[T_co],
    Layout[T_co],
    Order[T_co],
    Taking[T_co],
    Results[T_co],
    Statistics[T_co],
    Outputs[T_co],
    Keeping[T_co],
    Description[T_co],
):
    """Records of one type in numbered partitions; nothing is computed before an action asks.

    Made by ``SparkContext.parallelize`` and ``textFile``, handed to the functions of
    ``DStream.transform`` and ``foreachRDD``. Transformations (``map``, ``filter``,
    ``reduceByKey``, ...) return a new RDD at once; actions (``collect``, ``count``, ``take``, ...)
    run the work and return plain values. An error in a user's function is raised by the action,
    with the operator and the place of its call as notes. An RDD is always true in a condition.

    ``partitioner`` says how the records are placed, where that is known (else ``None``).

    Example::

        >>> words = sc.parallelize(["a b", "a"]).flatMap(str.split)
        >>> words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b, 1).collect()
        [('a', 2), ('b', 1)]
    """


RDDCore._rdd_class = RDD

# What PySpark's RDD has and this one has not, and what to use instead.
_NOT_THERE = {
    "barrier": "tasks do not run side by side: use mapPartitions(f)",
    "cleanShuffleDependencies": "a shuffle is freed with its RDD: leave the call out",
    "collectWithJobGroup": "use SparkContext.setJobGroup(...) and collect()",
    "countApprox": "use count()",
    "countApproxDistinct": "use distinct().count()",
    "getResourceProfile": "there is one machine: leave the call out",
    "mapPartitionsWithSplit": "use mapPartitionsWithIndex(f)",
    "meanApprox": "use mean()",
    "saveAsHadoopDataset": "use saveAsTextFile(path) or saveAsPickleFile(path)",
    "saveAsHadoopFile": "use saveAsTextFile(path) or saveAsPickleFile(path)",
    "saveAsNewAPIHadoopDataset": "use saveAsTextFile(path) or saveAsPickleFile(path)",
    "saveAsNewAPIHadoopFile": "use saveAsTextFile(path) or saveAsPickleFile(path)",
    "saveAsSequenceFile": "use saveAsTextFile(path) or saveAsPickleFile(path)",
    "sumApprox": "use sum()",
    "withResources": "there is one machine: leave the call out",
}


def _refusal(name: str, instead: str) -> Callable[..., NoReturn]:
    message = f"RDD.{name} is not part of Swiftwater: {instead}"

    def refuse(self: RDD[Any], *args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError(message)

    refuse.__name__ = name
    refuse.__qualname__ = f"RDD.{name}"
    refuse.__doc__ = f"""Raise ``NotImplementedError``: {instead}.

        Example::

            >>> sc.parallelize([1]).{name}()
            Traceback (most recent call last):
            NotImplementedError: {message}
        """
    return refuse


for _missing, _instead in _NOT_THERE.items():
    setattr(RDD, _missing, _refusal(_missing, _instead))
