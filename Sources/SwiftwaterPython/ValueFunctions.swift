import CSignals
import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD

/// Values that tasks may not change behind the engine's back, and what a task knows of itself.
let valueFunctions: [(String, NativeFunction, String)] = [
  (
    "is_immutable",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        py.newBool(Isolation.isImmutable(arguments[0]))
      }
    }, "Whether nothing in a value can be changed."
  ),
  (
    "isolated",
    { _, arguments in
      entry(arguments, count: 1) { _, arguments in Isolation.copy(of: arguments[0]) }
    }, "A copy that shares nothing changeable with the value."
  ),
  (
    "current_task",
    { _, arguments in
      // Not through `entry`: also a forked process may ask, and has none.
      withCall(arguments, translate: raise) { py, _ in
        guard let task = TaskContext.current, !sw_is_forked() else { return Py.none() }
        return identity(of: task, py)
      }
    }, "The task on this thread: stage, partition, attempt number, task attempt id."
  ),
  (
    "set_task_hook",
    { _, arguments in
      entry(arguments, count: 1) { _, arguments in
        TaskEndListener.setHook(arguments.isNone(0) ? nil : try function(arguments[0]))
        return Py.none()
      }
    }, "What is told of the end of each task."
  ),
]

private func identity(of task: TaskContext, _ py: borrowing Python) -> PyPointer? {
  let numbers = [task.stage, task.partition, 0, task.attempt]
  return py.newTuple(numbers.map { py.newInteger($0) })
}

/// Asks the Python half what instances of a type are.
func kindOfInstances(of type: PyPointer) -> Isolation.Kind {
  Interpreter.called { py in
    guard
      let classify = py.attempt({
        try py.importing("kind_of_type", from: "swiftwater._tasks.isolation")
      }), let answer = classify.call(type)
    else {
      py.dropException()
      return .changeable
    }
    defer { Py.release(answer) }
    return py.integer(of: answer).flatMap { Isolation.Kind(rawValue: $0) } ?? .changeable
  }
}
