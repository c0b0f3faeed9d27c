"""Records that leave the program."""

from __future__ import annotations

from swiftwater._native import engine
from swiftwater._rdd.core import RDDCore, T_co
from swiftwater._typing import Any

__all__ = ["Outputs"]


class Outputs(RDDCore[T_co]):
    """Files and data frames."""

    def saveAsTextFile(self, path: str, compressionCodecClass: str | None = None) -> None:
        """Write the records as lines: a folder with a file for each partition, and ``_SUCCESS``.

        Text and bytes are written as they are, anything else as ``str(record)``. The codec is a
        class name of Hadoop's (``org.apache.hadoop.io.compress.GzipCodec``, ``BZip2Codec``,
        ``DefaultCodec``). The folder appears when it is complete; where it is there already,
        ``FileAlreadyExistsException`` is raised. In a function of ``foreachRDD`` or ``transform``
        it is not, as a batch may run again: the files of the new batch take the place of those of
        an earlier one, and other files stay.

        Example::

            >>> sc.parallelize(["a", 1], 1).saveAsTextFile(tmp + "/out")
            >>> sc.textFile(tmp + "/out").collect()
            ['a', '1']
        """
        from swiftwater._rdd.part_files import save_text

        save_text(self._itself, path, compressionCodecClass, overwrite=engine.in_batch())

    def saveAsPickleFile(self, path: str, batchSize: int = 10) -> None:
        """Write the records for ``SparkContext.pickleFile``: a folder as of ``saveAsTextFile``.

        ``batchSize`` records are pickled together. The files are not Spark's sequence files.

        Example::

            >>> sc.parallelize([{"a": 1}, None]).saveAsPickleFile(tmp + "/out")
            >>> sc.pickleFile(tmp + "/out").collect()
            [{'a': 1}, None]
        """
        from swiftwater._rdd.part_files import save_pickles

        save_pickles(self._itself, path, batchSize, overwrite=engine.in_batch())

    def toDF(self, schema: Any = None, sampleRatio: float | None = None) -> Any:
        """Return a data frame of the records (rows, tuples, dictionaries). Needs DuckDB.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)]).toDF(["word", "number"]).count()
            2
        """
        from swiftwater._sql.session import create_data_frame

        return create_data_frame(self._itself, schema, sampleRatio)
