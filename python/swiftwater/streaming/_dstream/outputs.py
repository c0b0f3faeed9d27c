"""What makes something happen with a stream."""

from __future__ import annotations

import time
from collections.abc import Callable

from swiftwater._numbers import whole
from swiftwater._operator_calls import require_callable
from swiftwater._typing import TYPE_CHECKING, Any, overload
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._dstream.core import DStreamCore, T, T_co
from swiftwater.streaming._time_argument import declared_arguments, with_time, without_time

if TYPE_CHECKING:
    from datetime import datetime

    from swiftwater.rdd import RDD

__all__ = ["Outputs"]

_RULE = "-" * 43


class Outputs(DStreamCore[T_co]):
    """Output operations."""

    @overload
    def foreachRDD(self: Outputs[T], func: Callable[[RDD[T]], object]) -> None: ...
    @overload
    def foreachRDD(self: Outputs[T], func: Callable[[datetime, RDD[T]], object]) -> None: ...
    @defines
    def foreachRDD(self: Outputs[T], func: Callable[..., object]) -> None:
        """Call ``func(rdd)`` or ``func(time, rdd)`` each batch, in the driver.

        A function with exactly one argument gets the RDD, every other the batch time (a local
        ``datetime``) and the RDD. What it returns is dropped. Outputs run in the order in which
        they were defined, batch after batch.

        Example::

            >>> with StreamingTest() as test:
            ...     numbers = test.ssc.queueStream([[1, 2], [3]])
            ...     numbers.foreachRDD(lambda rdd: print(rdd.collect()))
            ...     test.advance(2)
            [1, 2]
            [3]
        """
        require_callable("foreachRDD", func)
        one = declared_arguments(func) == 1
        self._output(without_time(func) if one else with_time(func), "foreachRDD")

    @defines
    def pprint(self, num: int = 10) -> None:
        """Print the batch time and the first ``num`` records of each batch on standard output.

        Example::

            >>> with StreamingTest() as test:
            ...     test.ssc.queueStream([["a", "b", "c"]]).pprint(2)
            ...     test.advance()  # doctest: +ELLIPSIS
            -------------------------------------------
            Time: 20...
            -------------------------------------------
            a
            b
            ...
            <BLANKLINE>
        """
        num = whole(num, "pprint needs a number of records, which")

        def shown(time_ms: int, rdd: RDD[Any]) -> str:
            taken = rdd.take(num + 1)
            lines = [_RULE, f"Time: {_time_text(time_ms)}", _RULE, *map(str, taken[:num])]
            if len(taken) > num:
                lines.append("...")
            lines.append("")
            return "\n".join(lines)

        self._output(shown, "pprint", print)


def _time_text(time_ms: int) -> str:
    # What str() of the local datetime gives, without importing datetime on the way to a job's
    # first batch.
    seconds, rest_ms = divmod(time_ms, 1000)
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    return f"{text}.{rest_ms:03}000" if rest_ms else text
