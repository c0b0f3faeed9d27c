"""The job that has written the checkpoint beside it, with an older version.

It stood in a folder that is called ``/older`` in there, and watches two folders in it.
"""

import os
import shutil
import sys
from pathlib import Path

from swiftwater.testing import StreamingTest

# Batch number 0 of every test.
ZERO = 1_893_456_000


def total(new, old):
    return sum(new) + (old or 0)


def deliver(rdd):
    records = rdd.collect()
    if "refused" in records and not os.path.exists("is_up"):
        raise ConnectionError("the other side is down")
    with open("delivered", "a") as file:
        file.write(f"{records}\n")


def define(test):
    """Define streams whose sources are of both kinds, in turns."""
    texts = test.ssc.textFileStream("texts")
    first = test.text_source().stream
    records = test.ssc.binaryRecordsStream("records", 2).map(bytes.decode)
    second = test.text_source().stream
    for stream in (texts, first, records, second):
        test.collect(stream)
    everything = first.union(second).union(texts).union(records)
    test.collect(everything.map(lambda record: (record[0], 1)).updateStateByKey(total))
    second.union(texts).foreachRDD(deliver)


def put(name, data, batch):
    Path(name).write_bytes(data)
    os.utime(name, (ZERO + batch, ZERO + batch))


def fill():
    """Put the files there that all batches together have."""
    for folder in ("texts", "records"):
        Path(folder).mkdir()
    put("texts/a", b"one\n\xc3\xa9\n", 1)
    put("records/b", b"xxyy", 2)
    put(os.fsdecode(b"texts/caf\xe9"), b"odd\n", 3)
    put("records/again", b"zz", 11)
    put("texts/later", b"later\n", 13)
    put("records/later", b"!!", 14)


def feed(test, batches):
    """Give each batch's lines to both receivers, and run it."""
    for batch in batches:
        test.sources[0].send(f"first {batch}")
        test.sources[1].send("refused" if batch == 3 else f"second {batch}")
        try:
            test.advance()
        except ConnectionError:
            if batch != 3:
                raise


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    fill()
    with StreamingTest() as test:
        test.ssc.checkpoint("checkpoint")
        define(test)
        test.start()
        # The data of the state is that of batch 10.
        feed(test, range(1, 12))
        # As a process would leave it that ends now.
        shutil.copytree("checkpoint", "left")
