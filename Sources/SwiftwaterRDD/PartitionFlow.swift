import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// The records of one partition on their way to who asks for them: steps that have not been taken yet
/// are taken together with what is done at the end.
public final class PartitionFlow: BatchCursor {
  private enum Content {
    case batches(any BatchCursor)
    case steps(StepsFlow)
    case moved(MovedPart)
  }

  private var content: Content
  let partition: Int

  init(_ batches: any BatchCursor, partition: Int) {
    content = .batches(batches)
    self.partition = partition
  }

  init(_ steps: StepsFlow, partition: Int) {
    content = .steps(steps)
    self.partition = partition
  }

  init(_ part: MovedPart, partition: Int) {
    content = .moved(part)
    self.partition = partition
  }

  /// What is computed in another process; nil where it is computed here.
  var moved: MovedPart? {
    if case .moved(let part) = content { part } else { nil }
  }

  /// Has another process compute what it is to.
  func fetch() throws {
    guard case .moved(let part) = content else { return }
    content = .batches(ArrayCursor(try part.batches()))
  }

  public func next() throws -> (any RecordBatch)? {
    switch content {
    case .batches(let cursor): return try cursor.next()
    case .steps(let flow): return try flow.next()
    case .moved:
      try fetch()
      return try next()
    }
  }

  public var atHand: ArraySlice<any RecordBatch>? {
    if case .batches(let cursor) = content { cursor.atHand } else { nil }
  }

  /// True where all steps run natively, for the records as far as they are known.
  public func isNative() throws -> Bool {
    if case .steps(let flow) = content { try flow.isNative() } else { true }
  }

  /// The records, and the steps that are left for their language.
  ///
  /// - Parameter goesIntoFunction: the records go into a function of the language behind the steps.
  public func rest(goesIntoFunction: Bool = false) throws -> Rest {
    guard case .steps(let flow) = content else { return Rest(self, [], partition: partition) }
    return try flow.rest(goesIntoFunction: goesIntoFunction)
  }
}

/// Steps over one partition: the first ones natively, as far as that goes, the others in their language.
final class StepsFlow: BatchCursor {
  private let input: any BatchCursor
  private let steps: [RecordStep]
  private let native: NativeCursor?
  private let inputType: ColumnType?
  private let partition: Int
  private let task: TaskContext
  /// The steps that are left for the language.
  private var tail: (any BatchCursor)?

  /// - Parameters:
  ///   - inputType: of the records in front of the steps, where it is known.
  ///   - chain: the native forms of the steps, as they are now.
  init(
    _ input: any BatchCursor, of inputType: ColumnType?, through steps: [RecordStep],
    _ chain: NativeChain?, partition: Int, task: TaskContext
  ) {
    self.steps = steps
    self.partition = partition
    self.task = task
    self.inputType = inputType
    native = chain.map { NativeCursor(input, $0, of: steps, partition: partition, task: task) }
    self.input = native ?? input
  }

  func isNative() throws -> Bool {
    try native?.prepare(inputType)
    return native?.count == steps.count
  }

  func next() throws -> (any RecordBatch)? {
    if let tail { return try tail.next() }
    if try isNative() { return try input.next() }
    let tail = try steps[0].function.language.cursor(over: rest(goesIntoFunction: false), task)
    self.tail = tail
    return try tail.next()
  }

  func rest(goesIntoFunction: Bool) throws -> Rest {
    if goesIntoFunction { native?.goesIntoFunction() }
    try native?.prepare(inputType)
    return Rest(input, Array(steps[(native?.count ?? 0)...]), partition: partition)
  }
}
