import PythonInterop
import PythonTesting
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import Testing

@testable import PythonFunctions

@Suite struct PythonFunctionTests {
  private func function(
    _ expression: String, in code: PythonCode, _ py: borrowing Python
  ) throws -> PythonFunction {
    try PythonFunction(code.value(expression, py).pointer, in: EngineLanguage(), py)
  }

  @Test("What cannot be called is refused", arguments: ["None", "1", "'map'", "[len]"])
  func notCallable(expression: String) throws {
    try TestInterpreter.run { py in
      let object = try PythonCode(py).value(expression, py)
      do {
        _ = try PythonFunction(object.pointer, in: EngineLanguage(), py)
        Issue.record("\(expression) is taken for a function")
      } catch let error as ArgumentError {
        #expect(error.description == "a function is expected")
      }
    }
  }

  @Test(
    "A reading is the same as long as what the function refers to is, and another one behind it")
  func pins() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("limit = 3\nshow = lambda n: n > limit", py)
      let function = try function("show", in: code, py)
      let first = try function.reading(1, py)
      #expect(first.expression != nil)
      #expect(try function.reading(1, py).identity == first.identity)
      try code.run("limit = 4", py)
      let second = try function.reading(1, py)
      #expect(second.identity != first.identity)
      #expect(try function.reading(1, py).identity == second.identity)
      try code.run("limit = object()", py)
      let third = try function.reading(1, py)
      #expect(third.expression == nil && third.identity != second.identity)
    }
  }

  @Test(
    "What is not understood says why, and at which instruction",
    arguments: [
      "lambda x: __import__('json').loads(x)", "lambda x: [i for i in x if i]", "lambda *x: x",
      "lambda x: (yield x)",
    ])
  func refusals(expression: String) throws {
    try TestInterpreter.run { py in
      let reading = try function(expression, in: PythonCode(py), py).reading(1, py)
      guard case .refused(let refusal) = reading.form else {
        Issue.record("\(expression) is read as an expression")
        return
      }
      #expect(!refusal.reason.isEmpty)
    }
  }

  @Test("Functions of one kind that are made again have the history of the first")
  func histories() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("def make(n):\n    return lambda x: x + n", py)
      let (first, second) = (
        try function("make(1)", in: code, py), try function("make(1)", in: code, py)
      )
      first.history.note(7, records: 1000)
      #expect(second.history === first.history)
      #expect(second.history.nanoseconds(for: 1000) == 7)
      #expect(second.history.nanoseconds(for: 1_000_000) == nil)
      let other = try function("lambda x: x - 1", in: code, py)
      #expect(other.history.nanoseconds(for: 1000) == nil)
    }
  }

  @Test("A copy has what was captured, whatever becomes of the variable")
  func captures() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("seen = [1]\ndef total(x):\n    return x + sum(seen)", py)
      let function = try function("total", in: code, py)
      #expect(function.isOpen)
      let captured = try PythonFunction.captured([function], py)[0]
      #expect(!captured.isOpen && captured.identity == function.identity)
      try code.run("seen.append(100)", py)
      let argument = try code.value("1", py)
      let results = try [function, captured].map { function in
        let result = try needed(Py.call(function.pointer, argument.pointer))
        defer { Py.release(result) }
        return py.integer(of: result)
      }
      #expect(results == [102, 2])
    }
  }

  @Test("A task changes a copy of its own")
  func tasks() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        "seen = []\ndef note(x):\n    seen.append(x)\n    return len(seen)", py)
      let captured = try PythonFunction.captured([function("note", in: code, py)], py)[0]
      let argument = try code.value("1", py)
      for _ in 0..<2 {
        let task = try captured.forTask(py)
        for expected in 1...2 {
          let result = try needed(task.call(argument.pointer))
          defer { Py.release(result) }
          #expect(py.integer(of: result) == expected)
        }
      }
      #expect(try code.holds("seen == []", py))
    }
  }

  @Test("A function that is bound to the driver stays so in all that is made of it")
  func bound() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("seen = [1]\ndef total(x):\n    return x + sum(seen)", py)
      let function = try function("total", in: code, py)
      let captured = try PythonFunction.captured([function], py)[0]
      #expect(!captured.isBoundToDriver)
      function.bindToDriver()
      #expect(captured.isBoundToDriver)
      #expect(!captured.isSame(as: function) && function.isSame(as: function))
    }
  }

  @Test("An error is told with its operator and a sample of the record, once")
  func places() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      let record = try code.value("'x' * 500", py)
      Py.raise(.valueError, "words")
      let inner = PythonError.fetch(
        at: OperatorPlace(name: "map", site: "job.py:3"), record: record.pointer, py)
      inner.restore(py)
      let outer = PythonError.fetch(
        at: OperatorPlace(name: "filter", site: "job.py:4"), record: nil, py)
      #expect(outer.exception.pointer == inner.exception.pointer)
      #expect(
        try code.holds(
          "e.__notes__ == ['in operator: map at job.py:3', 'record: ' + repr('x' * 500)[:200] + '...']",
          where: ["e": outer.exception.pointer], py))
    }
  }
}

@Suite struct DirectFunctionTests {
  private static let functions = [
    "lambda a, b: a + b", "lambda a, b: a - b", "lambda a, b: a // b", "lambda a, b: a % b",
    "lambda a, b: a < b", "lambda a, b: a is b", "lambda a, b: a in b", "lambda a, b: (b, a, 1)",
    "lambda a, b: a if a > b else b", "lambda a, b: a and b", "lambda a, b: not a or b",
    "lambda a, b: a[0] == b[1]", "lambda a, b: -a * 2.5", "lambda a, b: a is not None and a[-1]",
    "lambda a, b: a == b != a",
  ]

  @Test("Where it has a value, it is the one that a call gives; else a call is needed")
  func values() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        """
        def outcome(function, a, b):
            try:
                return ("value", function(a, b))
            except Exception as error:
                return ("raised", type(error).__name__)
        """, py)
      var literals = RandomLiteral()
      var (computed, called) = (0, 0)
      for expression in Self.functions {
        let object = try code.value(expression, py)
        let function = try PythonFunction(object.pointer, in: EngineLanguage(), py)
        guard let direct = try function.direct(2, py) else { continue }
        code.bind("function", object.pointer)
        for _ in 0..<60 {
          let (a, b) = (literals.value(depth: 1), literals.value(depth: 1))
          try code.run("a, b = \(a), \(b)\nexpected = outcome(function, a, b)", py)
          let arguments = (try code.value("a", py), try code.value("b", py))
          let value = direct.value(arguments.0.pointer, arguments.1.pointer)
          #expect(takeException(py) == nil)
          guard let value else {
            called += 1
            continue
          }
          computed += 1
          let owned = PythonObject(owning: value)
          #expect(
            try code.holds(
              "same(expected, ('value', found))", where: ["found": owned.pointer], py),
            "seed \(literals.random.seed): (\(expression))(\(a), \(b))")
        }
      }
      #expect(computed > 0 && called > 0)
    }
  }

  @Test("It keeps no reference to what it was given")
  func ownership() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("pair = (object(), 2000)", py)
      let function = try PythonFunction(
        code.value("lambda p: (p[1], p[0])", py).pointer, in: EngineLanguage(), py)
      let direct = try needed(try function.direct(1, py))
      let (pair, part) = (try code.value("pair", py), try code.value("pair[0]", py))
      let before = (try references(to: pair.pointer, py), try references(to: part.pointer, py))
      for _ in 0..<10 { Py.release(try needed(direct.value(pair.pointer))) }
      #expect(try references(to: pair.pointer, py) == before.0)
      #expect(try references(to: part.pointer, py) == before.1)
    }
  }
}
