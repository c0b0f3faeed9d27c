import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD
import Synchronization

/// The native forms of a chain of Python functions: how far it goes depends on the records' type,
/// which some sources know beforehand and others show when their records come.
final class NativeChain: Sendable {
  private let functions: [Lowered]
  /// What Python said of the functions: the same objects as long as it holds.
  private let answers: [PythonObject]
  private let looksInto: [Bool]
  private let kinds: [PythonOperator.Kind]
  private static let mostTypes = 32
  private let programs = Mutex<[Request: Compiled]>([:])

  /// The records' type, and how many functions there may be; nil for as many as can be.
  private struct Request: Hashable {
    let type: ColumnType
    let limit: Int?
  }

  /// A program for the first functions of a chain.
  struct Compiled: Sendable {
    let program: Program
    /// Why the next function is not in it; nil where there is none.
    let refusal: Refusal?

    var count: Int { program.stepCount }
  }

  private init(_ operators: [PythonOperator], _ readings: [Lowering.Reading]) {
    functions = readings.map(\.lowered)
    answers = readings.map(\.answer)
    looksInto = readings.map(\.looksIntoCollections)
    kinds = operators.map(\.kind)
  }

  /// The chain of a pipeline: the one of an earlier batch, with its programs, where nothing has
  /// changed since.
  ///
  /// - Throws: ``PythonError`` for an interrupt while the functions are read.
  static func of(_ operators: [PythonOperator], _ py: borrowing Python) throws -> NativeChain {
    let readings = try read(operators, py)
    let memory = operators.last?.lastChain
    if let known = memory?.chain.withLock({ $0 }), known.is(operators, readings) { return known }
    let chain = NativeChain(operators, readings)
    let old = memory?.chain.withLock { known -> NativeChain? in
      defer { known = chain }
      return known
    }
    withExtendedLifetime(old) {}
    return chain
  }

  private func `is`(_ operators: [PythonOperator], _ readings: [Lowering.Reading]) -> Bool {
    operators.count == kinds.count && readings.count == answers.count
      && zip(operators, kinds).allSatisfy { $0.kind == $1 }
      && zip(readings, answers).allSatisfy { $0.answer.pointer == $1.pointer }
  }

  private static func read(
    _ operators: [PythonOperator], _ py: borrowing Python
  ) throws -> [Lowering.Reading] {
    var readings: [Lowering.Reading] = []
    for item in operators {
      guard Program.Kind(rawValue: item.kind.rawValue) != nil else { break }
      let reading = try item.lowered(py)
      readings.append(reading)
      if case .refused = reading.lowered { break }
    }
    return readings
  }

  /// The chain as it is now, for a task that begins: variables of the functions may have been bound
  /// anew since the RDD was made.
  func current(_ operators: [PythonOperator]) throws -> NativeChain {
    try Interpreter.attach { py in
      try PythonOperator.checkCaptures(of: operators.prefix(functions.count), py)
      return try Self.of(operators, py)
    }
  }

  /// How many functions a program could have at most.
  var reach: Int { functions.count { if case .expression = $0 { true } else { false } } }

  /// True where a function looks into a collection that other functions of the task could change.
  var looksIntoCollections: Bool { looksInto.contains(true) }

  /// The longest program for records of a type.
  ///
  /// - Parameter limit: how many functions there may be in it at most.
  func compiled(for type: ColumnType, limit: Int? = nil) -> Compiled {
    let request = Request(type: type, limit: limit)
    if let known = programs.withLock({ $0[request] }) { return known }
    let compiled = limit.map { compileFirst($0, type) } ?? compile(type)
    programs.withLock { programs in
      // A stream's chain lives as long as the stream, whatever records come.
      if programs.count == Self.mostTypes { programs = [:] }
      programs[request] = compiled
    }
    return compiled
  }

  /// The program of exactly the first `count` functions, which have one for records of a type.
  func program(of count: Int, for type: ColumnType) -> Program {
    let longest = compiled(for: type)
    return longest.count == count ? longest.program : compiled(for: type, limit: count).program
  }

  private func compile(_ type: ColumnType) -> Compiled {
    let compiled = compileFirst(kinds.count, type)
    // Behind it are functions of Python, which share the collections of their task with it.
    guard compiled.count < kinds.count,
      let first = looksInto.prefix(compiled.count).firstIndex(of: true)
    else { return compiled }
    let refusal = Refusal("a function behind it could change the collection it looks into", at: nil)
    return Compiled(program: compileFirst(first, type).program, refusal: refusal)
  }

  private func compileFirst(_ limit: Int, _ type: ColumnType) -> Compiled {
    var steps: [(kind: Program.Kind, function: Expression)] = []
    var end: Refusal?
    for (function, kind) in zip(functions, kinds).prefix(limit) {
      switch function {
      case .refused(let refusal): end = refusal
      case .expression(let expression):
        guard let kind = Program.Kind(rawValue: kind.rawValue) else {
          preconditionFailure("only functions on records are read")
        }
        steps.append((kind, expression))
      }
    }
    if end == nil, functions.count < min(limit, kinds.count) {
      end = Refusal("it works on whole partitions", at: nil)
    }
    let (program, refusal) = Program.longest(inputType: type, steps)
    return Compiled(program: program, refusal: refusal ?? end)
  }
}

/// Runs the first functions of a chain natively, and hands on what they give in columns. Records on
/// which Python could differ go through Python's own functions instead, in their place.
final class NativeCursor: BatchCursor {
  /// Where Python has more than one record in so many to look at, it gets them all.
  private static let sparse = 16
  /// Where it got all so many times in a row, most of what follows goes there at once.
  private static let mostMisses = 4

  private let input: any BatchCursor
  private let chain: NativeChain
  private let operators: [PythonOperator]
  private let task: TaskContext
  /// How many functions run here.
  private(set) var count = 0
  private var isPrepared = false
  private var first: (any RecordBatch)?
  private var pending: ArraySlice<Piece> = []
  /// What Python raised, when its turn has come: behind the records in front of it.
  private var failure: (any Error)?
  private var isAtEnd = false
  /// The program that ran last, and what it is for.
  private var program: (type: ColumnType, program: Program)?
  private var misses = 0

  private enum Piece {
    case native(Column)
    case python(Column)
    case objects(PythonBatch)
    case untouched(any RecordBatch)
  }

  init(
    _ input: any BatchCursor, _ chain: NativeChain, of operators: [PythonOperator],
    task: TaskContext
  ) {
    self.input = input
    self.chain = chain
    self.operators = operators
    self.task = task
  }

  /// The records go into a function of Python's behind the chain.
  func goesIntoPython() {
    if !isPrepared, chain.looksIntoCollections { isPrepared = true }
  }

  /// Decides how many functions run natively, with a look at the first batch.
  ///
  /// - Parameter type: of the records, where it is known.
  func prepare(_ type: ColumnType?) throws {
    if isPrepared { return }
    isPrepared = true
    if let type {
      count = chain.compiled(for: type).count
      return
    }
    if chain.reach == 0 { return }
    repeat { first = try input.next() } while first?.recordCount == 0
    guard let first else { return }
    switch first {
    case is TextBlock: count = chain.compiled(for: .text).count
    case let batch as ColumnBatch: count = chain.compiled(for: batch.column.type).count
    case let batch as PythonBatch:
      count = Interpreter.attach { _ in
        column(ofList: batch.list.pointer).map { chain.compiled(for: $0.type).count } ?? 0
      }
    default: count = 0
    }
  }

  func next() throws -> (any RecordBatch)? {
    while true {
      if let failure {
        // An error that is kept holds nothing of this, nor this the error.
        self.failure = nil
        isAtEnd = true
        pending = []
        throw failure
      }
      if isAtEnd { return nil }
      if let piece = pending.popFirst() {
        if let batch = try run(piece) { return batch }
        continue
      }
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
    case let batch as PythonBatch:
      Interpreter.attach { _ in
        column(ofList: batch.list.pointer).map { pieces(of: $0) } ?? [.objects(batch)]
      }
    default: [.untouched(batch)]
    }
  }

  private func pieces(of column: Column) -> [Piece] {
    // Records of another type than expected may not be understood so far.
    guard chain.compiled(for: column.type).count >= count else { return [.python(column)] }
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
        if misses % Self.sparse != 0 { return try runPython(on: ColumnBatch(column)) }
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
    case .python(let column): return try runPython(on: ColumnBatch(column))
    case .objects(let batch): return try runPython(on: batch)
    case .untouched(let batch):
      throw EngineError.illegalState("records of \(type(of: batch)) have no form in Python")
    }
  }

  private func program(for type: ColumnType) -> Program {
    if let program, program.type == type { return program.program }
    let found = chain.program(of: count, for: type)
    program = (type, found)
    return found
  }

  /// Turns of records that run natively and of those that Python must look at.
  private static func divided(_ column: Column, _ flagged: Bitmap) -> [Piece] {
    if flagged.setCount * sparse > column.count || flagged.allSet { return [.python(column)] }
    var pieces: [Piece] = []
    var start = 0
    for row in flagged.indices().map(Int.init) {
      if row > start { pieces.append(.native(column.sliced(start..<row))) }
      pieces.append(.python(column.sliced(row..<(row + 1))))
      start = row + 1
    }
    if start < column.count { pieces.append(.native(column.sliced(start..<column.count))) }
    return pieces
  }

  private func runPython(on batch: any RecordBatch) throws -> (any RecordBatch)? {
    try Interpreter.attach { py in
      let functions = try PythonOperator.forTask(Array(operators[..<count]), py)
      let records = RecordChain(functions, into: try ListSink(capacity: .max, py))
      let reader = RecordReader(.batches(ArrayCursor([batch])))
      do {
        while try reader.pump(into: records, py) { try task.checkCancellation() }
      } catch {
        // Whoever wants no more than the records before it never sees it.
        failure = error
      }
      let result = PythonBatch(records.sink.list)
      return result.recordCount == 0 ? nil : result
    }
  }
}
