"""Where RDDs come from: values of the program, files, other RDDs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from swiftwater._context.core import SparkContextCore
from swiftwater._native import engine
from swiftwater._numbers import require_partitions
from swiftwater._operator_calls import call_site
from swiftwater._typing import Any, TypeVar
from swiftwater.rdd import RDD

__all__ = ["Sources"]

T = TypeVar("T")
U = TypeVar("U")

# A range up to this length is a list at once; a longer one is made in its tasks.
_SHORT_RANGE = 10_000

# Values that PySpark pickles together, at most: what it cuts into slices.
_BATCH = 1024


class Sources(SparkContextCore):
    """Sources of RDDs."""

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
        return RDD(engine.parallelize(self._engine, values, slices, batch), self._itself)

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
            return RDD(engine.parallelize(self._engine, list(numbers), slices, 1), self._itself)
        parts = [numbers[size * i // slices : size * (i + 1) // slices] for i in range(slices)]
        whole: RDD[range] = RDD(engine.parallelize(self._engine, parts, slices, 1), self._itself)
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

    @property
    def defaultMinPartitions(self) -> int:
        """Least number of partitions of a text file: two, or one on a single core.

        Example::

            >>> sc.defaultMinPartitions
            2
        """
        return min(2, self._default_parallelism)

    def emptyRDD(self) -> RDD[Any]:
        """Make an RDD without records and without partitions.

        Example::

            >>> sc.emptyRDD().getNumPartitions()
            0
        """
        return RDD(engine.parallelize(self._engine, [], 0, 1), self._itself)

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
        lines: RDD[str] = RDD(engine.text_file(self._engine, path, least), self._itself)
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
        from swiftwater._context import reading

        return reading.whole_text_files(self._itself, path, minPartitions, use_unicode)

    def binaryFiles(self, path: str, minPartitions: int | None = None) -> RDD[tuple[str, bytes]]:
        r"""Make an RDD of ``(file, bytes)`` for each file of a folder.

        The rest is as in ``wholeTextFiles``, but what is compressed stays so.

        Example::

            >>> from pathlib import Path
            >>> _ = Path(tmp, "a.bin").write_bytes(bytes([0, 255]))
            >>> sc.binaryFiles(f"{tmp}/a.bin").values().collect()
            [b'\x00\xff']
        """
        from swiftwater._context import reading

        return reading.binary_files(self._itself, path, minPartitions)

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
        from swiftwater._context import reading

        return reading.binary_records(self._itself, path, recordLength)

    def pickleFile(self, name: str, minPartitions: int | None = None) -> RDD[Any]:
        """Make an RDD of the records that ``RDD.saveAsPickleFile`` has written.

        Each file of the folder is a partition; ``minPartitions`` is accepted. Files that Spark
        wrote are Hadoop's and are refused. Unpickling can run any code: read what you trust.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)], 2).saveAsPickleFile(f"{tmp}/pairs")
            >>> sc.pickleFile(f"{tmp}/pairs").collect()
            [('a', 1), ('b', 2)]
        """
        from swiftwater._context import reading

        return reading.pickle_file(self._itself, name)

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
        handle = engine.union(self._engine, [rdd._handle for rdd in rdds], "union")
        return RDD(handle, self._itself)


def _numbers_of(numbers: range) -> range:
    return numbers
