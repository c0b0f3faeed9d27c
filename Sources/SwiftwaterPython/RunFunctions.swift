import PythonInterop
import SwiftwaterCore
import SwiftwaterStreaming
import SwiftwaterTesting

/// Starting, waiting, stopping, and moving a manual clock.
let runFunctions: [(String, NativeFunction, String)] = [
  (
    "start",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let isNew = try Interpreter.detach(py) { try owner.streaming.start() }
        if !isNew {
          owner.owner.console.log("warning", "StreamingContext has already been started")
        }
        return Py.none()
      }
    }, "Starts a streaming context."
  ),
  (
    "stop",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        try owner.stop(gracefully: try arguments.bool(1), py)
        owner.owner.console.clearStatus()
        return Py.none()
      }
    }, "Stops a streaming context."
  ),
  (
    "wait",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let seconds = arguments.isNone(1) ? nil : try arguments.seconds(1)
        return py.newBool(try owner.wait(seconds: seconds, py))
      }
    }, "Waits for the end of a streaming context."
  ),
  (
    "state",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        return py.newText(owner.streaming.phase.rawValue)
      }
    }, "initialized, active or stopped."
  ),
  (
    "advance",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let clock = try manualClock(in: arguments)
        let milliseconds = try arguments.integer(1)
        guard (0...mostMilliseconds).contains(milliseconds) else {
          throw EngineError.invalidArgument("time goes forward, by a century at most")
        }
        Interpreter.detach(py) { clock.advance(by: .milliseconds(milliseconds)) }
        return Py.none()
      }
    }, "Moves a manual clock, and runs what becomes due."
  ),
  (
    "now_ms",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        py.newInteger(Int(try manualClock(in: arguments).now.milliseconds))
      }
    }, "The manual clock's time."
  ),
  (
    "has_pending_input",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        return py.newBool(owner.streaming.hasMoreInput)
      }
    }, "True when a source holds records that no batch has taken."
  ),
  (
    "kept_input",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        return py.newInteger(owner.keptInput)
      }
    }, "Bytes of received text that batches have worked on, and that are still there."
  ),
]

/// A century: times are nanoseconds of 64 bits, and durations are added up.
let mostMilliseconds = 36_525 * 86_400_000

private func manualClock(in arguments: Arguments) throws -> ManualClock {
  let owner: PythonStreaming = try arguments.handle(0)
  guard let clock = owner.manualClock else {
    throw EngineError.illegalState("this streaming context runs on the system's clock")
  }
  return clock
}
