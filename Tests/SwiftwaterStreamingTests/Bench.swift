import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterStreaming
import SwiftwaterTesting

/// A streaming context in virtual time, with a scripted source: what most tests of this target
/// stand on.
struct Bench {
  let context: SparkContext
  let streaming: StreamingContext
  let clock: ManualClock
  let source = ScriptedReceiver()
  let log = EventLog()

  /// - Parameters:
  ///   - interval: in milliseconds.
  ///   - start: the clock's time at the beginning, in milliseconds.
  init(
    interval: Int64 = 1000, start: Int64 = 0, settings: [String: String] = [:],
    hooks: StreamingContext.Hooks = .init()
  ) throws {
    let base = ["spark.master": "local[2]"]
    context = try SparkContext(settings: Settings(base.merging(settings) { $1 }))
    clock = ManualClock(start: Timestamp(milliseconds: start))
    streaming = try StreamingContext(
      context, interval: BatchInterval(milliseconds: interval), clock: clock, hooks: hooks)
    context.addListener(log)
  }

  func lines() throws -> DStream<TextLine> {
    DStream(try streaming.addReceiver(source, name: "lines"), in: streaming)
  }

  func advance(milliseconds: Int64) { clock.advance(by: .milliseconds(milliseconds)) }

  /// What a counter of the context says; nil where there is none.
  func count(_ name: Counters.Name, of subject: String = "") -> Int? {
    context.counters.snapshot().first { $0.name == name && $0.subject == subject }?.value
  }

  var reports: [BatchReport] {
    log.events.compactMap { if case .batchEnded(let report) = $0 { report } else { nil } }
  }
}
