"""What all operators of an RDD stand on: its handle, where it comes from, and how one is made.

The core knows no operator. Each part derives from it, and ``swiftwater.rdd`` makes one class of
them; a part gets at the operators of another one only through the RDDs that it makes or is given.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import reduce

from swiftwater._native import engine
from swiftwater._numbers import checked_partitions
from swiftwater._operator_calls import call_site, require_callable, stop_iteration
from swiftwater._rdd.partitioners import Partitioner, portable_hash
from swiftwater._typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar, cast

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.context import SparkContext
    from swiftwater.rdd import RDD
    from swiftwater.storagelevel import StorageLevel

__all__ = [
    "EMPTY",
    "K",
    "Origin",
    "RDDCore",
    "T",
    "T_co",
    "U",
    "V",
    "merged",
    "origin",
    "require_rdd",
    "waiting",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# What an RDD came from: its number, the operator and its place, the number of partitions in front
# of its shuffle (-1: it has none), the origins of its parents, how long the chain is, and the file
# that it reads. It holds no engine object, so it keeps nothing alive.
Origin = tuple[int, str, str, int, tuple[Any, ...], int, str]

# Longer chains forget their beginning: a program may derive an RDD from the last one each batch.
_DEEPEST_ORIGIN = 200

# RDDs that are to be kept when somebody has computed them (`checkpoint`). Every action looks here.
waiting: list[RDD[Any]] = []

EMPTY = "Can not reduce() empty RDD"


class RDDCore(Generic[T_co]):
    """The state of an RDD, and what its operators have in common."""

    # The class that is made of all parts; its own module puts it here.
    _rdd_class: ClassVar[type[RDD[Any]]]

    is_cached = False
    is_checkpointed = False

    _name: str | None = None
    _origin: Origin | None = None
    _level: StorageLevel | None = None
    # How `checkpoint` or `localCheckpoint` keeps the records, and where they are.
    _kept: str | None = None
    _checkpoint_file: str | None = None
    _is_settled = False

    def __init__(self, handle: Handle, ctx: SparkContext) -> None:
        """Wrap an RDD of the engine. Programs make RDDs with a context's methods."""
        self._handle = handle
        self.ctx = ctx
        self._id = next(ctx._rdd_ids)

    def getNumPartitions(self) -> int:
        """Return the number of partitions.

        Example::

            >>> sc.parallelize(range(10), 4).getNumPartitions()
            4
        """
        return engine.partition_count(self._live)

    @property
    def partitioner(self) -> Partitioner | None:
        """How the records are placed, where the engine knows it.

        A program that has placed them itself may say so, and is believed.

        Example::

            >>> sc.parallelize([("a", 1)]).reduceByKey(max, 3).partitioner.numPartitions
            3
        """
        found = engine.partitioner(self._handle)
        if found is None:
            return None
        number, function = found
        return Partitioner(number, portable_hash if function is None else function)

    @partitioner.setter
    def partitioner(self, known: Partitioner | None) -> None:
        number = -1 if known is None else known.numPartitions
        function = portable_hash if known is None else known.partitionFunc
        given = None if function is portable_hash else function
        self._handle = engine.divided_by(self._live, number, given)

    def __repr__(self) -> str:
        """Return name and number."""
        return f"{self._name} RDD[{self._id}]" if self._name else f"RDD[{self._id}]"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: an RDD is driver-side only."""
        raise RuntimeError(
            "[RDD_TRANSFORM_ONLY_VALID_ON_DRIVER] It appears that you are attempting to broadcast "
            "an RDD or reference an RDD from an action or transformation. RDD transformations and "
            "actions can only be invoked by the driver, not inside of other transformations"
        )

    @property
    def _itself(self: RDDCore[T]) -> RDD[T]:
        """The whole RDD, for what takes one: a part has no objects of its own."""
        return cast("RDD[T]", self)

    @property
    def _live(self) -> Handle:
        """The engine's handle, or ``RuntimeError`` where the context cannot be used any more."""
        _ = self.ctx._engine
        return self._handle

    def _ran(self, action: Callable[..., U], *arguments: object) -> U:
        """Return what an action on the RDD gives, and keep what `checkpoint` has asked for."""
        wanted = self._wanted() if waiting else ()
        result = action(self._live, *arguments)
        for rdd in wanted:
            rdd._keep()
        return result

    def _wanted(self) -> list[RDD[Any]]:
        """Return what an action is going to compute and somebody wants to be kept.

        It must be asked before the action: a shuffle forgets what was in front of it.
        """
        return [
            rdd
            for rdd in list(waiting)
            if rdd.ctx is self.ctx and engine.depends_on(self._handle, rdd._handle)
        ]

    def _known_origin(self, whole: bool = False) -> Origin:
        """Return what is known of where the RDD comes from.

        Of one that a stream has handed out that is nothing but its files, unless ``whole`` is set.
        """
        if self._origin is None and not self._is_settled:
            found = engine.lineage(self._handle, whole)
            if found is not None:
                from swiftwater._rdd.lineage import numbered

                self._origin = numbered(found, self._id, self.ctx)
        return self._origin or (self._id, "", "", -1, (), 0, "")

    def _made(
        self, handle: Handle, name: str, site: str, parents: Sequence[RDDCore[Any]], wide: int = -1
    ) -> RDD[Any]:
        """Return an RDD that the operator ``name`` has made of ``parents``.

        ``wide`` is the number of partitions in front of its shuffle, -1 without one.
        """
        rdd = self._rdd_class(handle, self.ctx)
        origins = [parent._known_origin() for parent in parents]
        rdd._origin = origin(rdd._id, name, site, wide, origins)
        return rdd

    def _piped(
        self, kind: str, function: Callable[..., Any], name: str, keeps: bool = False
    ) -> RDD[Any]:
        """Return this RDD with one more function behind it; ``name`` is the user's operator.

        ``keeps`` says that records stay in the partition of their key.
        """
        require_callable(name, function)
        site = call_site()
        handle = engine.pipeline(self._live, [(kind, function, name, site, bool(keeps))])
        return self._made(handle, name, site, (self,))

    def _partition_number(
        self, name: str, given: int | None, partition_function: Callable[[Any], int]
    ) -> int:
        require_callable(name, partition_function, "a function as partitionFunc")
        if given is not None:
            return checked_partitions(name, given)
        return engine.shuffle_partitions(self._live)

    def _combined(
        self,
        create: Callable[[Any], Any] | None,
        merge_value: Callable[[Any, Any], Any],
        merge_combiners: Callable[[Any, Any], Any],
        partitions: int | None,
        partition_function: Callable[[Any], int],
        name: str,
        gathers_lists: bool = False,
    ) -> RDD[Any]:
        for function in (merge_value, merge_combiners, *([create] if create is not None else [])):
            require_callable(name, function)
        require_callable(name, partition_function, "a function as partitionFunc")
        number = None if partitions is None else checked_partitions(name, partitions)
        site = call_site()
        handle, wide = engine.combine_by_key(
            self._live,
            create,
            merge_value,
            merge_combiners,
            number,
            None if partition_function is portable_hash else partition_function,
            name,
            site,
            gathers_lists,
        )
        return self._made(handle, name, site, (self,), wide)

    def _partitioned(
        self,
        partitions: int | None,
        function: Callable[[Any], int],
        name: str,
        bounds: list[Any] | None = None,
        ascending: bool = True,
    ) -> RDD[Any]:
        """Return this RDD with each pair where ``function`` says; itself if it is so already.

        ``bounds`` and ``ascending`` are what the function goes by: see ``engine.partition_by``.
        """
        site = call_site()
        given = None if function is portable_hash else function
        moved = engine.partition_by(self._live, partitions, given, name, site, bounds, ascending)
        if moved is None:
            return self._itself
        handle, wide = moved
        return self._made(handle, name, site, (self,), wide)

    def _zipped(
        self,
        rdds: Sequence[RDDCore[Any]],
        function: Callable[[int, list[Iterator[Any]]], Iterable[Any]],
        name: str,
        form: str = "",
        keeps: bool = False,
        crosses: bool = False,
    ) -> RDD[Any]:
        """Return what a function makes of partitions: ``engine.zip_partitions``."""
        site, context = call_site(), self.ctx._engine
        handles = [rdd._live for rdd in rdds]
        handle = engine.zip_partitions(context, handles, crosses, function, name, site, form, keeps)
        return self._made(handle, name, site, rdds)

    def _empty(self, name: str, parents: Sequence[RDDCore[Any]]) -> RDD[Any]:
        """Return an RDD without partitions."""
        handle = engine.parallelize(self.ctx._engine, [], 0, 1)
        return self._made(handle, name, call_site(), parents)


def origin(number: int, name: str, site: str, wide: int, origins: list[Origin]) -> Origin:
    """Return the origin of an RDD that the operator ``name`` has made of those with ``origins``."""
    if len(origins) == 1:
        depth = 1 + origins[0][5]
    else:
        depth = 1 + max([parent[5] for parent in origins], default=0)
    if depth > _DEEPEST_ORIGIN:
        return number, name, site, wide, (), 0, ""
    return number, name, site, wide, tuple(origins), depth, ""


def merged(f: Callable[[T, T], T], results: Sequence[T]) -> T:
    """Merge the partitions' results, one at least, in the driver."""
    try:
        return reduce(f, results)
    except StopIteration as end:
        raise stop_iteration(end) from end


def require_rdd(name: str, other: object) -> None:
    if not isinstance(other, RDDCore):
        raise TypeError(f"{name} needs an RDD, not {type(other).__name__}")
