import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan
import Synchronization

/// A function of Python's that tasks call, with what it has captured.
///
/// Spark pickles a function when jobs are made of it, and unpickles it for every task: what the driver
/// changes afterwards the tasks do not see, and what a task changes is seen neither by the driver nor
/// by another task. Here a function that can see nothing changeable runs as it is. Of others
/// ``captured(_:_:)`` makes a copy when jobs are made, and each task works with a copy of that where
/// something in it can be changed (`swiftwater/_tasks/captures.py` and
/// `isolation.py` decide, and copy).
package final class PythonFunction: UserFunction {
  package let object: PythonObject
  package let language: any Language
  /// True where a task may need a copy.
  package let hasCaptures: Bool
  /// The variables that it refers to are its own: nobody binds them anew.
  let isCaptured: Bool
  private let memory: Memory

  /// What is known of a function whatever it has captured.
  private final class Memory: Sendable {
    let history: FunctionHistory
    let isBound = Atomic(false)
    let lowering = Lowering()
    let direct = Mutex<Direct?>(nil)
    let captures = Mutex<Captures?>(nil)

    init(history: FunctionHistory) { self.history = history }
  }

  private struct Direct: Sendable {
    let code: PythonObject
    let arguments: Int
    let form: DirectFunction?
  }

  /// What some functions had captured when they were asked last.
  private struct Captures: Sendable {
    let originals: [Reference]
    /// `_tasks.captures.Captures`.
    let object: PythonObject
  }

  /// Not owned: a function's memory would keep the function alive, which keeps its memory.
  private struct Reference: Sendable { weak var value: PythonFunction? }

  /// - Parameter language: what calls it.
  /// - Throws: ``ArgumentError`` for what cannot be called.
  package init(_ function: PyPointer, in language: any Language, _ py: borrowing Python) throws {
    guard Py.isCallable(function) else { throw ArgumentError("a function is expected") }
    object = PythonObject(borrowing: function)
    self.language = language
    let mayCapture = try py.importing("may_capture", from: "swiftwater._tasks.isolation")
    guard let answer = mayCapture.call(function) else { throw PythonError.fetch(py) }
    defer { Py.release(answer) }
    hasCaptures = Py.truth(answer) == 1
    isCaptured = false
    memory = Memory(history: try .of(function, py))
  }

  /// `original` with what it has captured.
  ///
  /// - Parameter changes: something in it can be changed.
  private init(_ original: PythonFunction, as object: PyPointer, changes: Bool) {
    self.object = PythonObject(borrowing: object)
    language = original.language
    hasCaptures = changes
    isCaptured = true
    memory = original.memory
  }

  package var pointer: PyPointer { object.pointer }
  package var history: FunctionHistory { memory.history }
  package var identity: ObjectIdentifier { ObjectIdentifier(memory) }
  package var isOpen: Bool { hasCaptures && !isCaptured }

  /// True for one that cannot be pickled.
  package var isBoundToDriver: Bool { memory.isBound.load(ordering: .relaxed) }

  package func bindToDriver() { memory.isBound.store(true, ordering: .relaxed) }

  package func isSame(as other: any UserFunction) -> Bool {
    (other as? PythonFunction)?.pointer == pointer
  }

  /// - Throws: ``PythonError`` where comparing raises.
  package func isEqual(to other: any UserFunction) throws -> Bool {
    guard let other = other as? PythonFunction else { return false }
    return try Interpreter.attach { py in
      guard let answer = Py.compare(pointer, .equal, other.pointer) else {
        throw PythonError.fetch(py)
      }
      defer { Py.release(answer) }
      let truth = Py.truth(answer)
      if truth < 0 { throw PythonError.fetch(py) }
      return truth == 1
    }
  }

  /// A function of a step that Python is to work on.
  package static func of(_ function: any UserFunction) -> PythonFunction {
    guard let function = function as? PythonFunction else {
      preconditionFailure("a function of another language")
    }
    return function
  }

  /// The function's native form, as it is now, for a call with so many arguments.
  ///
  /// - Throws: ``PythonError`` for an interrupt.
  package func reading(_ arguments: Int, _ py: borrowing Python) throws -> FunctionReading {
    try memory.lowering.read(object.pointer, arguments: arguments, py)
  }

  /// What computes the function without a call of it; nil where nothing does.
  ///
  /// - Throws: ``PythonError`` for an interrupt.
  package func direct(_ arguments: Int, _ py: borrowing Python) throws -> DirectFunction? {
    guard let code = py.attribute("__code__", of: pointer) else { return nil }
    defer { Py.release(code) }
    if let known = memory.direct.withLock({ $0 }), known.code.pointer == code,
      known.arguments == arguments
    {
      return known.form
    }
    var form: DirectFunction?
    let isClosed = try py.importing("reads_only_arguments", from: "swiftwater._lowering")
    guard let answer = isClosed.call(pointer) else { throw PythonError.fetch(py) }
    defer { Py.release(answer) }
    if Py.truth(answer) == 1,
      let expression = try reading(arguments, py).expression
    {
      form = DirectFunction(expression, py)
    }
    let new = Direct(code: PythonObject(borrowing: code), arguments: arguments, form: form)
    let old = memory.direct.withLock { known -> Direct? in
      defer { known = new }
      return known
    }
    withExtendedLifetime(old) {}
    return form
  }

  /// The functions with what they have captured by now; what several of them share is still shared.
  /// The same ones as the last time where nothing has changed since.
  ///
  /// - Throws: ``PythonError`` for an interrupt.
  package static func captured(
    _ functions: [PythonFunction], _ py: borrowing Python
  ) throws -> [PythonFunction] {
    // A worker's functions came as copies, and nobody else has them.
    if WorkerProgress.isWorker { return functions }
    let open = functions.filter(\.isOpen)
    guard let last = open.last else { return functions }
    guard let captured = try last.captures(of: open, py) else { return functions }
    var rest = captured[...]
    return functions.map { $0.isOpen ? rest.removeFirst() : $0 }
  }

  /// Nil where they cannot be copied: their tasks will tell why.
  private func captures(
    of open: [PythonFunction], _ py: borrowing Python
  ) throws -> [PythonFunction]? {
    if let known = memory.captures.withLock({ $0 }), known.originals.count == open.count,
      zip(known.originals, open).allSatisfy({ $0.value === $1 })
    {
      let hold = try py.importing("hold", from: "swiftwater._tasks.captures")
      guard let answer = hold.call(known.object.pointer) else { throw PythonError.fetch(py) }
      defer { Py.release(answer) }
      if Py.truth(answer) == 1 { return try Self.captured(open, in: known.object, py) }
    }
    let capture = try py.importing("captured", from: "swiftwater._tasks.captures")
    for function in open { Py.retain(function.pointer) }
    guard let list = py.newList(open.map(\.pointer)) else { throw PythonError.fetch(py) }
    defer { Py.release(list) }
    guard let result = capture.call(list) else { throw PythonError.fetch(py) }
    let object = PythonObject(owning: result)
    if Py.isNone(result) { return nil }
    let new = Captures(originals: open.map { Reference(value: $0) }, object: object)
    let old = memory.captures.withLock { known -> Captures? in
      defer { known = new }
      return known
    }
    withExtendedLifetime(old) {}
    return try Self.captured(open, in: object, py)
  }

  private static func captured(
    _ open: [PythonFunction], in captures: PythonObject, _ py: borrowing Python
  ) throws -> [PythonFunction] {
    guard let fields = pointers(in: captures.pointer), fields.count >= 2,
      let functions = pointers(in: fields[0]), functions.count == open.count,
      let changes = pointers(in: fields[1]), changes.count == open.count
    else { throw EngineError.illegalState("captures that are none") }
    return open.indices.map { index in
      PythonFunction(
        open[index], as: functions[index], changes: Py.truth(changes[index]) == 1)
    }
  }

  /// The functions as one task may use them: what several of them share is still shared.
  ///
  /// - Throws: ``PythonError`` where one has captured what belongs to the driver.
  package static func forTask(
    _ functions: [PythonFunction], _ py: borrowing Python
  ) throws -> [PythonObject] {
    let captors = functions.filter(\.hasCaptures)
    if captors.isEmpty { return functions.map(\.object) }
    let copy = try py.importing("for_task", from: "swiftwater._tasks.isolation")
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
  package func forTask(_ py: borrowing Python) throws -> PythonObject {
    hasCaptures ? try Self.forTask([self], py)[0] : object
  }
}
