import PythonFunctions
import PythonInterop
import PythonTesting
import SwiftwaterCore
import Testing

@Suite struct ErrorTranslationTests {
  private struct Unknown: Error {}

  private static let errors: [(any Error, String)] = [
    (ArgumentError("an int is expected"), "TypeError: an int is expected"),
    (EngineError.invalidArgument("too small"), "ValueError: too small"),
    (EngineError.illegalState("not now"), "IllegalStateException: not now"),
    (EngineError.unavailable("no room"), "OSError: no room"),
    (EngineError.missing("no file"), "FileNotFoundError: no file"),
    (
      FileFailure(code: 13, reason: "Permission denied", path: FilePath("/a")),
      "PermissionError: [Errno 13] Permission denied: '/a'"
    ),
    (Unknown(), "RuntimeError: Unknown()"),
  ]

  @Test("Each error of the engine is an exception of Python's", arguments: errors.indices)
  func translated(index: Int) throws {
    let (error, expected) = Self.errors[index]
    try TestInterpreter.run { py in
      raise(error, py)
      #expect(takeException(py) == expected)
    }
  }

  @Test("An exception that went through Swift is the same object behind it")
  func same() throws {
    try TestInterpreter.run { py in
      Py.raise(.valueError, "words")
      let error = PythonError.fetch(py)
      raise(error, py)
      #expect(PythonError.fetch(py).exception.pointer == error.exception.pointer)
    }
  }
}
