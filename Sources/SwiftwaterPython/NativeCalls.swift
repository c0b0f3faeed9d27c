import CSignals
import PythonFunctions
import PythonInterop
import SwiftwaterCore

/// What every native function does around its body: refuses to work in a forked process, and turns
/// errors into exceptions.
func entry(
  _ arguments: PyPointer?, count: Int, _ body: (borrowing Python, Arguments) throws -> PyPointer?
) -> PyPointer? {
  withCall(arguments, translate: raise) { py, arguments in
    guard !sw_is_forked() else {
      throw EngineError.illegalState(
        "this process was made by os.fork() from one that uses Swiftwater: the engine's threads do "
          + "not exist here. Use subprocess or multiprocessing's 'spawn' start method instead")
    }
    try arguments.check(count: count)
    return try body(py, arguments)
  }
}

/// Asks the Python half where an exception that is no `Exception` came from.
func comesFromOutside(_ exception: PyPointer) -> Bool {
  Interpreter.called { py in
    guard
      let ask = py.attempt({
        try py.importing("comes_from_outside", from: "swiftwater._tasks.base_exceptions")
      }),
      let answer = ask.call(exception)
    else {
      py.dropException()
      return true
    }
    defer { Py.release(answer) }
    return Py.truth(answer) == 1
  }
}
