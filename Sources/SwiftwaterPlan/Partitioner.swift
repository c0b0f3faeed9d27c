import SwiftwaterCore
import SwiftwaterKernels

/// In which of some partitions a key is.
public struct Partitioner: Sendable {
  public let count: Int
  /// Gives a key's hash; nil: Spark's `portable_hash`.
  public let function: (any UserFunction)?
  /// `function` as it was given, before it was captured: what tells partitioners apart.
  public let given: (any UserFunction)?
  /// The ranges of keys that `function` tells apart.
  public let ranges: KeyRanges?

  public init(count: Int, function: (any UserFunction)? = nil, ranges: KeyRanges? = nil) {
    self.init(count: count, function: function, given: function, ranges: ranges)
  }

  private init(
    count: Int, function: (any UserFunction)?, given: (any UserFunction)?, ranges: KeyRanges?
  ) {
    self.count = count
    self.function = function
    self.given = given
    self.ranges = ranges
  }

  /// The same with what its function was captured as.
  func with(_ function: (any UserFunction)?) -> Partitioner {
    Partitioner(count: count, function: function, given: given, ranges: ranges)
  }

  /// True where both have each key in the same partition, as far as anybody can know: as many
  /// partitions, and functions that are equal.
  ///
  /// - Throws: what comparing functions throws.
  public func dividesAlike(_ other: Partitioner) throws -> Bool {
    guard count == other.count else { return false }
    switch (given, other.given) {
    case (nil, nil): return true
    case (let ours?, let theirs?): return try ours.isEqual(to: theirs)
    default: return false
    }
  }

  /// The partitioner with what its function refers to by now.
  ///
  /// - Throws: an interrupt.
  public func captured() throws -> Partitioner {
    guard let function, function.isOpen else { return self }
    return with(try function.language.captured([function])[0])
  }

  /// True where no function is called: for the types of keys that columns hold.
  public var isNative: Bool { function == nil || ranges != nil }

  /// True where pairs of a type are divided natively.
  public func divides(_ type: ColumnType) -> Bool {
    guard case .tuple(let items) = type, items.count == 2 else { return false }
    if let ranges { return items[0] == ranges.bounds.type }
    return function == nil && items[0].isHashable
  }

  /// The rows by their partitions; nil where that is a language's.
  public func divided(_ pairs: Column) -> [Column?]? {
    guard divides(pairs.type) else { return nil }
    guard let ranges else { return pairs.divided(among: count) }
    return pairs.tupleItems[0].places(among: ranges.bounds).map { places in
      pairs.divided(
        by: ranges.isAscending ? places : places.map { count - 1 - $0 }, among: count)
    }
  }
}

/// Keys in ranges, a partition each.
public struct KeyRanges: Sendable {
  /// Where the next range begins, behind the key: ascending.
  public let bounds: Column
  public let isAscending: Bool

  /// Nil where a language must compare.
  public init?(_ bounds: Column, isAscending: Bool) {
    guard bounds.type.isOrdered else { return nil }
    self.bounds = bounds
    self.isAscending = isAscending
  }
}

/// Pairs sent whole to the partition of their key.
public final class PartitionByKey: Sendable {
  public let partitioner: Partitioner
  /// Whose objects records are that are in no column.
  public let language: any Language
  /// A function that the pairs are for: it knows their types, where those are a program's. Nil for a
  /// language whose objects say what they are.
  public let receiver: (any UserFunction)?
  public let place: OperatorPlace

  public init(
    _ partitioner: Partitioner, in language: any Language, for receiver: (any UserFunction)? = nil,
    at place: OperatorPlace
  ) {
    self.partitioner = partitioner
    self.language = language
    self.receiver = receiver
    self.place = place
  }

  /// The same with what its function refers to by now.
  ///
  /// - Throws: an interrupt.
  public func captured() throws -> PartitionByKey {
    PartitionByKey(try partitioner.captured(), in: language, for: receiver, at: place)
  }
}
