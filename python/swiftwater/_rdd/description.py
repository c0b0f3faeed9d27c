"""What an RDD says of itself."""

from __future__ import annotations

from swiftwater._native import engine
from swiftwater._rdd.core import RDDCore, T, T_co
from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swiftwater.context import SparkContext
    from swiftwater.rdd import RDD

__all__ = ["Description"]


class Description(RDDCore[T_co]):
    """Name, number, lineage and plan."""

    @property
    def context(self) -> SparkContext:
        """The context that the RDD belongs to.

        Example::

            >>> sc.parallelize([1]).context is sc
            True
        """
        return self.ctx

    def id(self) -> int:
        """Return the RDD's number, unique in its context.

        Example::

            >>> sc.parallelize([1]).id() < sc.parallelize([2]).id()
            True
        """
        return self._id

    def name(self) -> str | None:
        """Return the name given with ``setName``.

        Example::

            >>> sc.parallelize([1]).name() is None
            True
        """
        return self._name

    def setName(self: Description[T], name: str) -> RDD[T]:
        """Give the RDD a name. Returns the RDD itself.

        Example::

            >>> sc.parallelize([1]).setName("ones").name()
            'ones'
        """
        self._name = str(name)
        return self._itself

    def toDebugString(self) -> bytes:
        """Return what the RDD is computed from, a line an RDD; an indented one is behind a shuffle.

        Files stand in front of the RDDs that read them. Of RDDs that streams have made, what is in
        front of a shuffle is known until that has run.

        Example::

            >>> pairs = sc.parallelize([(1, 2)]).map(lambda pair: pair)
            >>> print(pairs.reduceByKey(max).toDebugString().decode())
            (2) RDD[2] reduceByKey at ... []
             +-(2) RDD[1] map at ... []
                |  RDD[0] []
        """
        from swiftwater._rdd.lineage import described

        level = "" if self._level is None else str(self._level)
        origin = self._known_origin(whole=True)
        text = described(self.getNumPartitions(), origin, self._name, level)
        return text.encode()

    def explain(self) -> None:
        """Print how the RDD is computed: which functions run natively, and why others do not.

        Nothing is computed for it.

        Example::

            >>> sc.parallelize(["a b"]).flatMap(lambda line: line.split(" ")).explain()
            stage 1
              parallelize...engine
              flatMap at ...native where types allow
        """
        from swiftwater._plan_text import plan_text

        print(plan_text(engine.explain(self._live)))
