"""What is kept in the folder of checkpoints, in which format, and what cannot be read."""

import json
import os
import stat
import struct
import zlib

import pytest

from swiftwater.streaming import StreamingContext
from swiftwater.streaming._checkpoints import format as checkpoint_format
from swiftwater.testing import StreamingTest
from tests.streaming.checkpoints.checkpointed_jobs import feed, pairs, total


def checkpointed(folder, batches=1):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(folder))
        test.collect(pairs(test.text_source().stream).updateStateByKey(total).named("totals"))
        feed(test, [[f"a {number}"] for number in range(batches)])


def names(folder, prefix):
    return sorted(name for name in os.listdir(folder) if name.startswith(prefix))


def test_the_newest_ten_are_kept_and_no_data_that_nobody_needs(tmp_path):
    checkpointed(tmp_path, 45)
    times = checkpoint_format.checkpoint_times(str(tmp_path))
    assert times == [1_893_456_000_000 + 1000 * batch for batch in range(45, 35, -1)]
    needed = set()
    for time_ms in times:
        facts, _ = checkpoint_format.read_checkpoint(str(tmp_path), time_ms)
        needed |= {row["file"] for row in facts["data"]}
    assert set(names(tmp_path, "data-")) == needed
    assert names(tmp_path, ".") == []


def test_data_is_written_every_ten_seconds_and_at_the_stop(tmp_path):
    written = {}
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        test.collect(pairs(test.text_source().stream).updateStateByKey(total))
        for batch in range(1, 25):
            feed(test, [["a 1"]])
            newest = checkpoint_format.checkpoint_times(str(tmp_path))[0]
            facts, _ = checkpoint_format.read_checkpoint(str(tmp_path), newest)
            written[batch] = (facts["data_ms"] - facts["zero_ms"]) // 1000
    assert written == {batch: batch // 10 * 10 for batch in range(1, 25)}
    facts, _ = checkpoint_format.read_checkpoint(str(tmp_path), newest)
    assert facts["data_ms"] == facts["last_ms"] == newest


def test_a_shorter_interval_writes_data_more_often(tmp_path):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        counts = pairs(test.text_source().stream).updateStateByKey(total).checkpoint(2)
        assert counts.is_checkpointed
        test.collect(counts)
        feed(test, [["a 1"]] * 3)
        newest = checkpoint_format.checkpoint_times(str(tmp_path))[0]
        facts, _ = checkpoint_format.read_checkpoint(str(tmp_path), newest)
        assert facts["data_ms"] - facts["zero_ms"] == 2000


def test_after_a_crash_states_are_whole_and_no_output_is_repeated(tmp_path):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        test.collect(pairs(test.text_source().stream).updateStateByKey(total).checkpoint(2))
        feed(test, [["a 1"], ["a 10"], ["a 100"]])
        # As a process that ends now would leave it.
        crash = tmp_path / "crash"
        crash.mkdir(mode=0o700)
        for name in os.listdir(tmp_path):
            if (tmp_path / name).is_file():
                (crash / name).write_bytes((tmp_path / name).read_bytes())
    with StreamingTest.recovered(str(crash)) as test:
        test.start()
        # The third batch runs again for the state: its output has had its result.
        assert test.outputs[0].times == []
        feed(test, [["a 1000"]])
        assert test.outputs[0].batches == [[("a", 1111)]]


def test_files_are_private(tmp_path):
    folder = tmp_path / "checkpoints"
    checkpointed(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in names(folder, "checkpoint-") + names(folder, "data-"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
def test_a_folder_that_others_can_write_to_is_refused(tmp_path, mode):
    folder = tmp_path / "open"
    checkpointed(folder)
    folder.chmod(mode)
    with StreamingTest() as test, pytest.raises(PermissionError, match="written to by others"):
        test.ssc.checkpoint(str(folder))
    with pytest.raises(PermissionError, match="can be written to by others"):
        StreamingContext.getOrCreate(str(folder), lambda: None)


def test_none_ends_checkpoints(tmp_path, streaming):
    streaming.ssc.checkpoint(str(tmp_path))
    streaming.ssc.checkpoint(None)
    streaming.collect(streaming.text_source().stream)
    streaming.advance()
    assert names(tmp_path, "checkpoint-") == []


def test_a_file_where_the_folder_should_be(tmp_path, streaming):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        streaming.ssc.checkpoint(str(tmp_path / "file"))


def damage_head(content):
    return b"X" + content[1:]


def damage_byte(content):
    return content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]


def cut(content):
    return content[: len(content) // 2]


def newer_version(content):
    return content[:8] + struct.pack("<I", 99) + content[12:]


def longer(content):
    return content + b"!"


DAMAGES = [damage_head, damage_byte, cut, newer_version, longer, lambda content: b""]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("prefix", ["checkpoint-", "data-"])
def test_an_unreadable_checkpoint_is_skipped_with_a_warning(tmp_path, damage, prefix, capfd):
    checkpointed(tmp_path, 12)
    newest = names(tmp_path, prefix)[-1]
    path = tmp_path / newest
    path.write_bytes(damage(path.read_bytes()))
    with StreamingTest.recovered(str(tmp_path)) as test:
        err = capfd.readouterr().err
        assert "skipped the checkpoint" in err
        assert f"checkpoint-{1_893_456_000_000 + 12_000}" in err
        # The one before has the state after ten batches; the log has what came then. The clock
        # stands at the eleventh: what comes for the twelfth, which has run, is of the next one.
        feed(test, [["a 1000"], []])
        assert test.outputs[0].times == [13.0]
        assert test.outputs[0].batches == [[("a", 1066)]]


def test_none_that_can_be_read(tmp_path, sc):
    checkpointed_in_context(tmp_path, sc)
    for name in names(tmp_path, "checkpoint-"):
        (tmp_path / name).write_text("garbage")
    text = f"^Failed to read checkpoint from directory {tmp_path}: checkpoint-.*: .*ends before"
    with pytest.raises(RuntimeError, match=text):
        StreamingContext.getOrCreate(str(tmp_path), lambda: 1 / 0)


def checkpointed_in_context(folder, sc):
    with StreamingTest(spark_context=sc) as test:
        test.ssc.checkpoint(str(folder))
        test.collect(test.text_source().stream)
        test.advance()


def test_another_version_of_python(tmp_path):
    checkpointed(tmp_path)
    for time_ms in checkpoint_format.checkpoint_times(str(tmp_path)):
        facts, functions = checkpoint_format.read_checkpoint(str(tmp_path), time_ms)
        facts["python"] = [3, 99]
        checkpoint_format.write_checkpoint(str(tmp_path), time_ms, facts, functions)
    with pytest.raises(RuntimeError, match=r"in the code of Python 3\.99, and this is Python"):
        StreamingContext.getOrCreate(str(tmp_path), lambda: None)


def test_data_of_an_operator_that_is_not_there(tmp_path):
    checkpointed(tmp_path)
    newest = checkpoint_format.checkpoint_times(str(tmp_path))[0]
    facts, functions = checkpoint_format.read_checkpoint(str(tmp_path), newest)
    facts["data"][0]["operator"] = "averages"
    checkpoint_format.write_checkpoint(str(tmp_path), newest, facts, functions)
    text = "data of the operator 'averages', and no operator of the job has this name"
    with pytest.raises(RuntimeError, match=text):
        StreamingTest.recovered(str(tmp_path))


def test_an_operator_that_this_version_does_not_know(tmp_path):
    checkpointed(tmp_path)
    # The sources of a test are none of a plain context.
    with pytest.raises(RuntimeError, match=r"has no operator _text_source \(test_checkpoint\.py:"):
        StreamingContext.getOrCreate(str(tmp_path), lambda: None)


def test_a_queue_cannot_be_recovered(tmp_path, capfd):
    text = (
        "queueStream doesn't support checkpointing. Please don't use queueStream when "
        "checkpointing is enabled."
    )
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        test.collect(test.ssc.queueStream([[1], [2]]))
        test.advance(2)
        assert test.outputs[0].batches == [[1], [2]]
    assert text in capfd.readouterr().err
    assert len(names(tmp_path, "checkpoint-")) == 3
    with pytest.raises(RuntimeError, match="Failed to read checkpoint from directory") as caught:
        StreamingContext.getOrCreate(str(tmp_path), lambda: None)
    assert text in str(caught.value)


class Unpicklable:
    def __reduce__(self):
        raise TypeError("this cannot leave the process")

    def seen(self, record):
        return record


def test_what_cannot_be_pickled_is_refused_at_the_start(tmp_path, streaming):
    held = Unpicklable()
    streaming.ssc.checkpoint(str(tmp_path))
    lines = streaming.text_source().stream.map(str)
    streaming.collect(lines.map(held.seen))
    text = r"^map at test_checkpoint\.py:\d+ cannot be written.*this cannot leave the process$"
    with pytest.raises(Exception, match=text):
        streaming.start()
    with pytest.raises(RuntimeError, match="StreamingContext has already been stopped"):
        streaming.start()


def test_an_rdd_in_a_function_is_refused_at_the_start(tmp_path, streaming):
    known = streaming.sc.parallelize(["a"])
    streaming.ssc.checkpoint(str(tmp_path))
    lines = streaming.text_source().stream
    streaming.collect(lines.transform(lambda rdd: rdd.union(known)))
    with pytest.raises(Exception, match="transform at test_checkpoint.*an RDD"):
        streaming.start()


def test_functions_may_refer_to_contexts_and_streams(tmp_path):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        sc, ssc = test.sc, test.ssc
        lines = test.text_source().stream
        lines.foreachRDD(lambda rdd: None)

        def with_more(rdd):
            return rdd.union(sc.parallelize([lines.context() is ssc, rdd.context is sc]))

        test.collect(lines.transform(with_more))
        test.advance()
    with StreamingTest.recovered(str(tmp_path)) as test:
        feed(test, [["x"]])
        assert test.outputs[0].batches == [["x", True, True]]


def test_functions_share_what_they_shared(tmp_path):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        seen = []
        lines = test.text_source().stream
        lines.foreachRDD(lambda rdd: seen.append(rdd.count()))
        test.collect(lines.transform(lambda rdd: rdd.context.parallelize([list(seen)], 1)))
        test.advance()
    with StreamingTest.recovered(str(tmp_path)) as test:
        feed(test, [["x"], []])
        assert test.outputs[0].batches == [[[]], [[1]]]


def test_a_failed_write_does_not_stop_the_job(tmp_path, streaming, capfd, monkeypatch):
    def fail(*arguments):
        raise OSError("no space left")

    streaming.ssc.checkpoint(str(tmp_path))
    out = streaming.collect(streaming.text_source().stream.count())
    streaming.start()
    monkeypatch.setattr(checkpoint_format, "write_checkpoint", fail)
    streaming.advance(2)
    assert len(out.batches) == 2
    assert "could not write the checkpoint" in capfd.readouterr().err


def operators(folder):
    newest = checkpoint_format.checkpoint_times(str(folder))[0]
    return checkpoint_format.read_checkpoint(str(folder), newest)[0]["operators"]


def test_names_of_stateful_operators(tmp_path, streaming):
    streaming.ssc.checkpoint(str(tmp_path))
    lines = pairs(streaming.text_source().stream)
    streaming.collect(lines.window(2))
    streaming.collect(lines.updateStateByKey(total))
    streaming.collect(lines.countByWindow(2, 1).named("how many"))
    streaming.collect(lines.updateStateByKey(total))
    streaming.start()
    expected = ["window-1", "updateStateByKey-2", "how many", "updateStateByKey-4"]
    assert operators(tmp_path) == expected


def test_names_are_unique(streaming):
    lines = pairs(streaming.text_source().stream)
    lines.window(2).named("mine")
    other = lines.updateStateByKey(total)
    with pytest.raises(ValueError, match="two stateful operators have the name 'mine'"):
        other.named("mine")
    other.named("other").named("other")
    third = lines.window(3)
    with pytest.raises(ValueError, match="two stateful operators have the name 'other'"):
        third.named("other")


def test_only_stateful_operators_have_names(streaming):
    lines = streaming.text_source().stream
    with pytest.raises(ValueError, match="only windows and states"):
        lines.map(str).named("mapped")
    with pytest.raises(TypeError, match="a name is a text"):
        lines.window(2).named(3)


def test_the_format_of_a_checkpoint_file(tmp_path):
    checkpointed(tmp_path)
    content = (tmp_path / names(tmp_path, "checkpoint-")[-1]).read_bytes()
    magic, version, count = struct.unpack_from("<8sII", content)
    assert (magic, version, count) == (b"SWCHKPT\n", 2, 2)
    place, sections, before = 16, {}, zlib.crc32(content[:16])
    for _ in range(count):
        name, length, checksum = struct.unpack_from("<4sQI", content, place)
        place += 16
        sections[name] = content[place : place + length]
        before = zlib.crc32(name + sections[name], before)
        assert before == checksum
        place += length
    assert place == len(content)
    facts = json.loads(sections[b"JSON"])
    assert facts["operators"] == ["totals"]
    assert facts["zero_ms"] == 1_893_456_000_000
    assert facts["last_ms"] == facts["data_ms"] == 1_893_456_001_000
    assert [row["operator"] for row in facts["data"]] == ["totals"]
    assert facts["name"] == names(tmp_path, "checkpoint-")[-1]
    name = facts["data"][0]["file"]
    data = (tmp_path / name).read_bytes()
    # Two partitions, and its name in front of them.
    assert struct.unpack_from("<8sII", data) == (b"SWDATA\r\n", 3, 3)
    kind, length, checksum = struct.unpack_from("<4sQI", data, 16)
    assert (kind, data[32 : 32 + length]) == (b"NAME", name.encode())
    assert checksum == zlib.crc32(b"NAME" + name.encode(), zlib.crc32(data[:16]))


def test_what_no_output_stands_on_is_not_made_for_a_checkpoint(tmp_path):
    batches = [[("a", number)] for number in range(24)]
    calls = tmp_path / "calls"

    def sums(a, b):
        calls.touch()
        return a + b

    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path / "checkpoints"))
        source = test.ssc.queueStream(batches)
        out = test.collect(source)
        window = source.window(2)
        test.collect(window)
        window.reduceByKeyAndWindow(sums, lambda a, b: a - b, 5, 1, 1)
        test.advance(len(batches))
    # What a batch of the queue is must not go to an earlier time, either.
    assert out.batches == batches
    assert not calls.exists()
