import PythonInterop
import PythonTesting
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import Testing

@testable import PythonFunctions
@testable import PythonRecords

/// Functions on states of Python's, `f(new, old)`: what is proved of them, and their native form.
@Suite struct StateFunctionTests {
  private func expression(
    _ source: String, _ py: borrowing Python
  ) throws -> Expression? {
    let object = try PythonCode("import functools", py).value(source, py)
    return try PythonFunction(object.pointer, in: EngineLanguage(), py).reading(2, py).expression
  }

  @Test(
    "The states of a function have a type",
    arguments: [
      ("lambda new, old: sum(new) + (old or 0)", "1", "int"),
      ("lambda new, old: sum(new) + (old or 0)", "True", "int"),
      ("lambda new, old: (old or 0) + len(new)", "'a'", "int"),
      ("lambda new, old: new[-1] if new else old", "('a', 1)", "tuple[str, int]"),
      ("lambda new, old: max(new) if old is None else max(old, max(new))", "'a'", "str"),
      ("lambda new, old: max(new + [old]) if old is not None else max(new)", "1.5", "float"),
      ("lambda new, old: max(new, default=old)", "1.5", "float"),
      ("lambda new, old: (old or []) + new", "1", "list[int]"),
      (
        "lambda new, old: ((old or (0, 0))[0] + sum(new), (old or (0, 0))[1] + 1)", "1",
        "tuple[int, int]"
      ),
      ("lambda new, old: (len(new) + old[0] if old else 0, min(new))", "1", "tuple[int, int]"),
      ("lambda new, old: None if not new else sum(new)", "1", "int"),
      ("lambda new, old: old", "1", nil), ("lambda new, old: sorted(new)", "1", nil),
      ("lambda new, old: sum(new) if old is None else 'a'", "1", nil),
      ("lambda new, old: (old, 1)", "1", nil),
    ] as [(String, String, String?)])
  func types(source: String, value: String, expected: String?) throws {
    try TestInterpreter.run { py in
      let values = try PythonCode(py).value("[\(value)]", py)
      let type = try #require(column(ofList: values.pointer)?.type)
      let function = try expression(source, py)
      let state = function.flatMap { try? Program.stateType(of: $0, values: type) }
      #expect(state?.description == expected)
    }
  }

  @Test(
    "Which states are kept, as objects and in columns",
    arguments: [
      ("lambda new, old: old if not new else 1", "any"),
      ("lambda new, old: sum(new) + (old or 0)", "int | float"),
      ("lambda new, old: (old or []) + new", "list"),
      ("lambda new, old: ((old or []) + new)[-2:]", "list of at most 2"),
      (
        "lambda new, old: (old[0] + sum(new), old[1] + len(new))",
        "tuple[int | float, int | float]"
      ),
      ("lambda new, old: {'n': old['n'] + len(new)}", "dict[n: int | float]"),
    ])
  func kept(source: String, words: String) throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("from swiftwater._lowering import _unchanged as u", py)
      try code.run("from swiftwater._lowering import unchanged_without_values as prove", py)
      let function = try code.value(source, py)
      let (found, refusal) = try KeptObjects.of(function.pointer, py)
      let kept = try #require(found)
      #expect(refusal == nil)
      #expect(kept.states.description == words)
      code.bind("answer", try code.value("prove(\(source))", py).pointer)
      let states = [
        "0", "1", "True", "0.0", "-0.0", "1.5", "2**70", "None", "'a'", "()", "(1, 2)", "(0.0, 1)",
        "(1.5, 1)", "(1, 2, 3)", "(True, 1)", "[]", "[1]", "[1, 2, 3]", "{}", "{'n': 1}",
        "{'n': 0.0}", "{'n': 1, 'm': 2}", "{1}",
      ]
      for state in states {
        let object = try code.value(state, py)
        let test = "answer == ('unchanged',) or u.is_met(answer[1], \(state))"
        let expected = Py.truth(try code.value(test, py).pointer) == 1
        #expect(try kept.contains(object.pointer, py) == expected, "\(state)")
        let list = try code.value("[\(state)]", py)
        if let column = column(ofList: list.pointer) {
          #expect(kept.states.rows(of: column)[0] == expected, "\(state) in a column")
        }
      }
    }
  }

  @Test("What is not proved says why, and where")
  func refusals() throws {
    try TestInterpreter.run { py in
      let function = try PythonCode("import time", py).value(
        "lambda new, old: time.time() and old", py)
      let (kept, refusal) = try KeptObjects.of(function.pointer, py)
      #expect(kept == nil)
      #expect(refusal?.reason == "it calls time.time, of which nothing is known")
      #expect(refusal?.place?.instruction == "CALL")
    }
  }
}
