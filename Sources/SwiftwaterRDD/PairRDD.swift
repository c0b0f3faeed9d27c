import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

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
    let merge = MergeFunction<Key, Value>(combine)
    let count = checkedPartitions(partitions ?? context.defaultParallelism)
    let combination = CombineByKey(
      mergeValue: merge, mergeCombiners: merge, partitioner: Partitioner(count: count),
      at: OperatorPlace(name: "reduceByKey"))
    do {
      return RDD<(Key, Value)>(try node.combined(combination))
    } catch {
      preconditionFailure("closures are not read, so that nothing interrupts it: \(error)")
    }
  }

  /// Each value replaced, the key kept.
  public func mapValues<Key: Sendable, Value: Sendable, Output: Sendable>(
    _ transform: @escaping @Sendable (Value) throws -> Output
  ) -> RDD<(Key, Output)> where Element == (Key, Value) {
    map(keepsKeys: true) { ($0.0, try transform($0.1)) }
  }
}

/// What combines two values of a key.
private final class MergeFunction<Key: PartitionKey, Value: Sendable>: KeyedFunction {
  typealias Combine = @Sendable (Value, Value) throws -> Value
  private let combine: Combine

  init(_ combine: @escaping Combine) { self.combine = combine }

  func makeTable() -> any MergingTable { GroupTable<Key, Value>(combine) }
}

/// Values by key, in first-seen order.
private final class GroupTable<Key: PartitionKey, Value: Sendable>: MergingTable {
  private let combine: MergeFunction<Key, Value>.Combine
  private var index: [Key: Int] = [:]
  private var entries: [(Key, Value)] = []

  init(_ combine: @escaping MergeFunction<Key, Value>.Combine) { self.combine = combine }

  func merge(_ batch: any RecordBatch) throws {
    try RDD<(Key, Value)>.elements(of: batch).forEachElement { try merge($0.0, $0.1) }
  }

  private func merge(_ key: Key, _ value: Value) throws {
    if let place = index[key] {
      entries[place].1 = try combine(entries[place].1, value)
    } else {
      index[key] = entries.count
      entries.append((key, value))
    }
  }

  func divided(into buckets: Int) -> [[any RecordBatch]] {
    guard buckets > 1 else { return [entries.isEmpty ? [] : [ValueBatch(entries)]] }
    var parts: [[(Key, Value)]] = Array(repeating: [], count: buckets)
    for entry in entries {
      parts[PortableHash.partition(of: entry.0.portableHash, among: buckets)].append(entry)
    }
    return parts.map { $0.isEmpty ? [] : [ValueBatch($0)] }
  }
}
