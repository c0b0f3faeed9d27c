import PythonFunctions
import PythonInterop
import PythonTesting
import SwiftwaterCore
import SwiftwaterPlan
import Testing

@testable import PythonWorkers

@Suite struct StageDescriptionTests {
  /// A program with every kind of step, and one of the ends.
  private func program(
    _ end: Int, in code: PythonCode, _ py: borrowing Python
  ) throws -> StageProgram {
    let function = try code.function("len", py)
    let combination = CombineByKey(
      createCombiner: try code.function("repr", py), mergeValue: function,
      mergeCombiners: try code.function("max", py),
      partitioner: Partitioner(count: 3, function: try code.function("hash", py)),
      gathersLists: true, at: OperatorPlace(name: "combine", site: "a.py:2"))
    let division = PartitionByKey(
      Partitioner(count: 7), in: function.language,
      at: OperatorPlace(name: "partitionBy", site: "a.py:3"))
    let spread = Spread(
      among: 5, in: function.language, at: OperatorPlace(name: "repartition", site: "a.py:5"))
    let ends: [StageEnd] = [
      .batches, .count, .combine(combination), .partition(division), .spread(spread),
    ]
    return StageProgram(
      inputCount: 2, readsText: end % 2 == 0,
      steps: [
        .records([
          try code.step(.map, "len", py), try code.step(.mapPartitionsWithIndex, "zip", py),
        ]), .combineLocally(combination), .renumber, .merge(combination),
        .zip(
          ZipPartitions(
            Layout([]), try code.function("zip", py), form: nil,
            at: OperatorPlace(name: "zip", site: "a.py:4"))),
      ], end: ends[end])
  }

  @Test("A description says all that a program has", arguments: 0..<5)
  func roundTrip(end: Int) throws {
    try TestInterpreter.run { py in
      let program = try program(end, in: PythonCode(py), py)
      let description = try program.description(py)
      let read = try StageProgram(description.pointer, py)
      #expect(read.inputCount == 2 && read.readsText == program.readsText)
      #expect(read.places.map { "\($0)" } == program.places.map { "\($0)" })
      // A worker numbers the places as the driver counts them.
      #expect(read.places.map(\.number) == Array(0..<read.places.count))
      #expect(zip(read.functions, program.functions).allSatisfy { $0.isSame(as: $1) })
      #expect(read.functions.count == program.functions.count)
      #expect(read.end.bucketCount == program.end.bucketCount)
      #expect(read.partitionCount == 2)
      let again = try read.description(py)
      #expect(
        try PythonCode(py).holds(
          "a == b", where: ["a": description.pointer, "b": again.pointer], py))
    }
  }

  @Test(
    "What is no description is refused",
    arguments: [
      "None", "()", "(1, True, [])", "('1', True, [], ('batches',))", "(1, True, 5, ('batches',))",
      "(1, True, [()], ('batches',))", "(1, True, [('unknown',)], ('batches',))",
      "(1, True, [], ('end',))", "(1, True, [], 'batches')",
      "(1, True, [('records', [('map', None, 'm', 's', False)])], ('count',))",
      "(1, True, [('records', [('map', len, 'm')])], ('count',))",
      "(1, True, [('records', 3)], ('count',))", "(1, True, [('zip', len, 'z')], ('count',))",
      "(1, True, [('zip', None, 'z', 's')], ('count',))",
      "(1, True, [], ('partition', 'x', None, 'p', 's'))",
      "(1, True, [], ('spread', 0, 'r', 's'))", "(1, True, [], ('spread', 2, 'r'))",
      "(1, True, [], ('combine', None, None, len, 1, None, 'c', 's', False))",
      "(1, True, [], ('combine', None, len, len, 1, None, 'c', 's'))",
    ])
  func forged(expression: String) throws {
    try TestInterpreter.run { py in
      let object = try PythonCode(py).value(expression, py)
      do {
        _ = try StageProgram(object.pointer, py)
        Issue.record("\(expression) is taken for a program")
      } catch {
        #expect(error is EngineError || error is ArgumentError, "\(error)")
      }
      #expect(takeException(py) == nil)
    }
  }

  @Test("A program is told from others by its functions and its layout")
  func keys() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      let step = try code.step(.map, "len", py)
      func key(_ steps: [StageStep], _ end: StageEnd = .count, inputs: Int = 1) -> StageKey {
        StageKey(StageProgram(inputCount: inputs, readsText: false, steps: steps, end: end))
      }
      let filter = RecordStep(.filter, step.function, at: step.place)
      #expect(key([.records([step])]) == key([.records([step])]))
      let others = [
        key([.records([step])], .batches), key([.records([step])], inputs: 2),
        key([.records([filter])]), key([.records([step, step])]),
        key([.records([step]), .renumber]), key([.records([try code.step(.map, "len", py)])]),
      ]
      #expect(Set(others + [key([.records([step])])]).count == others.count + 1)
    }
  }
}

@Suite struct ProgramCacheTests {
  private func program(_ step: RecordStep) -> StageProgram {
    StageProgram(inputCount: 1, readsText: false, steps: [.records([step])], end: .batches)
  }

  @Test("A program has one number as long as its bytes are the same")
  func numbers() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("seen = [1]\ndef total(x):\n    return x + sum(seen)", py)
      let cache = ProgramCache()
      let (fixed, open) = (try code.step(.map, "len", py), try code.step(.map, "total", py))
      let first = try cache.pickled(program(fixed), stage: 1)
      #expect(try cache.pickled(program(fixed), stage: 2).number == first.number)
      let second = try cache.pickled(program(open), stage: 1)
      #expect(second.number != first.number)
      try code.run("seen.append(2)", py)
      // Within a run of a stage, nothing is asked again.
      #expect(try cache.pickled(program(open), stage: 1).bytes == second.bytes)
      let third = try cache.pickled(program(open), stage: 2)
      #expect(third.number != second.number && third.bytes != second.bytes)
      #expect(try cache.pickled(program(open), stage: 3).number == third.number)
    }
  }

  @Test("What is pickled is read as the same program")
  func read() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("def triple(x):\n    return x * 3", py)
      let pickled = try ProgramCache().pickled(program(code.step(.map, "triple", py)), stage: 0)
      let load = try py.importing("loads", from: "pickle")
      let data = try needed(pickled.bytes.withUnsafeBytes { py.newBytes($0) })
      defer { Py.release(data) }
      guard let loaded = load.call(data) else { throw PythonError.fetch(py) }
      let description = PythonObject(owning: loaded)
      let program = try StageProgram(description.pointer, py)
      let function = try needed(program.pythonFunctions.first)
      let argument = try code.value("14", py)
      let result = PythonObject(owning: try needed(Py.call(function.pointer, argument.pointer)))
      #expect(py.integer(of: result.pointer) == 42)
    }
  }

  @Test("A function that cannot be pickled is an error of Python's")
  func refused() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        "import threading\nlock = threading.Lock()\ndef locked(x):\n    return lock", py)
      #expect(throws: PythonError.self) {
        try Interpreter.attach { py in
          _ = try ProgramCache().pickled(program(code.step(.map, "locked", py)), stage: 0)
        }
      }
    }
  }
}
