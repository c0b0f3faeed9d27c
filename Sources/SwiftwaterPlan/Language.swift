import SwiftwaterCore
import SwiftwaterKernels

/// What a language supplies for functions that are called on records which are objects of its own.
///
/// The engine asks for it where a function has no native form, or where the records turn out to be of
/// types that it cannot be applied to natively. Everything else about an operator, its partitions, its
/// shuffle, its native form, is the engine's, whatever the language.
public protocol Language: Sendable {
  /// "Python", "Swift": functions of languages with one name can be called one behind the other.
  var name: String { get }

  /// Where tasks may run that call its functions.
  var placement: TaskPlacement { get }

  /// True where functions have a native form or none: it is used whatever the settings say.
  var isNativeOnly: Bool { get }

  // MARK: Reading functions

  /// Runs `body`, which asks several things of the language, at the price of one.
  func together(_ body: () throws -> Void) rethrows

  /// What a function is, as it is now.
  ///
  /// - Parameter arguments: how many it is called with.
  /// - Throws: an interrupt.
  func reading(of function: any UserFunction, arguments: Int) throws -> FunctionReading

  /// Which states a function on states keeps for keys without new values, as it is now.
  ///
  /// - Throws: an interrupt.
  func keptStates(of function: any UserFunction) throws -> StatesReading

  /// The functions with what they refer to by now: later changes are not seen. What several of them
  /// share is still shared.
  ///
  /// - Throws: an interrupt.
  func captured(_ functions: [any UserFunction]) throws -> [any UserFunction]

  /// - Throws: where a function refers to what belongs to the driver.
  func checkCaptures(of functions: [any UserFunction]) throws

  // MARK: Calling functions

  /// The records gone through steps.
  func cursor(over rest: Rest, _ task: TaskContext) throws -> any BatchCursor

  /// How many records come out of steps.
  func count(_ rest: Rest, _ task: TaskContext) throws -> Int

  /// Records combined by key, by the partitions of their keys.
  ///
  /// - Parameter divided: what is combined already, a list for each partition, or nothing: what comes
  ///   now goes behind it.
  func combined(
    _ rest: Rest, _ combination: CombineByKey, divided: [[any RecordBatch]], _ task: TaskContext
  ) throws -> [[any RecordBatch]]

  /// The pairs of several parts of one partition, with the values of each key combined.
  func merged(
    _ parts: [any RecordBatch], _ combination: CombineByKey, _ task: TaskContext
  ) throws -> any BatchCursor

  /// Pairs, each whole, by the partitions of their keys.
  func divided(
    _ rest: Rest, _ division: PartitionByKey, _ task: TaskContext
  ) throws -> [[any RecordBatch]]

  /// Records, by the partitions that they go to in turn.
  func spread(
    _ rest: Rest, among count: Int, _ turns: inout Turns, _ task: TaskContext
  ) throws -> [[any RecordBatch]]

  /// What a function makes of several partitions.
  func zipped(
    _ inputs: [any BatchCursor], _ zip: ZipPartitions, partition: Int, _ task: TaskContext
  ) throws -> any BatchCursor

  /// Objects of its own as a column; nil where they have no common type, and for other records.
  func column(of batch: any RecordBatch) -> Column?

  // MARK: Finding records

  /// The keys of pairs that are objects of its own, as a column; nil where they have no common type,
  /// and for other records.
  ///
  /// - Throws: an interrupt.
  func keys(of pairs: [any RecordBatch]) throws -> Column?

  /// Those of its own objects that are at some places, for somebody who shares them with others; nil
  /// for other records.
  ///
  /// - Parameter places: ascending, counted through all batches.
  /// - Throws: an interrupt.
  func records(at places: [UInt32], of batches: [any RecordBatch]) throws -> (any RecordBatch)?

  /// What finds pairs by their keys as this language compares them; nil where there are others among
  /// the records.
  ///
  /// - Throws: an interrupt.
  func finder(of pairs: [any RecordBatch]) throws -> (any PairFinder)?

  // MARK: Tables

  /// The rows of objects of its own that a function on states is not proved to keep: see ``KeptStates``.
  func rowsNotKept(
    by function: any UserFunction, in states: any RecordBatch
  ) throws -> [UInt32]

  /// How tables store pairs of its objects; nil where it has none.
  func tableForm(for operation: TableOperation) -> (any ObjectForm)?

  /// What a function has made of records and states, which gave `results`.
  ///
  /// - Parameter keyCount: so many keys had records.
  func mappedRecords(
    _ results: any RecordBatch, of keyCount: Int, _ form: any ObjectForm
  ) throws -> MappedRecords

  /// True for what a function may have raised because of its records, and no interrupt.
  func isOfRecords(_ error: any Error) -> Bool

  /// Runs `body`, which may wait for another thread that needs the language.
  func waiting<R>(_ body: () throws -> R) rethrows -> R
}

/// Finds pairs by their keys without looking at the others.
public protocol PairFinder: Sendable {
  /// The pairs whose key is one of those of `others`, in their order; nil where that cannot be told, and
  /// where they are most of all.
  ///
  /// - Throws: an interrupt.
  func pairs(withKeysOf others: [any RecordBatch]) throws -> [any RecordBatch]?
}

extension Language {
  public var isNativeOnly: Bool { false }

  public func reading(
    of function: any UserFunction, arguments: Int
  ) throws -> FunctionReading {
    FunctionReading(.refused(Refusal("it is a closure", at: nil)), of: function)
  }

  public func keptStates(of function: any UserFunction) throws -> StatesReading {
    .refused(Refusal("it is a closure", at: nil))
  }

  public func together(_ body: () throws -> Void) rethrows { try body() }

  public func captured(_ functions: [any UserFunction]) throws -> [any UserFunction] { functions }

  public func checkCaptures(of functions: [any UserFunction]) throws {}

  public func count(_ rest: Rest, _ task: TaskContext) throws -> Int {
    let cursor = try cursor(over: rest, task)
    var count = 0
    while let batch = try cursor.next() { count += batch.recordCount }
    return count
  }

  public func spread(
    _ rest: Rest, among count: Int, _ turns: inout Turns, _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    throw EngineError.illegalState("objects of \(name) are not spread")
  }

  public func column(of batch: any RecordBatch) -> Column? { nil }

  public func keys(of pairs: [any RecordBatch]) throws -> Column? { nil }

  public func records(
    at places: [UInt32], of batches: [any RecordBatch]
  ) throws -> (any RecordBatch)? { nil }

  public func finder(of pairs: [any RecordBatch]) throws -> (any PairFinder)? { nil }

  public func rowsNotKept(
    by function: any UserFunction, in states: any RecordBatch
  ) throws -> [UInt32] {
    (0..<states.recordCount).map { UInt32(truncatingIfNeeded: $0) }
  }

  public func tableForm(for operation: TableOperation) -> (any ObjectForm)? { nil }

  public func isOfRecords(_ error: any Error) -> Bool { false }

  public func waiting<R>(_ body: () throws -> R) rethrows -> R { try body() }
}

/// Records of a partition, and the steps through which a language has to send them.
public struct Rest {
  public let input: any BatchCursor
  public let steps: [RecordStep]
  public let partition: Int

  public init(_ input: any BatchCursor, _ steps: [RecordStep], partition: Int) {
    self.input = input
    self.steps = steps
    self.partition = partition
  }
}
