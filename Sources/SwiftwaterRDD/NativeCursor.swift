import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// Runs the first steps of a chain natively, and hands on what they give in columns. Records on which
/// the language could differ go through its own functions instead, in their place.
final class NativeCursor: BatchCursor {
  /// Where the language has more than one record in so many to look at, it gets them all.
  private static let sparse = 16
  /// Where it got all so many times in a row, most of what follows goes there at once.
  private static let mostMisses = 4

  private let input: any BatchCursor
  private let chain: NativeChain
  private let steps: [RecordStep]
  private let partition: Int
  private let task: TaskContext
  private let language: any Language
  /// How many steps run here.
  private(set) var count = 0
  private var isPrepared = false
  private var first: (any RecordBatch)?
  private var pending: ArraySlice<Piece> = []
  /// What a function raised, when its turn has come: behind the records in front of it.
  private var failure: (any Error)?
  private var isAtEnd = false
  /// The program that ran last, and what it is for.
  private var program: (type: ColumnType, program: Program)?
  private var misses = 0

  private enum Piece {
    case native(Column)
    /// For the language's functions.
    case foreign(any RecordBatch)
    /// What those gave.
    case done(any RecordBatch)
  }

  init(
    _ input: any BatchCursor, _ chain: NativeChain, of steps: [RecordStep], partition: Int,
    task: TaskContext
  ) {
    self.input = input
    self.chain = chain
    self.steps = steps
    self.partition = partition
    self.task = task
    language = steps[0].function.language
  }

  /// The records go into a function of the language behind the chain.
  func goesIntoFunction() {
    if !isPrepared, chain.looksIntoCollections { isPrepared = true }
  }

  /// Decides how many steps run natively, with a look at the first batch.
  ///
  /// - Parameter type: of the records, where it is known.
  func prepare(_ type: ColumnType?) throws {
    if isPrepared { return }
    isPrepared = true
    if let type {
      count = chain.compiled(for: type).count
      return
    }
    if chain.expressionCount == 0 { return }
    repeat { first = try input.next() } while first?.recordCount == 0
    guard let first else { return }
    switch first {
    case is TextBlock: count = chain.compiled(for: .text).count
    case let batch as ColumnBatch: count = chain.compiled(for: batch.column.type).count
    default: count = language.column(of: first).map { chain.compiled(for: $0.type).count } ?? 0
    }
  }

  func next() throws -> (any RecordBatch)? {
    while true {
      if let piece = pending.popFirst() {
        if let batch = try run(piece) { return batch }
        continue
      }
      if let failure {
        // An error that is kept holds nothing of this, nor this the error.
        self.failure = nil
        isAtEnd = true
        throw failure
      }
      if isAtEnd { return nil }
      try task.checkCancellation()
      guard let batch = try takeBatch() else { return nil }
      if count == 0 { return batch }
      pending = pieces(of: batch)[...]
    }
  }

  private func takeBatch() throws -> (any RecordBatch)? {
    defer { first = nil }
    return try first ?? input.next()
  }

  private func pieces(of batch: any RecordBatch) -> [Piece] {
    switch batch {
    case let block as TextBlock:
      block.runs(of: RunSize.textBytes).map { .native(.text(block.column($0))) }
    case let batch as ColumnBatch: pieces(of: batch.column)
    default: language.column(of: batch).map { pieces(of: $0) } ?? [.foreign(batch)]
    }
  }

  private func pieces(of column: Column) -> [Piece] {
    // Records of another type than expected may not be understood so far.
    guard chain.compiled(for: column.type).count >= count else {
      return [.foreign(ColumnBatch(column))]
    }
    return stride(from: 0, to: column.count, by: RunSize.rows).map { start in
      .native(column.sliced(start..<min(start + RunSize.rows, column.count)))
    }
  }

  /// What a piece gives; nil where that is nothing.
  private func run(_ piece: Piece) throws -> (any RecordBatch)? {
    switch piece {
    case .native(let column):
      if misses >= Self.mostMisses {
        misses += 1
        if misses % Self.sparse != 0 { return callFunctions(on: ColumnBatch(column)) }
      }
      let result = program(for: column.type).run(column)
      guard let flagged = result.flagged else {
        misses = 0
        return result.column.count == 0 ? nil : ColumnBatch(result.column)
      }
      let pieces = Self.divided(column, flagged)
      if pieces.count > 1 { misses = 0 } else if misses < Self.mostMisses { misses += 1 }
      pending = (pieces + pending)[...]
      return nil
    case .foreign(let batch): return callFunctions(on: batch)
    case .done(let batch): return batch
    }
  }

  private func program(for type: ColumnType) -> Program {
    if let program, program.type == type { return program.program }
    let found = chain.program(of: count, for: type)
    program = (type, found)
    return found
  }

  /// Turns of records that run natively and of those that the language must look at.
  private static func divided(_ column: Column, _ flagged: Bitmap) -> [Piece] {
    if flagged.setCount * sparse > column.count || flagged.allSet {
      return [.foreign(ColumnBatch(column))]
    }
    var pieces: [Piece] = []
    var start = 0
    for row in flagged.indices().map(Int.init) {
      if row > start { pieces.append(.native(column.sliced(start..<row))) }
      pieces.append(.foreign(ColumnBatch(column.sliced(row..<(row + 1)))))
      start = row + 1
    }
    if start < column.count { pieces.append(.native(column.sliced(start..<column.count))) }
    return pieces
  }

  /// The first batch of what the functions give; the others wait for their turn.
  private func callFunctions(on batch: any RecordBatch) -> (any RecordBatch)? {
    var results: [any RecordBatch] = []
    do {
      let rest = Rest(ArrayCursor([batch]), Array(steps[..<count]), partition: partition)
      let cursor = try language.cursor(over: rest, task)
      while let result = try cursor.next() {
        if result.recordCount > 0 { results.append(result) }
      }
    } catch {
      // Whoever wants no more than the records before it never sees it.
      failure = error
      pending = []
    }
    if results.count > 1 { pending = (results.dropFirst().map { .done($0) } + pending)[...] }
    return results.first
  }
}
