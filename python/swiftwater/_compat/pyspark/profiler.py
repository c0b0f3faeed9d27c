"""Names of PySpark's profilers. A context does not call them; ``profile`` works by itself."""

import cProfile
import os
import pstats
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from swiftwater import SparkContext

__all__ = ["BasicProfiler", "Profiler", "UDFBasicProfiler"]

P = ParamSpec("P")
T = TypeVar("T")


class Profiler:
    """The base for profilers of a program's own."""

    def __init__(self, ctx: "SparkContext | None") -> None:
        """Take the context that is profiled."""

    def profile(self, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``func`` and note what it does."""
        raise NotImplementedError

    def stats(self) -> Any:
        """Return what was noted."""
        raise NotImplementedError

    def show(self, id: int) -> None:
        """Print what was noted for the RDD with this number."""
        stats = self.stats()
        if stats:
            print("=" * 60)
            print(f"Profile of RDD<id={id}>")
            print("=" * 60)
            stats.sort_stats("time", "cumulative").print_stats()

    def dump(self, id: int, path: str) -> None:
        """Write what was noted to a file of the folder ``path``."""
        stats = self.stats()
        if stats:
            os.makedirs(path, exist_ok=True)
            stats.dump_stats(os.path.join(path, f"rdd_{id}.pstats"))


class BasicProfiler(Profiler):
    """Profiles with ``cProfile``, and adds up what several calls have noted."""

    def __init__(self, ctx: "SparkContext | None") -> None:
        """Begin without notes."""
        super().__init__(ctx)
        self._stats: pstats.Stats | None = None

    def profile(self, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``func`` under ``cProfile``."""
        profile = cProfile.Profile()
        result = profile.runcall(func, *args, **kwargs)
        noted = pstats.Stats(profile)
        noted.strip_dirs()
        if self._stats is None:
            self._stats = noted
        else:
            self._stats.add(noted)
        return result

    def stats(self) -> pstats.Stats | None:
        """Return what the calls have noted; ``None`` before the first."""
        return self._stats


class UDFBasicProfiler(BasicProfiler):
    """The profiler of SQL functions."""
