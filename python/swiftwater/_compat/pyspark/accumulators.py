"""PySpark's name for ``swiftwater.accumulators``."""

from swiftwater.accumulators import Accumulator, AccumulatorParam, AddingAccumulatorParam

__all__ = ["Accumulator", "AccumulatorParam", "AddingAccumulatorParam"]

INT_ACCUMULATOR_PARAM = AddingAccumulatorParam(0)
FLOAT_ACCUMULATOR_PARAM = AddingAccumulatorParam(0.0)
COMPLEX_ACCUMULATOR_PARAM = AddingAccumulatorParam(0.0j)
