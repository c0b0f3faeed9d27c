import PythonInterop
import SwiftwaterCore
import Synchronization

/// A user's function that tasks call, with what it has captured.
///
/// Spark pickles a function for every task: what a task changes in the function's captured
/// variables is seen neither by the driver nor by another task. Here a function that can see
/// nothing changeable runs as it is. Otherwise each task works with a copy of what it has captured
/// (`swiftwater/_isolation.py` decides, and copies).
final class TaskFunction: Sendable {
  let object: PythonObject
  /// True where a task may need a copy: asked again each time, since variables can be rebound.
  let hasCaptures: Bool
  let history: FunctionHistory
  private let staying = Atomic(false)
  private let lowering = Lowering()
  private let known = Mutex<Direct?>(nil)

  private struct Direct: Sendable {
    let code: PythonObject
    let arguments: Int
    let form: DirectFunction?
  }

  /// - Throws: ``ArgumentError`` for what cannot be called.
  init(_ function: PyPointer, _ py: borrowing Python) throws {
    guard Py.isCallable(function) else { throw ArgumentError("a function is expected") }
    object = PythonObject(borrowing: function)
    let mayCapture = try py.importing("may_capture", from: "swiftwater._isolation")
    guard let answer = mayCapture.call(function) else { throw PythonError.fetch(py) }
    defer { Py.release(answer) }
    hasCaptures = Py.truth(answer) == 1
    history = try .of(function, py)
  }

  var pointer: PyPointer { object.pointer }

  /// True for one that cannot be pickled.
  var stays: Bool { staying.load(ordering: .relaxed) }

  func stay() { staying.store(true, ordering: .relaxed) }

  /// The function's native form, as it is now, for a call with so many arguments.
  func lowered(_ arguments: Int, _ py: borrowing Python) throws -> Lowering.Reading {
    try lowering.read(object.pointer, arguments: arguments, py)
  }

  /// What computes the function without a call of it; nil where nothing does.
  ///
  /// - Throws: ``PythonError`` for an interrupt.
  func direct(_ arguments: Int, _ py: borrowing Python) throws -> DirectFunction? {
    guard let code = py.attribute("__code__", of: pointer) else { return nil }
    defer { Py.release(code) }
    if let known = known.withLock({ $0 }), known.code.pointer == code,
      known.arguments == arguments
    {
      return known.form
    }
    var form: DirectFunction?
    let isClosed = try py.importing("reads_only_arguments", from: "swiftwater._lowering")
    guard let answer = isClosed.call(pointer) else { throw PythonError.fetch(py) }
    defer { Py.release(answer) }
    if Py.truth(answer) == 1,
      case .expression(let expression) = try lowered(arguments, py).lowered
    {
      form = DirectFunction(expression, py)
    }
    let new = Direct(code: PythonObject(borrowing: code), arguments: arguments, form: form)
    let old = known.withLock { known -> Direct? in
      defer { known = new }
      return known
    }
    withExtendedLifetime(old) {}
    return form
  }

  /// The functions as one task may use them: what several of them share is still shared.
  ///
  /// - Throws: ``PythonError`` where one has captured what belongs to the driver.
  static func forTask(
    _ functions: [TaskFunction], _ py: borrowing Python
  ) throws -> [PythonObject] {
    let captors = functions.filter(\.hasCaptures)
    if captors.isEmpty { return functions.map(\.object) }
    let copy = try py.importing("for_task", from: "swiftwater._isolation")
    for captor in captors { Py.retain(captor.pointer) }
    guard let list = py.newList(captors.map(\.pointer)) else { throw PythonError.fetch(py) }
    defer { Py.release(list) }
    guard let result = copy.call(list) else { throw PythonError.fetch(py) }
    defer { Py.release(result) }
    var copies = (pointers(in: result) ?? []).map { PythonObject(borrowing: $0) }[...]
    return functions.map { function in
      function.hasCaptures ? copies.popFirst() ?? function.object : function.object
    }
  }

  /// The function as one task may use it.
  func forTask(_ py: borrowing Python) throws -> PythonObject {
    hasCaptures ? try Self.forTask([self], py)[0] : object
  }
}
