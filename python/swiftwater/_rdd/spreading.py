"""Where records go that are spread evenly: Spark's rule, so that they are where Spark has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, islice

from swiftwater._typing import Any

__all__ = ["first_place", "scatterer", "unpacked"]

# PySpark moves pickled packets of ten records.
_PACKET = 10

_LOW_32 = (1 << 32) - 1
_LOW_64 = (1 << 64) - 1


def scatterer(partitions: int) -> Callable[[int, Iterator[Any]], Iterator[Any]]:
    """Return what makes packets of the records of a partition, each with the place it goes to."""

    def scattered(partition: int, records: Iterator[Any]) -> Iterator[Any]:
        for place in count(first_place(partition, partitions) + 1):
            packet = tuple(islice(records, _PACKET))
            if not packet:
                return
            yield place % partitions, packet

    return scattered


def unpacked(packets: Iterator[Any]) -> Iterable[Any]:
    """Return the records of packets."""
    return chain.from_iterable(packet for _, packet in packets)


def first_place(partition: int, partitions: int) -> int:
    """Return the number by chance that Spark begins with in a partition: the same each time."""
    # Spark's XORShiftRandom, of which the partition's number is the seed.
    seed = partition.to_bytes(8, "big")
    low = _murmur3(seed, 0x3C074A61)
    state = _murmur3(seed, low) << 32 | low
    while True:
        state ^= state << 21 & _LOW_64
        state ^= state >> 35
        state ^= state << 4 & _LOW_64
        # Java's Random.nextInt(bound).
        bits = state & 0x7FFFFFFF
        if partitions & (partitions - 1) == 0:
            return partitions * bits >> 31
        place = bits % partitions
        if bits - place + partitions - 1 <= 0x7FFFFFFF:
            return place


def _murmur3(data: bytes, seed: int) -> int:
    """Return the hash of bytes (as many as a multiple of four): MurmurHash3, 32 bits."""
    value = seed
    for start in range(0, len(data), 4):
        word = int.from_bytes(data[start : start + 4], "little") * 0xCC9E2D51 & _LOW_32
        word = (word << 15 | word >> 17) & _LOW_32
        value ^= word * 0x1B873593 & _LOW_32
        value = (value << 13 | value >> 19) & _LOW_32
        value = value * 5 + 0xE6546B64 & _LOW_32
    value ^= len(data)
    value ^= value >> 16
    value = value * 0x85EBCA6B & _LOW_32
    value ^= value >> 13
    value = value * 0xC2B2AE35 & _LOW_32
    return value ^ value >> 16
