import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

extension Partitioner {
  /// Keys in the places that a closure gives them, which may be any numbers: the partition is what is left
  /// of a division by `count`.
  package init<Key: PartitionKey>(
    count: Int, placing place: @escaping @Sendable (Key) throws -> Int
  ) {
    self.init(count: count, function: KeyPlaces<Key>(place))
  }
}

/// What gives keys their places.
private final class KeyPlaces<Key: PartitionKey>: SwiftFunction {
  let place: @Sendable (Key) throws -> Int

  init(_ place: @escaping @Sendable (Key) throws -> Int) { self.place = place }
}

extension ValueBatch {
  /// Pairs by the partitions of their keys, one batch each.
  func divided<Key: PartitionKey, Value: Sendable>(
    by partitioner: Partitioner
  ) throws -> [any RecordBatch] where Element == (Key, Value) {
    if partitioner.count == 1, partitioner.function == nil { return [self] }
    var parts = [[Element]](repeating: [], count: partitioner.count)
    if let function = partitioner.function {
      guard let places = function as? KeyPlaces<Key> else {
        preconditionFailure("keys of a Swift type are placed by a closure on them")
      }
      for pair in elements {
        let place = PortableHash.partition(of: try places.place(pair.0), among: parts.count)
        parts[place].append(pair)
      }
    } else {
      for pair in elements {
        parts[PortableHash.partition(of: pair.0.portableHash, among: parts.count)].append(pair)
      }
    }
    return parts.map { ValueBatch($0) }
  }
}
