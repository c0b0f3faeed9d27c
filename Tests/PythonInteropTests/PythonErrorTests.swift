import PythonInterop
import PythonTesting
import Testing

@Suite struct PythonErrorTests {
  /// What a function of the user's raised, as the engine takes it.
  private func raised(_ source: String, _ py: borrowing Python) throws -> PythonError {
    let code = try PythonCode("def function():\n    \(source)", py)
    let function = try code.value("function", py)
    let result = Py.call(function.pointer)
    #expect(result == nil)
    return PythonError.fetchFromFunction(py)
  }

  @Test(
    "What a function raises is an Exception afterwards, with what it was as its cause",
    arguments: [
      ("raise ValueError('words')", "ValueError: words", ""),
      ("1 / 0", "ZeroDivisionError: division by zero", ""),
      ("raise KeyError", "KeyError", ""),
      (
        "raise StopIteration(7)",
        "RuntimeError: Caught StopIteration thrown from user's code; failing the task",
        "StopIteration(7)"
      ),
      (
        "raise SystemExit(3)",
        "RuntimeError: Caught SystemExit: 3 thrown from user's code; failing the task",
        "SystemExit(3)"
      ),
      (
        "raise GeneratorExit",
        "RuntimeError: Caught GeneratorExit thrown from user's code; failing the task",
        "GeneratorExit()"
      ),
    ])
  func translated(source: String, description: String, cause: String) throws {
    try TestInterpreter.run { py in
      let error = try raised(source, py)
      #expect(error.description == description)
      let code = try PythonCode(py)
      #expect(
        try code.holds(
          "isinstance(e, Exception) and ('' if e.__cause__ is None else repr(e.__cause__)) == cause",
          where: ["e": error.exception.pointer, "cause": py.newText(cause)!], py))
    }
  }

  @Test("An error that is set again has the traceback that it had, however often")
  func traceback() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("import traceback", py)
      let error = try raised("raise ValueError('here')", py)
      code.bind("e", error.exception.pointer)
      let shown = "''.join(traceback.format_exception(e))"
      let first = try code.text(shown, py)
      #expect(first?.contains("in function") == true)
      for _ in 0..<3 {
        error.restore(py)
        #expect(PythonError.fetch(py).description == "ValueError: here")
      }
      #expect(try code.text(shown, py) == first)
    }
  }

  @Test("A note is added once, whatever it says behind its marker")
  func notes() throws {
    try TestInterpreter.run { py in
      var error = try raised("raise ValueError('x')", py)
      error.addNote("in operator: map", unless: "in operator: ", py)
      error.addNote("in operator: filter", unless: "in operator: ", py)
      error.addNote("record: 1", unless: "record: ", py)
      #expect(error.description == "ValueError: x (in operator: map) (record: 1)")
      #expect(
        try PythonCode(py).holds(
          "e.__notes__ == ['in operator: map', 'record: 1']",
          where: ["e": error.exception.pointer], py))
    }
  }

  @Test("The summary is one line of 200 characters, whatever str() does")
  func summary() throws {
    try TestInterpreter.run { py in
      let long = try raised("raise ValueError('a\\nb' * 300)", py)
      let words = "a " + String(repeating: "ba ", count: 299) + "b"
      #expect(long.description == "ValueError: \(words.prefix(200))...")
      let silent = try raised(
        """
        class Silent(Exception):
                def __str__(self):
                    raise KeyError
            raise Silent
        """, py)
      #expect(silent.description == "Silent")
      #expect(takeException(py) == nil)
    }
  }

  @Test("Memory errors are told from others")
  func memory() throws {
    try TestInterpreter.run { py in
      let (lacking, other) = (
        try raised("raise MemoryError", py), try raised("raise ValueError", py)
      )
      #expect(lacking.isMemoryError && !other.isMemoryError)
    }
  }

  @Test("An error that goes no further takes no ordinary exception with it, and keeps no reference")
  func attempt() throws {
    try TestInterpreter.run { py in
      let error = try raised("raise ValueError('kept')", py)
      let before = try references(to: error.exception.pointer, py)
      let nothing: Int? = py.attempt { throw error }
      let seven = py.attempt { 7 }
      #expect(nothing == nil && seven == 7)
      error.restore(py)
      let isOrdinary = py.dropOrdinaryException()
      #expect(isOrdinary)
      #expect(takeException(py) == nil)
      #expect(try references(to: error.exception.pointer, py) == before)
    }
  }
}
