"""Not there yet: says so to whoever imports it."""

raise ImportError(
    "pyspark.streaming.mqtt (MQTTUtils) is not there yet in Swiftwater: its sources are "
    "socketTextStream, textFileStream, binaryRecordsStream and queueStream"
)
