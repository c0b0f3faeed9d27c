"""PySpark's base class for tests of streams, in real time. ``swiftwater.testing`` need not wait."""

from __future__ import annotations

import shutil
import tempfile
import time
import unittest
from collections.abc import Callable, Sequence

from pyspark import RDD, SparkConf, SparkContext
from pyspark.streaming import DStream, StreamingContext
from swiftwater._typing import Any, ClassVar

__all__ = ["PySparkStreamingTestCase"]


class PySparkStreamingTestCase(unittest.TestCase):
    """Gives each test streams of its own, ``self.ssc``, on the class's context, ``self.sc``."""

    timeout: float = 30
    duration: float = 0.5
    sc: ClassVar[SparkContext]
    ssc: StreamingContext | None
    _checkpoints: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        """Make the context, whose shuffles have one partition."""
        conf = SparkConf().set("spark.default.parallelism", 1)
        cls.sc = SparkContext(appName=cls.__name__, conf=conf)
        cls._checkpoints = tempfile.mkdtemp()
        cls.sc.setCheckpointDir(cls._checkpoints)

    @classmethod
    def tearDownClass(cls) -> None:
        """Stop the context."""
        cls.sc.stop()
        shutil.rmtree(cls._checkpoints, ignore_errors=True)

    def setUp(self) -> None:
        """Make the streams."""
        self.ssc = StreamingContext(self.sc, self.duration)

    def tearDown(self) -> None:
        """Stop the streams."""
        if self.ssc is not None:
            self.ssc.stop(stopSparkContext=False)
        left = StreamingContext.getActive()
        if left is not None:
            left.stop(stopSparkContext=False)

    def wait_for(self, result: Sequence[Any], n: int) -> None:
        """Wait until ``result`` has ``n`` elements, or the time is over."""
        end = time.monotonic() + self.timeout
        while len(result) < n:
            if time.monotonic() >= end:
                print(f"timeout after {self.timeout}")
                return
            time.sleep(0.01)

    def _started(self) -> StreamingContext:
        if self.ssc is None:
            self.fail("there is no StreamingContext to start")
        self.ssc.start()
        return self.ssc

    def _take(self, dstream: DStream[Any], n: int) -> list[Any]:
        """Start the streams and return the first ``n`` records of one of them."""
        records: list[Any] = []

        def take(_: object, rdd: RDD[Any]) -> None:
            if len(records) < n:
                records.extend(rdd.take(n - len(records)))

        dstream.foreachRDD(take)
        self._started()
        self.wait_for(records, n)
        return records

    def _collect(self, dstream: DStream[Any], n: int, block: bool = True) -> list[list[Any]]:
        """Return the first ``n`` batches that are not empty.

        With ``block=False`` the streams are not started: the list fills when they are.
        """
        batches: list[list[Any]] = []

        def collect(_: object, rdd: RDD[Any]) -> None:
            if len(batches) < n:
                records = rdd.collect()
                if records:
                    batches.append(records)

        dstream.foreachRDD(collect)
        if block:
            self._started()
            self.wait_for(batches, n)
        return batches

    def _test_func(
        self,
        input: Sequence[Any],
        func: Callable[..., DStream[Any]],
        expected: list[list[Any]],
        sort: bool = False,
        input2: Sequence[Any] | None = None,
    ) -> None:
        """Check which batches ``func`` makes of ``input``, or of ``input`` and ``input2``."""
        if self.ssc is None:
            self.fail("there is no StreamingContext")
        streams = [
            self.ssc.queueStream([self._rdd(batch) for batch in batches])
            for batches in (input, input2)
            if batches
        ]
        found = self._collect(func(*streams), len(expected))
        if sort:
            self._sort_result_based_on_key(found)
            self._sort_result_based_on_key(expected)
        self.assertEqual(expected, found)  # noqa: PT009 - it shows how they differ

    def _rdd(self, batch: Any) -> RDD[Any]:
        return batch if isinstance(batch, RDD) else self.sc.parallelize(batch, 1)

    def _sort_result_based_on_key(self, outputs: list[list[Any]]) -> None:
        """Sort each batch by key."""
        for batch in outputs:
            batch.sort(key=lambda pair: pair[0])
