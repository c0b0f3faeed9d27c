import PythonFunctions
import PythonInterop
import SwiftwaterConsole
import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD
import Synchronization

/// Calls the driver-side functions of a job, those of outputs and of `transform`, and says in an
/// error which batch it was.
final class UserCalls: Sendable {
  private let console: Console
  /// The thread that is in a function, by Python's number: another one may have it afterwards.
  private let thread = Mutex<UInt?>(nil)

  /// True on a thread that is inside of such a function.
  @TaskLocal static var isRunning = false

  init(console: Console) {
    self.console = console
  }

  /// Holds the interpreter for what an output does with a batch, one function after the other.
  func output(at time: BatchTime, _ body: () throws -> Bool) throws -> Bool {
    try call(at: time) { _ in try body() }
  }

  /// Calls `function(milliseconds)`; whether the answer is true. Inside ``output(at:_:)``.
  func holds(_ function: PythonObject, place: OperatorPlace, time: BatchTime) throws -> Bool {
    try Interpreter.attach { py in
      guard let milliseconds = py.newInteger(Int(time.milliseconds)) else {
        throw PythonError.fetch(py)
      }
      defer { Py.release(milliseconds) }
      guard let result = function.call(milliseconds) else {
        throw PythonError.fetch(at: place, record: nil, py)
      }
      defer { Py.release(result) }
      return Py.truth(result) == 1
    }
  }

  /// Calls `function(milliseconds, rdd)`; a new reference to what it returns. Inside ``output(at:_:)``.
  func write(
    _ rdd: RDDNode, with function: PythonObject, place: OperatorPlace, time: BatchTime
  ) throws -> PyPointer {
    try Interpreter.attach { py in
      guard let handle = HandleType.make(rdd) else { throw PythonError.fetch(py) }
      defer { Py.release(handle) }
      return try self.call(function, place, time, handle, py)
    }
  }

  /// Calls `function(written)`. Inside ``output(at:_:)``.
  func commit(
    _ written: PythonObject, with function: PythonObject, place: OperatorPlace
  ) throws {
    try Interpreter.attach { py in
      guard let result = function.call(written.pointer) else {
        throw PythonError.fetch(at: place, record: nil, py)
      }
      Py.release(result)
    }
  }

  /// Calls `function(milliseconds, rdds)`, which returns an RDD or None.
  func transform(
    _ rdds: [RDDNode?], with function: PythonObject, place: OperatorPlace, time: BatchTime
  ) throws -> RDDNode? {
    try call(at: time) { py in
      let handles = rdds.map { rdd in rdd.map { HandleType.make($0) } ?? Py.none() }
      guard let list = py.newList(handles) else { throw PythonError.fetch(py) }
      defer { Py.release(list) }
      let result = try self.call(function, place, time, list, py)
      return try self.node(result, place, py)
    }
  }

  /// Calls `function(path)`, which returns an RDD.
  func file(
    _ path: FilePath, with function: PythonObject, place: OperatorPlace, time: BatchTime
  ) throws -> RDDNode? {
    try call(at: time) { py in
      guard let path = py.newText(path: path.bytes) else { throw PythonError.fetch(py) }
      defer { Py.release(path) }
      guard let result = function.call(path) else {
        throw PythonError.fetch(at: place, record: nil, py)
      }
      return try self.node(result, place, py)
    }
  }

  /// An error of the engine as the exception that it is in Python, with its place and batch.
  func described(_ error: any Error, place: OperatorPlace, time: BatchTime) -> any Error {
    guard !(error is PythonError) else { return error }
    do {
      try call(at: time) { py in
        raise(error, py)
        throw PythonError.fetch(at: place, record: nil, py)
      }
      return error
    } catch let described {
      return described
    }
  }

  /// The RDD that a function returned, or nil for None; takes over the reference.
  private func node(
    _ result: PyPointer, _ place: OperatorPlace, _ py: borrowing Python
  ) throws -> RDDNode? {
    defer { Py.release(result) }
    if Py.isNone(result) { return nil }
    guard let node = HandleType.value(of: result) as? RDDNode else {
      throw EngineError.invalidArgument(
        "the function of \(place.name) at \(place.site) returned "
          + "\(py.describe(result, limit: shownRecordLength)), not an RDD")
    }
    return node
  }

  /// Raises `KeyboardInterrupt` in the function that is running.
  func interrupt() {
    Interpreter.attach { _ in
      // Who holds the interpreter keeps the function from its end.
      if let thread = thread.withLock({ $0 }) { Interpreter.interrupt(thread: thread) }
    }
  }

  private func call(
    _ function: PythonObject, _ place: OperatorPlace, _ time: BatchTime, _ argument: PyPointer,
    _ py: borrowing Python
  ) throws -> PyPointer {
    guard let milliseconds = py.newInteger(Int(time.milliseconds)) else {
      throw PythonError.fetch(py)
    }
    defer { Py.release(milliseconds) }
    guard let result = function.call(milliseconds, argument) else {
      throw PythonError.fetch(at: place, record: nil, py)
    }
    return result
  }

  private func call<R>(at time: BatchTime, _ body: (borrowing Python) throws -> R) throws -> R {
    try Self.$isRunning.withValue(true) { try attached(at: time, body) }
  }

  private func attached<R>(
    at time: BatchTime, _ body: (borrowing Python) throws -> R
  ) throws -> R {
    try Interpreter.attach { py in
      let outer = thread.withLock { thread in
        defer { thread = Interpreter.threadIdentifier }
        return thread
      }
      defer { thread.withLock { $0 = outer } }
      console.clearStatus()
      let raised = RaisedErrors()
      do {
        let result = try RaisedErrors.$current.withValue(raised) {
          try Interpreter.called { py in try body(py) }
        }
        try raised.letGo(py)
        return result
      } catch {
        try raised.letGo(py)
        guard var error = error as? PythonError else { throw error }
        let text = py.localTimeText(milliseconds: time.milliseconds)
        error.addNote("batch: \(text)", unless: "batch: ", py)
        throw error
      }
    }
  }
}

/// What Python has buffered for standard output is written, so that a batch is seen when it is
/// over. A closed output is not the job's failure.
func flushStandardOutput(_ py: borrowing Python) {
  guard let output = py.system("stdout"), !Py.isNone(output.pointer) else { return }
  py.attempt { try py.callMethod("flush", of: output) }
}
