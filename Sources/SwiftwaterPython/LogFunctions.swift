import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterStore
import SwiftwaterStreaming

/// The log of a streaming context.
let logFunctions: [(String, NativeFunction, String)] = [
  (
    "keep_log",
    { _, arguments in
      entry(arguments, count: 6) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let reaching =
          arguments.isNone(5)
          ? nil : BatchTime(milliseconds: Int64(try arguments.integer(5)))
        let log = JobLog(
          in: try folder(arguments, 1, py),
          goingOnFrom: arguments.isNone(3) ? nil : try folder(arguments, 3, py),
          reaching: reaching,
          options: try JobLog.Options(owner.owner.context.settings), coder: PythonBlocks())
        try owner.streaming.keepLog(log)
        return Py.none()
      }
    }, "Has blocks and what becomes of batches written into a folder; goes on from another one."
  ),
  (
    "log_reached",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let reached = Interpreter.detach(py) { owner.streaming.logReached }
        guard let reached, reached.milliseconds >= 0 else { return Py.none() }
        return py.newInteger(Int(reached.milliseconds))
      }
    }, "The time of the latest batch in the log; None where there is none."
  ),
  (
    "forget_logged",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let time = BatchTime(milliseconds: Int64(try arguments.integer(1)))
        Interpreter.detach(py) { owner.streaming.forgetLogged(until: time) }
        return Py.none()
      }
    }, "Lets the log go of what nothing goes back behind."
  ),
]

/// Python's objects and columns in the block log: in the format of `encode`.
private struct PythonBlocks: BlockCoder {
  func encode(_ batch: any RecordBatch) throws -> [UInt8] {
    try Interpreter.attach { py in try encodedRecords(of: batch, py) }
  }

  func decode(_ bytes: [UInt8]) throws -> any RecordBatch {
    try Interpreter.attach { py in try decodedRecords(bytes, py) }
  }
}

/// The folder whose descriptor and path are two arguments.
private func folder(
  _ arguments: Arguments, _ index: Int, _ py: borrowing Python
) throws -> LogFolder {
  guard let descriptor = Int32(exactly: try arguments.integer(index)) else {
    throw ArgumentError("argument \(index + 1) is no descriptor")
  }
  return try LogFolder(descriptor: descriptor, path: try arguments.text(index + 1, py))
}
