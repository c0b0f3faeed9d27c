"""Lines of the log that a sender, a record or a listener can cause again and again."""

import re

from swiftwater.testing import StreamingTest

SHOWN = 10


def test_dropped_lines_are_counted_and_not_all_shown(capfd):
    with StreamingTest(settings={"swiftwater.receiver.maxLineLength": "10b"}) as test:
        source = test.text_source()
        found = test.collect(source.stream)
        for number in range(300):
            source.send_bytes(b"far too long a line\n" * 10 + b"%d\n" % number)
        test.advance()
        assert found.last == [str(number) for number in range(300)]
    lines = [line for line in capfd.readouterr().err.splitlines() if "dropped a line" in line]
    assert len(lines) == SHOWN + 1
    assert "(10 so far)" in lines[0]
    assert "(3000 so far)" in lines[-1]
    assert lines[-1].endswith(f"(and {300 - SHOWN - 1} more lines like this one)")


def test_outputs_that_fail_in_every_batch(capfd):
    with StreamingTest() as test:
        source = test.text_source()
        source.stream.map(int).foreachRDD(lambda rdd: rdd.count())
        for number in range(50):
            source.send(f"bad {number}")
            try:
                test.advance()
            except ValueError as error:
                assert f"'bad {number}'" in str(error)  # noqa: PT017 - raised by each batch
    lines = [line for line in capfd.readouterr().err.splitlines() if "foreachRDD" in line]
    assert len(lines) == SHOWN + 1
    assert "'bad 49'" in lines[-1]
    assert lines[-1].endswith(f"(and {50 - SHOWN - 1} more lines like this one)")


def test_a_listener_that_always_fails(capfd):
    class Listener:
        def onBatchCompleted(self, event):  # noqa: N802 - Spark's name
            raise ValueError("no")

    with StreamingTest() as test:
        test.ssc.addStreamingListener(Listener())
        test.collect(test.text_source().stream)
        test.advance(40)
    err = capfd.readouterr().err
    assert err.count("a streaming listener failed in onBatchCompleted") == SHOWN + 1
    assert re.search(rf"and {40 - SHOWN - 1} more lines like this one", err)
