"""The stateful operators of a context: their names, and what their state was at first."""

from __future__ import annotations

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD
    from swiftwater.streaming._ssc.core import StreamingContextCore

__all__ = ["StatefulOperators", "validate_checkpoints"]

_DEFAULT_CHECKPOINT_MS = 10_000

_NO_FOLDER = (
    "The checkpoint directory has not been set. Please set it by StreamingContext.checkpoint()."
)


class StatefulOperators:
    """Windows and states, in the order of their definition.

    The engine knows them by a key; checkpoints and messages by a name, which is the key unless the
    program gives another one.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.slides_ms: dict[str, int] = {}
        # What Spark runs with a checkpoint folder only.
        self.need_checkpoint: list[str] = []
        self._names: dict[str, str] = {}
        self._initial: dict[str, RDD[Any]] = {}

    def add(self, kind: str, slide_ms: int, must_checkpoint: bool = False) -> str:
        """Add an operator; return its key."""
        key = f"{kind}-{len(self.slides_ms) + 1}"
        if key in self._names.values():
            raise ValueError(f"two stateful operators have the name {key!r}")
        self.slides_ms[key] = slide_ms
        if must_checkpoint:
            self.need_checkpoint.append(key)
        return key

    def rename(self, key: str, name: str) -> None:
        """Give an operator a name. Raises ``ValueError`` where another one has it."""
        if any(name == self.name(other) for other in self.slides_ms if other != key):
            raise ValueError(f"two stateful operators have the name {name!r}")
        self._names[key] = name

    def name(self, key: str) -> str:
        """Return the name of the operator with this key."""
        return self._names.get(key, key)

    @property
    def names(self) -> dict[str, str]:
        """The keys by name."""
        return {self.name(key): key for key in self.slides_ms}

    def checkpoint_interval_ms(self, key: str) -> int:
        """Return how often an operator's data is written where the program does not say."""
        slide = self.slides_ms[key]
        return slide * -(-_DEFAULT_CHECKPOINT_MS // slide)

    # --- what a state was before the first batch ----------------------------------------------

    def give_initial(self, key: str, rdd: RDD[Any]) -> None:
        """Note the RDD that an operator's state begins with."""
        self._initial[key] = rdd

    def all_initial(self) -> list[tuple[str, RDD[Any]]]:
        """Return the RDDs that states begin with, by the operators' keys."""
        return list(self._initial.items())

    def initial(self, key: str) -> RDD[Any] | None:
        """Return the RDD that an operator's state begins with."""
        return self._initial.get(key)

    def forget_initial(self, key: str) -> None:
        """Let go of it: the operator has a state of its own."""
        self._initial.pop(key, None)


def validate_checkpoints(ssc: StreamingContextCore) -> None:
    """Refuse checkpoint intervals that do not fit, and warn where state would need a folder."""
    has_folder = ssc._checkpoint_folder is not None or ssc._sc.getCheckpointDir() is not None
    for stream in ssc._checkpointed:
        if not has_folder and stream._stable_name is None:
            _require(False, _NO_FOLDER)
        given, slide = stream._checkpoint_ms or 0, stream._slide_ms
        what = f"The checkpoint interval for {stream._spark_class} has been set to {given} ms which"
        _require(
            given >= slide,
            f"{what} is lower than its slide time ({slide} ms). Please set it to at least "
            f"{slide} ms.",
        )
        _require(
            given % slide == 0,
            f"{what} not a multiple of its slide time ({slide} ms). Please set it to a multiple of "
            f"{slide} ms.",
        )
    if ssc._stateful.need_checkpoint and not has_folder:
        names = ", ".join(ssc._stateful.name(key) for key in ssc._stateful.need_checkpoint)
        engine.notice(
            "warning", None, f"{_NO_FOLDER} Without it the state ends with the job: {names}"
        )


def _require(holds: bool, text: str) -> None:
    if not holds:
        from swiftwater.errors import IllegalArgumentException

        raise IllegalArgumentException(f"requirement failed: {text}")
