import CSignals
import PythonInterop
import PythonWorkers
import SwiftwaterConsole
import SwiftwaterCore
import SwiftwaterRDD

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
    ProcessConsole.current.withLock { $0 = .init(console: console, events: context.events) }
  }
}
