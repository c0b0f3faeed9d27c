import PythonInterop
import PythonTesting
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import Testing

@testable import PythonRecords

@Suite struct StepsCursorTests {
  /// How a step goes on with a list, in plain Python.
  private static let loops = """
    def loop(kind, f, records):
        if kind == "map":
            return [f(r) for r in records]
        if kind == "filter":
            return [r for r in records if f(r)]
        if kind == "flatMap":
            return [x for r in records for x in f(r)]
        if kind == "mapValues":
            return [(r[0], f(r[1])) for r in records]
        if kind == "flatMapValues":
            return [(r[0], x) for r in records for x in f(r[1])]
        if kind == "mapPartitions":
            return list(f(iter(records)))
        return list(f(5, iter(records)))
    """

  /// Steps on pairs of integers, which give such pairs.
  private static let steps: [(RecordStep.Kind, String)] = [
    (.map, "lambda p: (p[1], p[0])"), (.map, "lambda p: (p[0] + 1, p[1] * 2)"),
    (.filter, "lambda p: p[0] % 3"), (.filter, "lambda p: p[1] > 2 and [p]"),
    (.flatMap, "lambda p: [p, (p[1], 1)]"), (.flatMap, "lambda p: (p for _ in range(p[0] % 3))"),
    (.mapValues, "lambda v: v - 1"), (.mapValues, "lambda v: abs(v)"),
    (.flatMapValues, "lambda v: [v, v + 1]"), (.flatMapValues, "lambda v: range(v % 3)"),
    (.mapPartitions, "lambda it: [p for p in it if p[0]]"),
    (.mapPartitions, "lambda it: ((a, b + i) for i, (a, b) in enumerate(it))"),
    (.mapPartitionsWithIndex, "lambda n, it: ((n, a + b) for a, b in it)"),
  ]

  @Test(
    "Random steps give what plain loops give, in batches of any size", arguments: [false, true])
  func loops(isLowering: Bool) throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(Self.loops, py)
      var literals = RandomLiteral()
      for _ in 0..<60 {
        let chosen = (0..<literals.number(0...4)).map { _ in literals.choice(Self.steps) }
        let count = literals.number(0...40)
        let pairs = (0..<count).map { _ in
          "(\(literals.number(-5...5)), \(literals.number(-5...5)))"
        }
        try code.run("expected = records = [\(pairs.joined(separator: ", "))]", py)
        for (kind, function) in chosen {
          try code.run("expected = loop('\(kind.rawValue)', \(function), expected)", py)
        }
        // Pairs are in columns or in lists.
        var batches = try code.batches("records", of: literals.number(1...9), py)
        if literals.number(0...1) == 0 {
          batches = try batches.map { batch in
            let list = try needed(batch as? PythonBatch).list
            return ColumnBatch(try needed(column(ofList: list.pointer)))
          }
        }
        let steps = try chosen.map { try code.step($0.0, $0.1, py) }
        let cursor = StepsCursor(
          Rest(ArrayCursor(batches), steps, partition: 5), .ofTest(isLowering: isLowering))
        let found = try records(of: cursor, py)
        #expect(
          try code.holds("same(expected, found)", where: ["found": found.pointer], py),
          "seed \(literals.random.seed): \(chosen)")
      }
    }
  }

  @Test("Lines are read as str, and counted without a list")
  func lines() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      var assembler = LineAssembler(blockSize: 1 << 20, maxLineLength: 1 << 20)
      Array("to be\n\né\nnot\n".utf8).withUnsafeBytes { assembler.append($0) }
      let block = assembler.takeBlock()!
      let steps = [try code.step(.map, "lambda line: line + '!'", py)]
      func rest() -> Rest { Rest(ArrayCursor([block]), steps, partition: 0) }
      let found = try records(of: StepsCursor(rest(), .ofTest()), py)
      #expect(
        try code.holds(
          "same(found, ['to be!', '!', 'é!', 'not!'])", where: ["found": found.pointer], py))
      #expect(try rest().count(.ofTest(), py) == 4)
    }
  }

  @Test("What is in front of a failure comes out, and then the failure with its place and record")
  func failure() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      let steps = [
        try code.step(.map, "lambda n: n + 1", py),
        try code.step(.map, "lambda n: 60 // (5 - n)", py),
      ]
      let cursor = StepsCursor(
        Rest(ArrayCursor(try code.batches("range(9)", of: 3, py)), steps, partition: 0), .ofTest())
      let first = try needed(try cursor.next() as? PythonBatch)
      #expect(
        try code.holds("same(a, [15, 20, 30, 60])", where: ["a": first.list.pointer], py))
      do {
        _ = try cursor.next()
        Issue.record("nothing is thrown")
      } catch let error as PythonError {
        #expect(
          error.description == "ZeroDivisionError: integer division or modulo by zero "
            + "(in operator: map at test.py:1) (record: 5)")
      }
      #expect(try cursor.next() == nil)
    }
  }

  @Test("Whoever wants few records has few computed", arguments: [1, 3, 9])
  func first(limit: Int) throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        "calls = []\ndef note(n):\n    calls.append(n)\n    return [n, n]", py)
      let step = RecordStep(
        .flatMap, try code.function("note", py), at: OperatorPlace(name: "flatMap"))
      try code.run("calls.clear()", py)
      let cursor = StepsCursor(
        Rest(ArrayCursor(try code.batches("range(100)", of: 7, py)), [step], partition: 0),
        .ofTest())
      let found = try cursor.first(limit, py)
      #expect(Py.listCount(found.pointer) == limit)
      #expect(
        try code.holds(
          "found == [n // 2 for n in range(\(limit))]", where: ["found": found.pointer], py))
    }
  }

  @Test("An iterator that outlives its partition hands out nothing, and holds no record")
  func outlived() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        """
        class Record(list):
            pass
        kept = []
        record = Record()
        def keep(records):
            kept.append(records)
            return [next(records)]
        """, py)
      let record = try code.value("record", py)
      let list = try code.value("[record] * 3", py)
      let before = try references(to: record.pointer, py)
      let slice = try needed(Py.slice(of: list.pointer, from: 0, to: 3))
      var batch: PythonBatch? = PythonBatch(PythonObject(owning: slice))
      let step = RecordStep(
        .mapPartitions, try code.function("keep", py), at: OperatorPlace(name: "mapPartitions"))
      var cursor: StepsCursor? = StepsCursor(
        Rest(ArrayCursor([try needed(batch)]), [step], partition: 0), .ofTest())
      batch = nil
      #expect(try cursor?.next()?.recordCount == 1)
      cursor = nil
      #expect(try references(to: record.pointer, py) == before)
    }
  }
}
