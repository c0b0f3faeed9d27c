"""``pprint``: every byte as PySpark writes it."""

import pytest

from swiftwater.testing import StreamingTest

RULE = "-------------------------------------------\n"


def printed(capsys, batches, num, interval=1.0):
    with StreamingTest(interval) as test:
        stream = test.ssc.queueStream(batches)
        if num is None:
            stream.pprint()
        else:
            stream.pprint(num)
        test.run_until_idle()
        times = [str(test.batch_time(number + 1)) for number in range(len(batches))]
    return times, capsys.readouterr().out


@pytest.mark.parametrize(
    ("records", "num", "body"),
    [
        ([], None, ""),
        (["a"], None, "a\n"),
        ([("a", 1), None, 1.5, b"x"], None, "('a', 1)\nNone\n1.5\nb'x'\n"),
        (list(range(10)), None, "".join(f"{n}\n" for n in range(10))),
        (list(range(11)), None, "".join(f"{n}\n" for n in range(10)) + "...\n"),
        ([1, 2, 3], 2, "1\n2\n...\n"),
        ([1, 2, 3], 3, "1\n2\n3\n"),
        ([1], 0, "...\n"),
        (["é\u2028"], None, "é\u2028\n"),
        (["two\nlines"], None, "two\nlines\n"),
    ],
)
def test_one_batch(capsys, records, num, body):
    times, out = printed(capsys, [records], num)
    assert out == f"{RULE}Time: {times[0]}\n{RULE}{body}\n"


def test_each_batch_also_an_empty_one(capsys):
    times, out = printed(capsys, [["a"], [], ["b"]], None)
    assert out == "".join(
        f"{RULE}Time: {time}\n{RULE}{body}\n"
        for time, body in zip(times, ["a\n", "", "b\n"], strict=True)
    )


def test_broken_seconds_are_shown_where_there_are_any(capsys):
    times, out = printed(capsys, [["a"], ["b"]], None, interval=0.5)
    shown = [line for line in out.splitlines() if line.startswith("Time: ")]
    assert shown == [f"Time: {times[0]}", f"Time: {times[1]}"]
    assert shown[0].endswith(".500000")
    assert "." not in shown[1]


def test_the_number_is_checked_at_once(streaming):
    with pytest.raises(TypeError, match="pprint needs a number"):
        streaming.ssc.queueStream([[1]]).pprint("ten")
