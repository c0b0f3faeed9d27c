import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Testing

@testable import SwiftwaterStreaming

/// How long a graceful stop may take, and what it says.
@Suite struct StopBoundTests {
  private func context(
    bound: String, interval: Duration, hooks: StreamingContext.Hooks = .init()
  ) throws -> (StreamingContext, ScriptedReceiver, EventLog) {
    let context = try SparkContext(
      settings: Settings([
        "spark.master": "local", "swiftwater.stop.timeout": "10ms",
        "spark.streaming.gracefulStopTimeout": bound,
      ]))
    let log = EventLog()
    context.addListener(log)
    let streaming = try StreamingContext(
      context, interval: BatchInterval(interval), hooks: hooks)
    return (streaming, ScriptedReceiver(), log)
  }

  /// What a stop says, in order.
  private func told(_ log: EventLog) -> [String] {
    log.events.compactMap { event in
      switch event {
      case .stopWaits(let pending, let isRunning, let bound):
        "waits \(pending) \(isRunning) \(bound)"
      case .stopBoundReached(let bound): "reached \(bound)"
      // A tick that was under way may have made another one, without records.
      case .batchesDropped(_, let records, let runAgain):
        records > 0 ? "dropped \(records) \(runAgain)" : nil
      default: nil
      }
    }
  }

  @Test("The last batch is made before its time where the bound does not reach so far")
  func earlyTick() throws {
    let (streaming, source, log) = try context(bound: "2s", interval: .seconds(24 * 3600))
    let lines = DStream<TextLine>(
      try streaming.addReceiver(source, name: "lines"), in: streaming)
    let output = try CollectingOutput(lines.map(\.description))
    try streaming.start()
    source.send("a\nb")
    let stop = EngineThread(name: "stop") { streaming.stop(gracefully: true) }
    #expect(stop.join(timeout: .seconds(20)))
    #expect(output.batches == [["a", "b"]])
    #expect(told(log) == ["waits 1 false 2.0 seconds"])
  }

  @Test(
    "What has not run when the bound is reached is given up, and told", arguments: [false, true])
  func hungOutput(hasCheckpoints: Bool) throws {
    let released = Monitor(false)
    let isRunning = Monitor(false)
    let (streaming, source, log) = try context(
      bound: "50ms", interval: .milliseconds(2),
      hooks: .init(interrupt: { released.notify { $0 = true } }))
    let lines = DStream<TextLine>(
      try streaming.addReceiver(source, name: "lines"), in: streaming)
    if hasCheckpoints { try streaming.keepPast() }
    try lines.foreachRDD { _, _ in
      isRunning.notify { $0 = true }
      _ = released.wait { $0 ? true : nil }
    }
    try streaming.start()
    _ = isRunning.wait { $0 ? true : nil }
    source.send(lines: ["a", "b", "c"])
    let stop = EngineThread(name: "stop") { streaming.stop(gracefully: true) }
    #expect(stop.join(timeout: .seconds(20)))
    let said = told(log)
    #expect(said.first?.hasPrefix("waits") == true && said.first?.contains("true") == true)
    #expect(Array(said.dropFirst()) == ["reached 0.05 seconds", "dropped 3 \(hasCheckpoints)"])
  }

  @Test("A stop that has nothing to wait for says nothing")
  func idle() throws {
    let bench = try Bench()
    _ = try CollectingOutput(bench.lines())
    try bench.streaming.start()
    bench.advance(milliseconds: 1000)
    bench.streaming.stop(gracefully: true)
    #expect(told(bench.log) == [])
  }
}
