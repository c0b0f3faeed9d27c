"""How to test a job: its operators in functions, virtual time, no network.

Run it with ``python3 -m pytest examples/test_wordcount.py``.
"""

from operator import add, sub

from swiftwater.streaming import DStream
from swiftwater.testing import StreamingTest, run_batches


def count_words(lines: DStream[str]) -> DStream[tuple[str, int]]:
    """Return a stream of ``(word, number)``; a job calls this, and so do its tests."""
    words = lines.flatMap(lambda line: line.split(" "))
    return words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)


def count_recent_words(lines: DStream[str]) -> DStream[tuple[str, int]]:
    """Return the counts of the last ten seconds, every two seconds."""
    return count_words(lines).reduceByKeyAndWindow(
        add, sub, 10, 2, filterFunc=lambda pair: pair[1] > 0
    )


def count_words_since_the_start(lines: DStream[str]) -> DStream[tuple[str, int]]:
    """Return the counts of all batches so far; a count of 0 forgets the word."""

    def total(new: list[int], before: int | None) -> int | None:
        return (sum(new) + (before or 0)) or None

    return count_words(lines).updateStateByKey(total)


def test_words_of_each_batch() -> None:
    """Batches go in and batches come out: the shortest form."""
    batches = run_batches(count_words, [["to be or not to be"], [], ["be"]])
    assert [dict(batch) for batch in batches] == [
        {"to": 2, "be": 2, "or": 1, "not": 1},
        {},
        {"be": 1},
    ]


def test_lines_of_a_socket() -> None:
    """The same as from a socket: what is sent belongs to the next batch."""
    with StreamingTest(batch_interval=1.0) as test:
        lines = test.text_source()
        counts = test.collect(count_words(lines.stream))
        lines.send("a b", "a")
        test.advance()
        assert sorted(counts.last) == [("a", 2), ("b", 1)]
        lines.send("b")
        test.run_until_idle()
        assert counts.last == [("b", 1)]
        assert counts.times == [1.0, 2.0]


def test_words_of_a_window() -> None:
    """Ten seconds pass in no time."""
    with StreamingTest(batch_interval=1.0) as test:
        lines = test.text_source()
        counts = test.collect(count_recent_words(lines.stream))
        lines.send("early")
        test.advance(2)
        lines.send("late")
        test.advance(10)
        # The window that ends at second 12 has seconds 3 to 12, and the first word no more.
        assert counts.times == [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
        both = {"early": 1, "late": 1}
        assert [dict(batch) for batch in counts.batches] == [
            {"early": 1},
            *[both] * 4,
            {"late": 1},
        ]
        # Ten minutes later there is nothing left.
        test.advance(10 * 60)
        assert counts.last == []


def test_words_since_the_start() -> None:
    """State goes from batch to batch; ``batches`` runs some more than there is input for."""
    batches = run_batches(count_words_since_the_start, [["a b"], [], ["b"]], batches=4)
    assert [dict(batch) for batch in batches] == [
        {"a": 1, "b": 1},
        {"a": 1, "b": 1},
        {"a": 1, "b": 2},
        {"a": 1, "b": 2},
    ]
