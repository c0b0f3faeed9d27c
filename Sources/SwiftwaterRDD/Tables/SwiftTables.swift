import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// A closure of a Swift job that a table applies to whole vectors, one for each argument: it knows their
/// types, so nothing is looked up for a record.
protocol VectorFunction: SwiftFunction {
  /// How its table stores pairs.
  var form: any SwiftForm { get }

  /// - Parameter vectors: of as many records each.
  /// - Returns: as many results.
  func applied(to vectors: [any RecordBatch]) throws -> any RecordBatch
}

extension TableOperation {
  /// A window over pairs of Swift values, whose values are combined by closures.
  ///
  /// - Parameters:
  ///   - combine: must be associative.
  ///   - inverse: takes away what has left; nil: each window is made of its batches.
  ///   - keep: of a window with an inverse: the pairs that stay.
  package static func window<Key: PartitionKey, Value: Sendable>(
    of _: (Key, Value).Type, partitions: Int, at place: OperatorPlace,
    _ combine: @escaping @Sendable (Value, Value) throws -> Value,
    inverse: (@Sendable (Value, Value) throws -> Value)? = nil,
    keep: (@Sendable (Key, Value) throws -> Bool)? = nil
  ) -> TableOperation {
    let partitioner = Partitioner(count: checkedPartitions(partitions))
    func table(_ function: any UserFunction) -> TableFunction {
      TableFunction(function, of: partitioner, at: place)
    }
    let combine = table(CombinedVectors<Key, Value>(combine))
    guard let inverse else {
      return TableOperation(.window(combine), partitioner: partitioner, at: place)
    }
    return TableOperation(
      .running(
        combine, inverse: table(CombinedVectors<Key, Value>(inverse)),
        keep: keep.map { table(KeptPairs<Key, Value>($0)) }),
      partitioner: partitioner, at: place)
  }

  /// A state for each key, which a closure makes of new values and of the state before.
  package static func state<Key: PartitionKey, Value: Sendable, State: Sendable>(
    of _: Key.Type, partitions: Int, at place: OperatorPlace,
    _ update: @escaping @Sendable ([Value], State?) throws -> State?
  ) -> TableOperation {
    let partitioner = Partitioner(count: checkedPartitions(partitions))
    let function = TableFunction(
      UpdatedVectors<Key, Value, State>(update), of: partitioner, at: place)
    return TableOperation(.state(function), partitioner: partitioner, at: place)
  }
}

extension TableFunction {
  /// A function whose language calls it as it is.
  package init(
    _ function: any UserFunction, of partitioner: Partitioner, at place: OperatorPlace
  ) {
    self.init(
      function,
      ZipPartitions(
        .sideBySide(of: 1, in: partitioner.count), function, form: nil, partitioner: partitioner,
        at: place))
  }
}

/// What combines the values of two vectors.
private final class CombinedVectors<Key: PartitionKey, Value: Sendable>: VectorFunction {
  typealias Combine = @Sendable (Value, Value) throws -> Value
  private let combine: Combine

  init(_ combine: @escaping Combine) { self.combine = combine }

  var form: any SwiftForm { CombinedForm<Key, Value>() }

  func applied(to vectors: [any RecordBatch]) throws -> any RecordBatch {
    try zipped(vectors, combine)
  }
}

/// What chooses pairs.
private final class KeptPairs<Key: PartitionKey, Value: Sendable>: VectorFunction {
  typealias Keep = @Sendable (Key, Value) throws -> Bool
  private let keep: Keep

  init(_ keep: @escaping Keep) { self.keep = keep }

  var form: any SwiftForm { CombinedForm<Key, Value>() }

  func applied(to vectors: [any RecordBatch]) throws -> any RecordBatch {
    let flags = try records(of: vectors[0], (Key, Value).self).map { try keep($0.0, $0.1) }
    return ColumnBatch(.bool(Bitmap(count: flags.count) { flags[$0] }))
  }
}

/// What makes states of lists and of states.
private final class UpdatedVectors<
  Key: PartitionKey, Value: Sendable, State: Sendable
>: VectorFunction {
  typealias Update = @Sendable ([Value], State?) throws -> State?
  private let update: Update

  init(_ update: @escaping Update) { self.update = update }

  var form: any SwiftForm { StateForm<Key, Value, State>() }

  func applied(to vectors: [any RecordBatch]) throws -> any RecordBatch {
    let update = update
    return try zipped(vectors) { (new: GatheredValues<Value>, state: State?) in
      try update(new.values, state)
    }
  }
}

private func zipped<First: Sendable, Second: Sendable, Result: Sendable>(
  _ vectors: [any RecordBatch], _ body: (First, Second) throws -> Result
) throws -> ValueBatch<Result> {
  let first = try records(of: vectors[0], First.self)
  let second = try records(of: vectors[1], Second.self)
  precondition(first.count == second.count, "the arguments of a function come together")
  var results: [Result] = []
  results.reserveCapacity(first.count)
  for row in first.indices { results.append(try body(first[row], second[row])) }
  return ValueBatch(results)
}

func records<Element: Sendable>(
  of vector: any RecordBatch, _: Element.Type
) throws -> [Element] {
  guard let vector = vector as? ValueBatch<Element> else { throw unexpected(vector) }
  return vector.elements
}

/// Who has made a typed stream of a node has vouched for its records.
func unexpected(_ batch: any RecordBatch) -> EngineError {
  .illegalState("a table of Swift values was given a \(type(of: batch))")
}

/// The new values of a key, for a state: a type of its own, so that they are never taken for one.
package struct GatheredValues<Value: Sendable>: Sendable {
  package var values: [Value]

  package init(_ values: [Value]) { self.values = values }
}

// MARK: - Forms

/// A form of Swift values, which have no columns that a table could go over from.
protocol SwiftForm: ObjectForm {
  /// Pairs by the partitions of their keys, one batch each.
  func divided(
    _ pairs: any RecordBatch, by partitioner: Partitioner
  ) throws -> [any RecordBatch]
}

extension SwiftForm {
  func directory(
    of columns: any KeyDirectory, _ numbers: [UInt32]
  ) throws -> any KeyDirectory { columns }
}

/// Pairs of a window.
private struct CombinedForm<Key: PartitionKey, Value: Sendable>: SwiftForm {
  private let pairs = ValueForm<Key, Value>()

  func makeDirectory() -> any KeyDirectory { pairs.makeDirectory() }

  func makeValues() -> any ValueArray { pairs.makeValues() }

  func split(
    _ batch: any RecordBatch
  ) throws -> (keys: any RecordBatch, values: any RecordBatch)? {
    guard let parts = try pairs.split(batch) else { throw unexpected(batch) }
    return parts
  }

  func pairs(_ keys: any RecordBatch, _ values: any RecordBatch) throws -> any RecordBatch {
    try pairs.pairs(keys, values)
  }

  func gathered(_ vector: any RecordBatch, _ rows: [UInt32]) throws -> any RecordBatch {
    try pairs.gathered(vector, rows)
  }

  func concatenated(_ vectors: [any RecordBatch]) throws -> any RecordBatch {
    try pairs.concatenated(vectors)
  }

  func asObjects(_ vector: any RecordBatch) throws -> any RecordBatch { vector }

  func missing(in vector: any RecordBatch) throws -> [UInt32] { [] }

  func divided(
    _ pairs: any RecordBatch, by partitioner: Partitioner
  ) throws -> [any RecordBatch] {
    guard let pairs = pairs as? ValueBatch<(Key, Value)> else { throw unexpected(pairs) }
    return try pairs.divided(by: partitioner)
  }
}

/// Pairs of keys with states; batches have keys with the values that are new. Vectors of states have nil
/// where there is none.
private struct StateForm<Key: PartitionKey, Value: Sendable, State: Sendable>: SwiftForm {
  private typealias New = GatheredValues<Value>
  private let states = ValueForm<Key, State?>()
  private let lists = ValueForm<Key, GatheredValues<Value>>()

  func makeDirectory() -> any KeyDirectory { states.makeDirectory() }

  func makeValues() -> any ValueArray { states.makeValues() }

  func split(
    _ batch: any RecordBatch
  ) throws -> (keys: any RecordBatch, values: any RecordBatch)? {
    if let parts = try lists.split(batch) { return parts }
    // What a state was before the first batch.
    guard let pairs = batch as? ValueBatch<(Key, State)> else { throw unexpected(batch) }
    return (
      ValueBatch(pairs.elements.map(\.0)), ValueBatch(pairs.elements.map { Optional($0.1) })
    )
  }

  func pairs(_ keys: any RecordBatch, _ values: any RecordBatch) throws -> any RecordBatch {
    let keys = try records(of: keys, Key.self)
    let states = try records(of: values, State?.self)
    precondition(keys.count == states.count, "a state for each key")
    return ValueBatch(
      zip(keys, states).map { key, state -> (Key, State) in
        guard let state else { preconditionFailure("a key without a state is in no table") }
        return (key, state)
      })
  }

  func gathered(_ vector: any RecordBatch, _ rows: [UInt32]) throws -> any RecordBatch {
    vector is ValueBatch<New>
      ? try lists.gathered(vector, rows) : try states.gathered(vector, rows)
  }

  func concatenated(_ vectors: [any RecordBatch]) throws -> any RecordBatch {
    vectors.first is ValueBatch<New>
      ? try lists.concatenated(vectors) : try states.concatenated(vectors)
  }

  /// Of columns a table makes two itself: lists without values, and no states.
  func asObjects(_ vector: any RecordBatch) throws -> any RecordBatch {
    guard let columns = vector as? ColumnBatch else { return vector }
    switch columns.column.type {
    case .none: return ValueBatch([State?](repeating: nil, count: columns.recordCount))
    case .list: return ValueBatch([New](repeating: New([]), count: columns.recordCount))
    default: throw unexpected(vector)
    }
  }

  func missing(in vector: any RecordBatch) throws -> [UInt32] {
    let states = try records(of: vector, State?.self)
    return states.indices.filter { states[$0] == nil }.map { UInt32(truncatingIfNeeded: $0) }
  }

  func divided(
    _ pairs: any RecordBatch, by partitioner: Partitioner
  ) throws -> [any RecordBatch] {
    switch pairs {
    case let pairs as ValueBatch<(Key, New)>: return try pairs.divided(by: partitioner)
    case let pairs as ValueBatch<(Key, State)>: return try pairs.divided(by: partitioner)
    default: throw unexpected(pairs)
    }
  }
}
