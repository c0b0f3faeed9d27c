/// What a stream makes in each batch, as a value. Its inputs are the streams that it is made of.
public enum StreamOperator: Sendable {
  /// What comes in from outside.
  case source
  /// Functions on records and partitions.
  case records([RecordStep])
  /// Values combined by key.
  case combineByKey(CombineByKey)
  /// A table of keys that takes in each batch: the values in a window of so many milliseconds, or a state.
  case table(TableOperation, window: Int64?)
  /// What the function of the table of the stream before makes of records.
  case tableRecords
  /// The records of the last batches together.
  case window(OperatorPlace)
  /// The records of several streams together.
  case union(OperatorPlace)
  /// Each pair in the partition of its key.
  case partitionBy(PartitionByKey)
  /// Several streams brought together by their keys.
  case join(ZipPartitions)
  /// Other operators of RDDs, batch by batch.
  case derived
  /// A function of the driver decides in each batch what is computed.
  case driver(OperatorPlace)

  /// What the records of every RDD are divided by; nil where that is not known of all of them.
  ///
  /// - Parameter input: of the first stream that it is made of.
  public func partitioner(over input: Partitioner?) -> Partitioner? {
    switch self {
    case .records(let steps): steps.allSatisfy(\.keepsKeys) ? input : nil
    case .combineByKey(let combination): combination.partitioner
    case .table(let operation, _): operation.partitioner
    case .source, .tableRecords, .window, .union, .partitionBy, .join, .derived, .driver: nil
    }
  }
}
