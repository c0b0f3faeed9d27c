import SwiftwaterCore
import SwiftwaterKernels

extension RDD {
  /// The values of each key combined: first inside every partition, then across them. Keys keep
  /// the order in which they were first seen.
  ///
  /// - Parameters:
  ///   - partitions: how many partitions the result has; by default the context's parallelism.
  ///   - combine: must be associative. Called in the order of the records.
  public func reduceByKey<Key: PartitionKey, Value: Sendable>(
    partitions: Int? = nil, _ combine: @escaping @Sendable (Value, Value) throws -> Value
  ) -> RDD<(Key, Value)> where Element == (Key, Value) {
    let buckets = checkedPartitions(partitions ?? context.defaultParallelism)
    let shuffle = Shuffle(parent: node, bucketCount: buckets) { cursor, task in
      var table = GroupTable<Key, Value>()
      while let batch = try cursor.next() {
        try task.checkCancellation()
        try Self.elements(of: batch).forEachElement { try table.merge($0.0, $0.1, combine) }
      }
      return table.divided(into: buckets)
    }
    return RDD<(Key, Value)>(
      RDDNode(
        name: "reduceByKey", context: context, dependencies: [.shuffle(shuffle)],
        partitionCount: buckets
      ) { partition, _ in
        var table = GroupTable<Key, Value>()
        for batch in shuffle.bucket(partition) {
          try Self.elements(of: batch).forEachElement { try table.merge($0.0, $0.1, combine) }
        }
        return ArrayCursor(table.isEmpty ? [] : [ValueBatch(table.entries)])
      })
  }

  /// Each value replaced, the key kept.
  public func mapValues<Key: Sendable, Value: Sendable, Output: Sendable>(
    _ transform: @escaping @Sendable (Value) throws -> Output
  ) -> RDD<(Key, Output)> where Element == (Key, Value) {
    map { ($0.0, try transform($0.1)) }
  }
}

/// Values by key, in first-seen order.
struct GroupTable<Key: PartitionKey, Value: Sendable> {
  private var index: [Key: Int] = [:]
  private(set) var entries: [(Key, Value)] = []

  var isEmpty: Bool { entries.isEmpty }

  mutating func merge(
    _ key: Key, _ value: Value, _ combine: (Value, Value) throws -> Value
  ) rethrows {
    if let place = index[key] {
      entries[place].1 = try combine(entries[place].1, value)
    } else {
      index[key] = entries.count
      entries.append((key, value))
    }
  }

  /// The entries by their key's partition, one batch each, none where a bucket is empty.
  func divided(into buckets: Int) -> [[any RecordBatch]] {
    guard buckets > 1 else { return [entries.isEmpty ? [] : [ValueBatch(entries)]] }
    var parts: [[(Key, Value)]] = Array(repeating: [], count: buckets)
    for entry in entries {
      parts[PortableHash.partition(of: entry.0.portableHash, among: buckets)].append(entry)
    }
    return parts.map { $0.isEmpty ? [] : [ValueBatch($0)] }
  }
}
