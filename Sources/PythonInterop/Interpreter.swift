import CPython
import CSignals
import Synchronization

/// Proof that this thread holds the interpreter.
///
/// Handed out by ``Interpreter/attach(_:)`` for the length of a closure. It cannot be copied, and
/// it is only ever lent: what is lent cannot be stored, returned, or carried across an `await`.
public struct Python: ~Copyable {
  fileprivate init() {}
}

/// Taking hold of the interpreter, and letting go of it.
public enum Interpreter {
  /// Runs `body` while this thread holds the interpreter; waits for it if need be. Costs some
  /// ten nanoseconds when the thread holds it already.
  ///
  /// A thread keeps its Python thread state from its first attach on: making one costs some
  /// microseconds.
  public static func attach<R>(_ body: (borrowing Python) throws -> R) rethrows -> R {
    if PyGILState_GetThisThreadState() == nil {
      // The count that this call leaves behind keeps the thread state alive.
      _ = PyGILState_Ensure()
      _ = PyEval_SaveThread()
    }
    let before = PyGILState_Ensure()
    defer { PyGILState_Release(before) }
    releasePending()
    // A process that a function has forked, and in which it came back, goes no further.
    defer { if sw_is_forked() { ForkedProcess.end(sw_none()) } }
    return try body(Python())
  }

  /// As ``attach(_:)``, for what belongs to an object's end: after the interpreter's there is nothing
  /// to do, and in a forked process it is the parent's.
  public static func attachUnlessEnded(_ body: (borrowing Python) -> Void) {
    if Py_IsInitialized() != 0, !sw_is_forked() { attach(body) }
  }

  /// Gives up what an attach left behind on this thread, which ends now.
  public static func endThread() {
    guard Py_IsInitialized() != 0, PyGILState_GetThisThreadState() != nil else { return }
    let before = PyGILState_Ensure()
    // The first release undoes this call's count, the second the one that kept the state alive.
    PyGILState_Release(PyGILState_LOCKED)
    PyGILState_Release(before)
  }

  /// Runs `body` while other threads may hold the interpreter.
  public static func detach<R>(
    _ py: borrowing Python, _ body: () throws -> R
  ) rethrows -> R {
    let state = PyEval_SaveThread()
    defer { PyEval_RestoreThread(state) }
    return try body()
  }

  /// Runs `body`, which uses nothing of Python's, while other threads may hold the interpreter,
  /// whether this one does or not.
  public static func detachIfHeld<R>(_ body: () throws -> R) rethrows -> R {
    PyGILState_Check() != 0 ? try detach(Python(), body) : try body()
  }

  /// The token of a thread that Python itself has called.
  public static func called<R>(_ body: (borrowing Python) throws -> R) rethrows -> R {
    releasePending()
    return try body(Python())
  }

  /// What `threading.get_ident()` says of this thread.
  public static var threadIdentifier: UInt { PyThread_get_thread_ident() }

  /// Raises `KeyboardInterrupt` in another thread at its next step in Python code.
  public static func interrupt(thread: UInt) {
    attach { _ in _ = PyThreadState_SetAsyncExc(thread, sw_exception_keyboard_interrupt()) }
  }

  // MARK: References dropped without the interpreter

  private static let pending = Mutex<[UInt]>([])
  private static let hasPending = Atomic<Bool>(false)

  /// Gives up a reference, now or, when this thread does not hold the interpreter, at the next
  /// attach of any thread.
  static func release(_ object: PyPointer) {
    // After the interpreter's end its objects are gone.
    guard Py_IsInitialized() != 0 else { return }
    if PyGILState_Check() != 0 {
      sw_release(object)
    } else {
      pending.withLock { $0.append(UInt(bitPattern: object)) }
      hasPending.store(true, ordering: .releasing)
    }
  }

  private static func releasePending() {
    guard hasPending.exchange(false, ordering: .acquiringAndReleasing) else { return }
    let dropped = pending.withLock { pending -> [UInt] in
      defer { pending = [] }
      return pending
    }
    // SAFETY: each number is the address of an object of which `release` was given a reference.
    for address in dropped { sw_release(PyPointer(bitPattern: address)!) }
  }
}

/// An owned reference that any thread may hold and drop.
public final class PythonObject: @unchecked Sendable {
  // SAFETY (@unchecked Sendable): the pointer is only followed by threads that hold the
  // interpreter, and the reference is given up through `Interpreter.release`.

  /// Borrowed for as long as this object lives.
  public let pointer: PyPointer

  /// Takes over a new reference.
  public init(owning pointer: PyPointer) {
    self.pointer = pointer
  }

  /// Adds a reference.
  public init(borrowing pointer: PyPointer) {
    sw_retain(pointer)
    self.pointer = pointer
  }

  deinit { Interpreter.release(pointer) }

  /// Gives up a reference from any thread.
  public static func release(_ pointer: PyPointer) { Interpreter.release(pointer) }
}

extension PythonObject {
  /// Calls it with one argument or two; it lives until the call is over, whoever lets go of it.
  public func call(_ argument: PyPointer) -> PyPointer? {
    withExtendedLifetime(self) { Py.call(pointer, argument) }
  }

  public func call(_ first: PyPointer, _ second: PyPointer) -> PyPointer? {
    withExtendedLifetime(self) { Py.call(pointer, first, second) }
  }
}
