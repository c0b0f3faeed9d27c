"""Watch a job from inside: how large its batches are, and how long they take.

Start a sender, for example ``nc -lk 9999``, and then::

    swiftwater run examples/listener.py localhost 9999
"""

import sys
import time

from pyspark import SparkContext
from pyspark.streaming import StreamingContext, StreamingListener


class Watch(StreamingListener):
    """Prints a line for each batch with records, and for each output that fails.

    Its methods run beside the batches, on another thread. Those that are not here do nothing.
    """

    def onReceiverStarted(self, event):
        """Tell where records come from."""
        print(f"receiver {event.receiverInfo().name()} runs", flush=True)

    def onOutputOperationCompleted(self, event):
        """Tell what went wrong. The job goes on in any case."""
        reason = event.outputOperationInfo().failureReason()
        if reason is not None:
            print(f"failed: {reason}", flush=True)

    def onBatchCompleted(self, event):
        """Tell how the batch went; delays are in milliseconds."""
        batch = event.batchInfo()
        if batch.numRecords() > 0:
            print(
                f"{batch.numRecords()} lines: waited {batch.schedulingDelay()} ms, "
                f"took {batch.processingDelay()} ms",
                flush=True,
            )


sc = SparkContext(appName="Listener")
ssc = StreamingContext(sc, 1)
ssc.addStreamingListener(Watch())
lines = ssc.socketTextStream(sys.argv[1], int(sys.argv[2]))
# A line that is not a number fails its batch.
lines.map(float).foreachRDD(lambda rdd: print("sum", rdd.sum(), flush=True))
ssc.start()
# A failed batch is told above, and the job goes on. awaitTermination would raise its error.
while StreamingContext.getActive() is not None:
    time.sleep(1)
