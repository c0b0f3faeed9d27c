/// What a stream makes in each batch, as a value. Its inputs are the streams that it is made of.
public enum StreamOperator: Sendable {
  /// What comes in from outside.
  case source
  /// Functions on records and partitions.
  case records([RecordStep])
  /// Values combined by key.
  case combineByKey(CombineByKey)
  /// Other operators of RDDs, batch by batch.
  case derived
  /// A function of the driver decides in each batch what is computed.
  case driver(OperatorPlace)
}
