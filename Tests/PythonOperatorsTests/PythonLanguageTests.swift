import PythonInterop
import PythonTesting
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import Testing

@testable import PythonOperators

/// What the plan asks Python for, held against plain Python.
@Suite struct PythonLanguageTests {
  private let language = PythonLanguage()
  private let place = OperatorPlace(name: "operator", site: "test.py:1")

  private func pairs(_ literals: inout RandomLiteral) -> String {
    let keys = ["'a'", "'b'", "1", "1.0", "True", "None", "(1, 'x')", "'é'", "-1", "-2"]
    return "["
      + (0..<literals.number(0...60)).map { _ in
        "(\(literals.choice(keys)), \(literals.number(-9...9))), "
      }.joined() + "]"
  }

  @Test("Combined by key: a dict's sums, in the order of the keys, each in its key's partition")
  func combined() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("from _swiftwater import portable_hash", py)
      var literals = RandomLiteral()
      for _ in 0..<40 {
        try code.run("pairs = \(pairs(&literals))\nmodel = {}", py)
        try code.run("for k, v in pairs:\n    model[k] = model[k] - v if k in model else v", py)
        let partitions = literals.number(1...4)
        let merge = try code.function("lambda a, b: a - b", py)
        let combination = CombineByKey(
          mergeValue: merge, mergeCombiners: merge,
          partitioner: Partitioner(count: partitions), at: place)
        let cursor = ArrayCursor(try code.batches("pairs", of: literals.number(1...9), py))
        let divided = try language.combined(
          Rest(cursor, [], partition: 0), combination, divided: [], .ofTest())
        #expect(divided.count == partitions)
        for (number, batches) in divided.enumerated() {
          let found = try records(of: ArrayCursor(batches), py)
          #expect(
            try code.holds(
              "same(found, [p for p in model.items() if portable_hash(p[0]) % \(partitions) == \(number)])",
              where: ["found": found.pointer], py), "seed \(literals.random.seed)")
        }
      }
    }
  }

  @Test("Combiners are made of the first value, and merged across parts")
  func merged() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      var literals = RandomLiteral()
      let combination = CombineByKey(
        createCombiner: try code.function("lambda v: [v]", py),
        mergeValue: try code.function("lambda c, v: c + [v]", py),
        mergeCombiners: try code.function("lambda a, b: a + b", py),
        partitioner: Partitioner(count: 1), at: place)
      for _ in 0..<30 {
        try code.run("model = {}", py)
        var parts: [any RecordBatch] = []
        for _ in 0..<literals.number(1...4) {
          try code.run("pairs = \(pairs(&literals))", py)
          try code.run("for k, v in pairs:\n    model.setdefault(k, []).append(v)", py)
          let rest = Rest(ArrayCursor(try code.batches("pairs", of: 7, py)), [], partition: 0)
          parts += try language.combined(rest, combination, divided: [], .ofTest())[0]
        }
        let found = try records(of: language.merged(parts, combination, .ofTest()), py)
        #expect(
          try code.holds(
            "same(list(model.items()), found)", where: ["found": found.pointer], py),
          "seed \(literals.random.seed)")
      }
    }
  }

  @Test("Pairs are divided by the function that is given, whole and in their order")
  func divided() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("pairs = [(n, object()) for n in range(-20, 20)] * 2", py)
      let division = PartitionByKey(
        Partitioner(count: 3, function: try code.function("lambda k: k * 10**20", py)),
        in: language, at: place)
      let rest = Rest(ArrayCursor(try code.batches("pairs", of: 7, py)), [], partition: 0)
      for (number, batches) in try language.divided(rest, division, .ofTest()).enumerated() {
        let found = try records(of: ArrayCursor(batches), py)
        #expect(
          try code.holds(
            "[k for k, _ in found] == [k for k, _ in pairs if k * 10**20 % 3 == \(number)]",
            where: ["found": found.pointer], py))
      }
    }
  }

  @Test(
    "A record that is no pair is told as Python tells it",
    arguments: [
      ("[1]", "TypeError: cannot unpack non-iterable int object"),
      ("[(1, 2, 3)]", "ValueError: too many values to unpack (expected 2)"),
      ("[(1,)]", "ValueError: not enough values to unpack (expected 2, got 1)"),
      ("[([], 1)]", "TypeError: unhashable type: 'list'"),
    ])
  func noPairs(records: String, words: String) throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      let division = PartitionByKey(Partitioner(count: 2), in: language, at: place)
      let merge = try code.function("lambda a, b: a", py)
      let combination = CombineByKey(
        mergeValue: merge, mergeCombiners: merge, partitioner: Partitioner(count: 2), at: place)
      for isCombined in [true, false] {
        let rest = Rest(ArrayCursor(try code.batches(records, of: 9, py)), [], partition: 0)
        do {
          if isCombined {
            _ = try language.combined(rest, combination, divided: [], .ofTest())
          } else {
            _ = try language.divided(rest, division, .ofTest())
          }
          Issue.record("\(records) are taken for pairs")
        } catch let error as PythonError {
          #expect(error.description.hasPrefix(words))
          #expect(
            try code.holds(
              "'in operator: operator at test.py:1' in e.__notes__",
              where: ["e": error.exception.pointer], py))
        }
      }
    }
  }

  @Test("Partitions that belong together are given to one function, with their number")
  func zipped() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        "def zipped(number, parts):\n    return zip([number] * 99, *parts)", py)
      let zip = ZipPartitions(
        Layout([]), try code.function("zipped", py), form: nil, at: place)
      let inputs: [any BatchCursor] = [
        ArrayCursor(try code.batches("range(10)", of: 3, py)),
        ArrayCursor(try code.batches("'abcdefg'", of: 2, py)),
      ]
      let found = try records(
        of: language.zipped(inputs, zip, partition: 4, .ofTest(partition: 4)), py)
      #expect(
        try code.holds(
          "same(found, [(4, n, c) for n, c in zip(range(10), 'abcdefg')])",
          where: ["found": found.pointer], py))
    }
  }

  @Test("What comes out of steps is counted")
  func count() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      let steps = [try code.step(.flatMap, "lambda n: range(n)", py)]
      for batch in [1, 4, 100] {
        let rest = Rest(
          ArrayCursor(try code.batches("range(20)", of: batch, py)), steps, partition: 0)
        #expect(try language.count(rest, .ofTest()) == 190)
      }
    }
  }

  @Test("Only Python's records have a column that it makes")
  func columns() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      #expect(try language.column(of: code.batches("[1, 2]", of: 2, py)[0])?.type == .integer)
      #expect(try language.column(of: code.batches("[1, 'a']", of: 2, py)[0]) == nil)
      #expect(language.column(of: ColumnBatch(Column.none(count: 3))) == nil)
    }
  }

  @Test("An operator is a tuple of five, and is numbered from where it stands")
  func recordSteps() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      func steps(_ expression: String, _ py: borrowing Python) throws -> [RecordStep] {
        let list = try code.value(expression, py)
        return try withExtendedLifetime(list) {
          try PythonOperators.recordSteps(
            in: try needed(pointers(in: list.pointer)), numberedFrom: 5, py)
        }
      }
      let read = try steps("[('map', len, 'm', 'a:1', 0), ('filter', len, 'f', 'a:2', 1)]", py)
      #expect(read.map { $0.place.number } == [5, 6])
      #expect(read.map { $0.kind } == [.map, .filter])
      #expect(read.map { $0.keepsKeys } == [false, true])
      #expect(read.map { "\($0.place)" } == ["in m at a:1", "in f at a:2"])
      for wrong in [
        "[('mop', len, 'm', 'a', 0)]", "[('map', 1, 'm', 'a', 0)]", "[('map', len, 'm', 'a')]",
        "[7]",
        "[('map', len, 1, 'a', 0)]",
      ] {
        do {
          _ = try steps(wrong, py)
          Issue.record("\(wrong) are taken for steps")
        } catch { #expect(error is ArgumentError, "\(wrong)") }
      }
    }
  }
}
