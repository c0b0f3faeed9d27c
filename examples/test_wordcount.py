"""How to test a job: its operators in a function, virtual time, no network.

Run it with ``python3 -m pytest examples/test_wordcount.py``.
"""

from swiftwater.streaming import DStream
from swiftwater.testing import StreamingTest, run_batches


def count_words(lines: DStream[str]) -> DStream[tuple[str, int]]:
    """Return a stream of ``(word, number)``; a job calls this, and so do its tests."""
    words = lines.flatMap(lambda line: line.split(" "))
    return words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)


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
