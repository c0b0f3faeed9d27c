"""How fast a receiver takes records in: Spark's rate limits, in virtual time."""

import pytest

from swiftwater.testing import StreamingTest

RATE = "spark.streaming.receiver.maxRate"
BACKPRESSURE = "spark.streaming.backpressure."


def counts(settings, lines, seconds, interval=1):
    with StreamingTest(interval, settings=settings) as test:
        source = test.text_source()
        found = test.collect(source.stream)
        source.send(*(str(number) for number in range(lines)))
        test.advance(seconds)
        records = found.records
        assert records == [str(number) for number in range(len(records))]
        return [len(batch) for batch in found.batches]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [500, 0, 0]),
        ({RATE: "20"}, [21, 20, 20]),
        ({RATE: "-1"}, [500, 0, 0]),
        ({BACKPRESSURE + "initialRate": "40"}, [41, 40, 40]),
        ({BACKPRESSURE + "initialRate": "40", RATE: "10"}, [11, 10, 10]),
        ({BACKPRESSURE + "enabled": "true"}, [500, 0, 0]),
    ],
    ids=["none", "maxRate", "no bound", "initialRate", "the lower one", "not estimated yet"],
)
def test_limits(settings, expected):
    assert counts(settings, 500, 3) == expected


def test_a_rate_counts_by_the_second_and_not_by_the_batch():
    assert counts({RATE: "20"}, 500, 8, interval=4) == [81, 80]


def test_all_comes_in_the_end():
    with StreamingTest(settings={RATE: "100"}) as test:
        source = test.text_source()
        found = test.collect(source.stream)
        source.send(*(str(number) for number in range(450)))
        test.run_until_idle()
        assert found.records == [str(number) for number in range(450)]
        assert max(len(batch) for batch in found.batches) <= 101


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (RATE, "many"),
        (BACKPRESSURE + "rateEstimator", "other"),
        (BACKPRESSURE + "pid.minRate", "0"),
        (BACKPRESSURE + "pid.proportional", "-1"),
    ],
)
def test_what_cannot_be_meant_is_refused(name, value):
    with pytest.raises(ValueError, match=name), StreamingTest(settings={name: value}):
        pass
