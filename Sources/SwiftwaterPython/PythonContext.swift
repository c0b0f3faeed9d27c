import CSignals
import PythonInterop
import SwiftwaterConsole
import SwiftwaterCore
import SwiftwaterRDD
import Synchronization

/// A SparkContext that Python made, and what tells people about it.
final class PythonContext: Sendable {
  let context: SparkContext
  let console: Console

  init(settings: [String: String]) throws {
    // From here on there are threads, which a forked child would not have.
    sw_watch_forks()
    let settings = Settings(settings)
    context = try SparkContext(settings: settings)
    console = try Console(settings: settings)
    context.addListener(console)
    context.counters.watch(.logLinesHeldBack, in: console) { $0.heldBackLines }
    context.addListener(TaskEndListener())
    context.setUnpacker(PythonUnpacker())
    let chosen = settings["swiftwater.workers"] ?? ""
    guard let use = WorkerPool.Use(rawValue: chosen) else {
      throw EngineError.invalidArgument(
        "swiftwater.workers must be auto, always or never, not '\(chosen)'")
    }
    if use != .never {
      context.setMover(
        try WorkerPool(use: use, parallelism: context.parallelism, settings: settings))
    }
    ProcessConsole.current.withLock { $0 = console }
  }
}

/// Where `log` writes: the latest context's console.
enum ProcessConsole {
  static let current = Mutex<Console?>(nil)

  static func log(_ level: String, _ message: String) throws {
    try console().log(level, message)
  }

  /// For what may come again and again. See ``Console/logRepeated(_:kind:_:)``.
  static func logRepeated(_ level: String, kind: String, _ message: String) throws {
    try console().logRepeated(level, kind: kind, message)
  }

  static func setLevel(_ level: String) throws {
    try console().setLevel(level)
  }

  private static func console() throws -> Console {
    try current.withLock { current in
      if let current { return current }
      let first = try Console(settings: Settings())
      current = first
      return first
    }
  }
}
