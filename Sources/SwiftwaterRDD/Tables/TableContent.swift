import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// What one partition of a table holds.
///
/// Every method that throws leaves it as it was: the same can be done again. Used by one task at a time.
protocol TableContent: AnyObject {
  /// How many pairs there are to read.
  var count: Int { get }

  /// About how many bytes are held.
  var byteCount: Int { get }

  /// What the keys' times to live are counted by, with the table of the keys; nil where there are none.
  var clocked: (table: OrderedTable, clock: IdleClock)? { get set }

  /// How many keys were forgotten because their time was out, since somebody has set it to 0.
  var expired: Int { get set }

  /// Takes in the pairs of one batch, each key once; it may have none.
  ///
  /// - Parameter start: batches up to this time are not in the next window.
  func take(_ batch: TableInput, from start: Int64, _ call: TableCall) throws

  /// Makes the pairs that are read at `time`.
  ///
  /// - Parameter start: batches up to this time are not in the window any more.
  func slide(to time: Int64, from start: Int64, _ call: TableCall) throws

  /// What could not be taken in for a long time is given up.
  func giveUp()

  /// A reader of the pairs, good until the next change.
  func makeReader() throws -> any TableReader

  /// Goes over from columns to objects.
  func convert(to form: any ObjectForm) throws

  /// True where it holds a language's objects, and will.
  var hasObjects: Bool { get }
}

extension TableContent {
  var clocked: (table: OrderedTable, clock: IdleClock)? {
    get { nil }
    set {}
  }
}

/// Reads the pairs of a table, some at a time.
protocol TableReader {
  mutating func next(_ count: Int) throws -> (any RecordBatch)?
}

/// One partition of a batch, for a table.
struct TableInput {
  let time: Int64
  let batches: [any RecordBatch]
  /// What a state was before the first batch, and no new values.
  let isInitial: Bool
  /// The stream had no RDD.
  let isMissing: Bool

  var recordCount: Int { batches.reduce(0) { $0 + $1.recordCount } }

  /// All pairs in one form.
  ///
  /// - Throws: ``UnfitForColumns`` where some are of another.
  func split(_ form: any PairForm) throws -> (keys: any RecordBatch, values: any RecordBatch) {
    var keys: [any RecordBatch] = []
    var values: [any RecordBatch] = []
    for batch in batches where batch.recordCount > 0 {
      guard let parts = try form.split(batch) else { throw UnfitForColumns() }
      keys.append(parts.keys)
      values.append(parts.values)
    }
    if keys.count == 1 { return (keys[0], values[0]) }
    return (try form.concatenated(keys), try form.concatenated(values))
  }

  /// The type of all pairs, where they are in columns; nil where some are not.
  var columnType: ColumnType? {
    var found: ColumnType?
    for batch in batches where batch.recordCount > 0 {
      guard let type = (batch as? ColumnBatch)?.column.type, found == nil || found == type else {
        return nil
      }
      found = type
    }
    return found
  }
}

extension TableCall {
  /// Batches in memory, and those of objects that could be in columns in these. Records that were in columns
  /// may come as objects, where a language had to help to divide them because memory is short.
  func inColumns(_ batches: [any RecordBatch], unless hasObjects: Bool) throws -> [any RecordBatch]
  {
    try batches.map { stored in
      let batch = try stored.inMemory()
      if hasObjects || !isLowering || batch is ColumnBatch { return batch }
      return operation.language.column(of: batch).map { ColumnBatch($0) } ?? batch
    }
  }

  /// Combines two vectors of values in a table's form.
  func combined(
    _ function: TableFunction, _ left: any RecordBatch, _ right: any RecordBatch, form: any PairForm
  ) throws -> any RecordBatch {
    if let left = left as? ColumnBatch, let right = right as? ColumnBatch {
      guard let column = try native(function, [left.column, right.column], to: left.column.type)
      else { throw UnfitForColumns() }
      return ColumnBatch(column)
    }
    return try objectForm().asObjects(called(function, [left, right]))
  }

  /// The form for pairs of which these are the first ones: columns where all of `functions` are native for
  /// their values.
  func form(for input: TableInput, combining functions: [TableFunction]) throws -> any PairForm {
    if isLowering, let type = input.columnType, case .tuple(let items) = type, items.count == 2,
      let form = ColumnForm(type),
      try functions.allSatisfy({
        try program(of: $0, for: [items[1], items[1]])?.outputType == items[1]
      })
    {
      return form
    }
    return try objectForm()
  }

  func objectForm() throws -> any ObjectForm {
    guard let form = operation.language.tableForm(for: operation) else {
      throw EngineError.invalidArgument(
        "\(operation.place.name): a number leaves 64 bits, a value is of another type than those "
          + "before, or a key is not a number or text")
    }
    return form
  }
}
