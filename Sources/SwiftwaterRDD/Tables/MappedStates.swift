import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// The state of a key, while the function of `mapWithState` works on one of its records.
///
/// What the function changes takes effect when all records of the batch have gone through.
///
/// ```swift
/// let counted = StateSpec { (word: String, one: Int?, state: inout State<Int>) in
///   try state.update((state.getOption() ?? 0) + 1)
///   return (word, try state.get())
/// }
/// ```
public struct State<Value: Sendable>: Sendable {
  private var value: Value?
  private(set) var outcome = MappedRecords.Outcome.same
  /// This is the last call for the key: it had no records for too long.
  public let isTimingOut: Bool

  init(_ value: Value?, isTimingOut: Bool = false) {
    self.value = value
    self.isTimingOut = isTimingOut
  }

  /// Whether the key has a state.
  public var exists: Bool { value != nil }

  /// The key's state.
  ///
  /// - Throws: ``EngineError`` (`illegalState`) where it has none.
  public func get() throws -> Value {
    guard let value else { throw EngineError.illegalState("State is not set") }
    return value
  }

  /// The key's state; nil where it has none.
  public func getOption() -> Value? { value }

  /// Gives the key a state.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) where it has been removed, or its time is out.
  public mutating func update(_ newState: Value) throws {
    try require(outcome != .removed, "Cannot update the state after it has been removed")
    try require(!isTimingOut, "Cannot update the state that is timing out")
    value = newState
    outcome = .changed
  }

  /// Takes the key's state away; with the next record it can have one again.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) where that has been done, or its time is out.
  public mutating func remove() throws {
    try require(!isTimingOut, "Cannot remove the state that is timing out")
    try require(
      outcome != .removed, "Cannot remove the state that has already been removed")
    value = nil
    outcome = .removed
  }

  private func require(_ condition: Bool, _ text: String) throws {
    if !condition { throw EngineError.invalidArgument("requirement failed: \(text)") }
  }
}

extension TableOperation {
  /// States that a closure changes record by record, and what it makes of each.
  ///
  /// - Parameters:
  ///   - timeout: in milliseconds; nil: no key times out.
  ///   - function: gives nil where there is no record.
  package static func mapped<Key: PartitionKey, Value: Sendable, Kept: Sendable, Mapped: Sendable>(
    by partitioner: Partitioner, timeout: Int64?, at place: OperatorPlace,
    _ function: @escaping @Sendable (BatchTime, Key, Value?, inout State<Kept>) throws -> Mapped?
  ) -> TableOperation {
    let function = TableFunction(
      MappingFunction<Key, Value, Kept, Mapped>(function), of: partitioner, at: place)
    return TableOperation(
      .mapped(function, timeout: timeout), partitioner: partitioner, at: place)
  }
}

/// What is made of the records of a batch and of the states of their keys.
private final class MappingFunction<
  Key: PartitionKey, Value: Sendable, Kept: Sendable, Mapped: Sendable
>: VectorFunction {
  typealias Function = @Sendable (BatchTime, Key, Value?, inout State<Kept>) throws -> Mapped?
  private let function: Function

  init(_ function: @escaping Function) { self.function = function }

  var form: any SwiftForm { MappedForm<Key, Value, Kept>() }

  /// The vectors are: the batch time; the records' keys; their values; for each record which of the keys it
  /// has; for each key whether it has a state; the states of those that have one; the keys whose time is
  /// out, and their states.
  func applied(to vectors: [any RecordBatch]) throws -> any RecordBatch {
    let time = BatchTime(milliseconds: try integers(of: vectors[0])[0])
    let keys = try elements(of: vectors[1], Key.self)
    let values = try elements(of: vectors[2], Value.self)
    let places = try integers(of: vectors[3])
    var before = try elements(of: vectors[5], Kept.self).makeIterator()
    var states = try integers(of: vectors[4]).map { $0 == 1 ? before.next() : nil }
    var outcomes = [MappedRecords.Outcome](repeating: .same, count: states.count)
    var made: [Mapped] = []
    made.reserveCapacity(keys.count)
    for (row, key) in keys.enumerated() {
      let place = Int(places[row])
      var state = State(states[place])
      if let record = try function(time, key, values[row], &state) { made.append(record) }
      if state.outcome == .same { continue }
      outcomes[place] = state.outcome
      states[place] = state.getOption()
    }
    let idle = try elements(of: vectors[6], Key.self)
    for (key, last) in zip(idle, try elements(of: vectors[7], Kept.self)) {
      var state = State(last, isTimingOut: true)
      if let record = try function(time, key, nil, &state) { made.append(record) }
    }
    let changed = outcomes.indices.lazy.filter { outcomes[$0] == .changed }
    return MappedValues<Kept, Mapped>(
      outcomes: outcomes, states: changed.compactMap { states[$0] }, records: made)
  }

  private func integers(of vector: any RecordBatch) throws -> Buffer<Int64> {
    if vector.recordCount == 0 { return [] }
    guard case .integer(let values)? = (vector as? ColumnBatch)?.column.expanded() else {
      throw unexpected(vector)
    }
    return values
  }

  /// Where there is nothing, the vector may be of any type.
  private func elements<Element: Sendable>(
    of vector: any RecordBatch, _ type: Element.Type
  ) throws -> [Element] {
    vector.recordCount == 0 ? [] : try records(of: vector, type)
  }
}

/// What a closure has made of records and states.
protocol MappedVectors: RecordBatch {
  var mapped: MappedRecords { get }
}

private struct MappedValues<Kept: Sendable, Mapped: Sendable>: MappedVectors {
  let outcomes: [MappedRecords.Outcome]
  /// For each key whose state has changed.
  let states: [Kept]
  let records: [Mapped]

  /// What is in it: one without anything would be taken for no batch.
  var recordCount: Int { outcomes.count + states.count + records.count }

  var mapped: MappedRecords {
    MappedRecords(
      outcomes: outcomes, states: ValueBatch(states), records: ValueBatch(records))
  }
}

/// Pairs of keys with states; batches have keys with values.
private struct MappedForm<Key: PartitionKey, Value: Sendable, Kept: Sendable>: SwiftForm {
  private let states = ValueForm<Key, Kept>()
  private let values = ValueForm<Key, Value>()

  func makeDirectory() -> any KeyDirectory { states.makeDirectory() }

  func makeValues() -> any ValueArray { states.makeValues() }

  func split(
    _ batch: any RecordBatch
  ) throws -> (keys: any RecordBatch, values: any RecordBatch)? {
    // What a state was before the first batch may be of another type than values.
    guard let parts = try values.split(batch) ?? states.split(batch) else {
      throw unexpected(batch)
    }
    return parts
  }

  func pairs(_ keys: any RecordBatch, _ values: any RecordBatch) throws -> any RecordBatch {
    try states.pairs(keys, values)
  }

  func gathered(_ vector: any RecordBatch, _ rows: [UInt32]) throws -> any RecordBatch {
    vector is ValueBatch<Value>
      ? try values.gathered(vector, rows) : try states.gathered(vector, rows)
  }

  func concatenated(_ vectors: [any RecordBatch]) throws -> any RecordBatch {
    vectors.first is ValueBatch<Value>
      ? try values.concatenated(vectors) : try states.concatenated(vectors)
  }

  func asObjects(_ vector: any RecordBatch) throws -> any RecordBatch { vector }

  func missing(in vector: any RecordBatch) throws -> [UInt32] { [] }

  func divided(
    _ pairs: any RecordBatch, by partitioner: Partitioner
  ) throws -> [any RecordBatch] {
    switch pairs {
    case let pairs as ValueBatch<(Key, Value)>: return try pairs.divided(by: partitioner)
    case let pairs as ValueBatch<(Key, Kept)>: return try pairs.divided(by: partitioner)
    default: throw unexpected(pairs)
    }
  }
}
