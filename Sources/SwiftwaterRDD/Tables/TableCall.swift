import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import Synchronization

/// Thrown where records do not fit the columns of a table: it goes over to its language's objects, and
/// the work is done again.
struct UnfitForColumns: Error {}

/// Calls a table's functions on whole vectors, in one task.
struct TableCall {
  let operation: TableOperation
  let evaluation: Evaluation
  let programs: TablePrograms
  /// What became of the records of batches up to this time has been handed out.
  let deliveredTime: Int64
  /// What the other partitions hold.
  let others: TableFigures

  private var language: any Language { operation.language }
  var isLowering: Bool { evaluation.task.isLowering || language.isNativeOnly }

  /// The function applied by its language to the records of vectors of objects, one of each.
  ///
  /// - Returns: objects, or a column where they came as one from another process.
  func called(
    _ function: TableFunction, _ arguments: [any RecordBatch]
  ) throws -> any RecordBatch {
    let form = try objectForm()
    if arguments[0].recordCount == 0 { return try form.concatenated([]) }
    // What a function changes of its arguments is nobody else's.
    let arguments = try arguments.map { try $0.spillingIfShort() }
    let task = evaluation.task
    let inputs: @Sendable () -> [any BatchCursor] = { arguments.map { ArrayCursor([$0]) } }
    let results: [any RecordBatch]
    if let mover = evaluation.mover {
      let part = MovedPart(
        inputs(), again: inputs, partition: task.partition, mover, task)
      results = try part.then(.zip(function.zip), task.partition).batches()
    } else {
      results = try function.zip.language.zipped(
        inputs(), function.zip, partition: task.partition, task
      ).drained()
    }
    let loaded = try results.map { try ($0 as? any StoredBatch)?.loaded() ?? $0 }
    let columns = loaded.compactMap { ($0 as? ColumnBatch)?.column }
    if columns.count == loaded.count, Set(columns.map(\.type)).count == 1 {
      return ColumnBatch(.concatenated(columns))
    }
    return try form.concatenated(loaded.map { try form.asObjects($0) })
  }

  /// The function applied to columns; nil where its language must do it.
  ///
  /// - Parameter type: what the results must be.
  /// - Throws: ``UnfitForColumns`` where some rows are the language's to compute.
  func native(
    _ function: TableFunction, _ arguments: [Column], to type: ColumnType
  ) throws -> Column? {
    guard let program = try program(of: function, for: arguments.map(\.type)),
      program.outputType == type
    else { return nil }
    let count = arguments[0].count
    if count == 0 { return .empty(type) }
    let input = arguments.count == 1 ? arguments[0] : Column.tuple(arguments, count: count)
    let result = program.run(input)
    guard result.flagged == nil else { throw UnfitForColumns() }
    return result.column.expanded()
  }

  /// The function's native form for arguments of these types; nil where it has none.
  ///
  /// - Throws: an interrupt while it is read.
  func program(of function: TableFunction, for types: [ColumnType]) throws -> Program? {
    guard isLowering else { return nil }
    let reading = try language.reading(of: function.function, arguments: types.count)
    return programs.program(reading, for: types)
  }
}

/// The native forms of a table's functions, from batch to batch.
final class TablePrograms: Sendable {
  private struct Known {
    /// Keeps the identity from being another one's.
    let reading: FunctionReading
    let types: [ColumnType]
    let program: Program?
  }
  /// A table has few functions, and records of one type as a rule.
  private static let most = 16
  private let known = Mutex<[Known]>([])
  /// The type of the states that values of a type make.
  private let states = Mutex<KnownStates?>(nil)
  private typealias KnownStates = (reading: FunctionReading, values: ColumnType, type: ColumnType?)

  /// The type of the states that an update function makes of values; nil where it has no native form.
  func stateType(_ reading: FunctionReading, _ values: ColumnType) -> ColumnType? {
    let found = states.withLock { known -> ColumnType?? in
      guard let known, known.reading.identity == reading.identity, known.values == values else {
        return nil
      }
      return known.type
    }
    if let found { return found }
    var type: ColumnType?
    if let expression = reading.expression, !reading.looksIntoCollections {
      type = try? Program.stateType(of: expression, values: values)
    }
    let new = (reading, values, type)
    let old = states.withLock { known in
      defer { known = new }
      return known
    }
    // Not under the lock: a language's code may run when a reading goes.
    withExtendedLifetime(old) {}
    return type
  }

  func program(_ reading: FunctionReading, for types: [ColumnType]) -> Program? {
    let found = known.withLock { known in
      known.first { $0.reading.identity == reading.identity && $0.types == types }
    }
    if let found { return found.program }
    var program: Program?
    // A collection may be another one in the next batch.
    if let expression = reading.expression, !reading.looksIntoCollections {
      program =
        types.count == 1
        ? try? Program(inputType: types[0]).appending(.map, expression)
        : try? Program(inputType: .tuple(types)).appending(.map, expression.pairwise())
    }
    let new = Known(reading: reading, types: types, program: program)
    let old = known.withLock { known -> [Known] in
      defer {
        if known.count == Self.most { known = [] }
        known.append(new)
      }
      return known
    }
    // Not under the lock: a language's code may run when a reading goes.
    withExtendedLifetime(old) {}
    return program
  }
}
