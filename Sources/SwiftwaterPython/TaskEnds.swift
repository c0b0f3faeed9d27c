import PythonInterop
import SwiftwaterConsole
import SwiftwaterCore
import Synchronization

/// Tells the Python half how the tasks of a stage have ended that may have called its functions: for
/// accumulators, and for what tasks have changed in the process. It hears of them on the thread that runs
/// the job, before the action returns.
struct TaskEndListener: EventListener {
  let topics: EventTopics = .calls

  /// Called with an attempt's number, and whether it succeeded. It may be set while a stage runs, by one
  /// of its tasks, and is told of all of them.
  private static let hook = Mutex<PythonObject?>(nil)

  static func setHook(_ new: PythonObject?) {
    let old = hook.withLock { hook -> PythonObject? in
      defer { hook = new }
      return hook
    }
    // What the old one held may run Python code when it goes: not under the lock.
    withExtendedLifetime(old) {}
  }

  func receive(_ event: EngineEvent) {
    guard case .stageEnded(let stage) = event, let hook = Self.hook.withLock({ $0 }) else { return }
    for end in stage.taskEnds { call(hook, end) }
  }

  /// A hook that fails is this package's mistake, not the task's: it is logged.
  private func call(_ hook: PythonObject, _ end: StageInfo.TaskEnd) {
    Interpreter.attach { py in
      guard let number = py.newInteger(end.attempt) else { return py.dropException() }
      let success = py.newBool(end.outcome == .succeeded)
      defer {
        Py.release(number)
        Py.release(success)
      }
      if let result = hook.call(number, success) {
        Py.release(result)
      } else {
        let error = PythonError.fetch(py)
        error.askAgain(py)
        try? ProcessConsole.notice(
          .error, kind: "task end", "at the end of a task: \(error)")
      }
    }
  }
}
