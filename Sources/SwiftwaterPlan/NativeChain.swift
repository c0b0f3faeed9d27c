import SwiftwaterCore
import SwiftwaterKernels
import Synchronization

/// The native forms of consecutive steps: how far they go depends on the records' type, which some
/// sources know beforehand and others show when their records come.
public final class NativeChain: Sendable {
  private let readings: [FunctionReading]
  private let kinds: [RecordStep.Kind]
  private static let mostTypes = 32
  private let programs = Mutex<[Request: Compiled]>([:])

  /// The records' type, and how many steps there may be; nil for as many as can be.
  private struct Request: Hashable {
    let type: ColumnType
    let limit: Int?
  }

  /// A program for the first steps of a chain.
  public struct Compiled: Sendable {
    public let program: Program
    /// Why the next step is not in it; nil where there is none.
    public let refusal: Refusal?

    public var count: Int { program.stepCount }
  }

  private init(_ steps: [RecordStep], _ readings: [FunctionReading]) {
    self.readings = readings
    kinds = steps.map(\.kind)
  }

  /// The chain of some steps: the one of an earlier batch, with its programs, where nothing has
  /// changed since.
  ///
  /// - Throws: an interrupt while the functions are read.
  public static func of(_ steps: [RecordStep]) throws -> NativeChain {
    let readings = try read(steps)
    let memory = steps.last?.memory
    if let known = memory?.chain.withLock({ $0 }), known.is(steps, readings) { return known }
    let chain = NativeChain(steps, readings)
    let old = memory?.chain.withLock { known -> NativeChain? in
      defer { known = chain }
      return known
    }
    // Not under the lock: a language's code may run when it goes.
    withExtendedLifetime(old) {}
    return chain
  }

  private func `is`(_ steps: [RecordStep], _ readings: [FunctionReading]) -> Bool {
    steps.count == kinds.count && readings.count == self.readings.count
      && zip(steps, kinds).allSatisfy { $0.kind == $1 }
      && zip(readings, self.readings).allSatisfy { $0.identity == $1.identity }
  }

  private static func read(_ steps: [RecordStep]) throws -> [FunctionReading] {
    guard let language = steps.first?.function.language else { return [] }
    var readings: [FunctionReading] = []
    try language.together {
      for step in steps {
        guard step.kind.native != nil else { return }
        let reading = try language.reading(of: step.function, arguments: 1)
        readings.append(reading)
        if reading.expression == nil { return }
      }
    }
    return readings
  }

  /// The chain as it is now, for a task that begins: variables of the functions may have been bound
  /// anew since the RDD was made.
  ///
  /// - Throws: where a function refers to what belongs to the driver; an interrupt.
  public func current(_ steps: [RecordStep]) throws -> NativeChain {
    let read = steps.prefix(readings.count)
    if let open = read.first(where: \.function.isOpen) {
      try open.function.language.checkCaptures(of: read.map(\.function))
    }
    return try Self.of(steps)
  }

  /// How many steps a program could have at most.
  public var expressionCount: Int { readings.count { $0.expression != nil } }

  /// True where a function looks into a collection that other functions of the task could change.
  public var looksIntoCollections: Bool { readings.contains(where: \.looksIntoCollections) }

  /// The longest program for records of a type.
  ///
  /// - Parameter limit: how many steps there may be in it at most.
  public func compiled(for type: ColumnType, limit: Int? = nil) -> Compiled {
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

  /// The program of exactly the first `count` steps, which have one for records of a type.
  public func program(of count: Int, for type: ColumnType) -> Program {
    let longest = compiled(for: type)
    return longest.count == count ? longest.program : compiled(for: type, limit: count).program
  }

  private func compile(_ type: ColumnType) -> Compiled {
    let compiled = compileFirst(kinds.count, type)
    // Behind it are functions of a language, which share the collections of their task with it.
    guard compiled.count < kinds.count,
      let first = readings.prefix(compiled.count).firstIndex(where: \.looksIntoCollections)
    else { return compiled }
    let refusal = Refusal("a function behind it could change the collection it looks into", at: nil)
    return Compiled(program: compileFirst(first, type).program, refusal: refusal)
  }

  private func compileFirst(_ limit: Int, _ type: ColumnType) -> Compiled {
    var steps: [(kind: Program.Kind, function: Expression)] = []
    var end: Refusal?
    for (reading, kind) in zip(readings, kinds).prefix(limit) {
      switch reading.form {
      case .refused(let refusal): end = refusal
      case .expression(let expression):
        guard let kind = kind.native else {
          preconditionFailure("only functions on records are read")
        }
        steps.append((kind, expression))
      }
    }
    if end == nil, readings.count < min(limit, kinds.count) {
      end = Refusal("it works on whole partitions", at: nil)
    }
    let (program, refusal) = Program.longest(inputType: type, steps)
    return Compiled(program: program, refusal: refusal ?? end)
  }
}
