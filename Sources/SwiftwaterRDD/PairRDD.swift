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
    let combination = CombineByKey.reducing(
      (Key, Value).self, partitions: partitions ?? context.defaultParallelism,
      at: OperatorPlace(name: "reduceByKey"), combine)
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

extension CombineByKey {
  /// The values of each key combined by a closure, which must be associative.
  package static func reducing<Key: PartitionKey, Value: Sendable>(
    _: (Key, Value).Type, partitions: Int, at place: OperatorPlace,
    _ combine: @escaping @Sendable (Value, Value) throws -> Value
  ) -> CombineByKey {
    let merge = MergeFunction<Key, Value>(combine)
    return CombineByKey(
      mergeValue: merge, mergeCombiners: merge,
      partitioner: Partitioner(count: checkedPartitions(partitions)), at: place)
  }

  /// The values of each key, in their order, as ``GatheredValues``.
  package static func gathering<Key: PartitionKey, Value: Sendable>(
    _: (Key, Value).Type, partitions: Int, at place: OperatorPlace
  ) -> CombineByKey {
    CombineByKey(
      mergeValue: GatherFunction<Key, Value>(), mergeCombiners: JoinFunction<Key, Value>(),
      partitioner: Partitioner(count: checkedPartitions(partitions)), at: place)
  }
}

/// What combines two values of a key.
private final class MergeFunction<Key: PartitionKey, Value: Sendable>: KeyedFunction {
  typealias Combine = @Sendable (Value, Value) throws -> Value
  private let combine: Combine

  init(_ combine: @escaping Combine) { self.combine = combine }

  func makeTable() -> any MergingTable { MergedValues<Key, Value>(combine) }
}

/// What puts the values of a key together.
private final class GatherFunction<Key: PartitionKey, Value: Sendable>: KeyedFunction {
  func makeTable() -> any MergingTable { ListedValues<Key, Value>() }
}

/// What puts parts of the values of a key together.
private final class JoinFunction<Key: PartitionKey, Value: Sendable>: KeyedFunction {
  func makeTable() -> any MergingTable { JoinedLists<Key, Value>() }
}

private final class MergedValues<Key: PartitionKey, Value: Sendable>: MergingTable {
  private let combine: MergeFunction<Key, Value>.Combine
  private var entries = Entries<Key, Value>()

  init(_ combine: @escaping MergeFunction<Key, Value>.Combine) { self.combine = combine }

  func merge(_ batch: any RecordBatch) throws {
    try RDD<(Key, Value)>.elements(of: batch).forEachElement { key, value in
      if let place = entries.place(of: key, else: value) {
        entries.all[place].1 = try combine(entries.all[place].1, value)
      }
    }
  }

  func divided(into buckets: Int) -> [[any RecordBatch]] { entries.divided(into: buckets) }
}

private final class ListedValues<Key: PartitionKey, Value: Sendable>: MergingTable {
  private var entries = Entries<Key, GatheredValues<Value>>()

  func merge(_ batch: any RecordBatch) throws {
    RDD<(Key, Value)>.elements(of: batch).forEachElement { key, value in
      if let place = entries.place(of: key, else: GatheredValues([value])) {
        entries.all[place].1.values.append(value)
      }
    }
  }

  func divided(into buckets: Int) -> [[any RecordBatch]] { entries.divided(into: buckets) }
}

private final class JoinedLists<Key: PartitionKey, Value: Sendable>: MergingTable {
  private var entries = Entries<Key, GatheredValues<Value>>()

  func merge(_ batch: any RecordBatch) throws {
    RDD<(Key, GatheredValues<Value>)>.elements(of: batch).forEachElement { key, more in
      if let place = entries.place(of: key, else: more) {
        entries.all[place].1.values += more.values
      }
    }
  }

  func divided(into buckets: Int) -> [[any RecordBatch]] { entries.divided(into: buckets) }
}

/// Values by key, in first-seen order.
private struct Entries<Key: PartitionKey, Value: Sendable> {
  private var index: [Key: Int] = [:]
  var all: [(Key, Value)] = []

  /// The place of a key that is there; one that is not is put there with its first value.
  @inline(__always)
  mutating func place(of key: Key, else first: @autoclosure () -> Value) -> Int? {
    if let place = index[key] { return place }
    index[key] = all.count
    all.append((key, first()))
    return nil
  }

  func divided(into buckets: Int) -> [[any RecordBatch]] {
    guard buckets > 1 else { return [all.isEmpty ? [] : [ValueBatch(all)]] }
    var parts: [[(Key, Value)]] = Array(repeating: [], count: buckets)
    for entry in all {
      parts[PortableHash.partition(of: entry.0.portableHash, among: buckets)].append(entry)
    }
    return parts.map { $0.isEmpty ? [] : [ValueBatch($0)] }
  }
}
