import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterStreaming

/// Rates, a small buffer, bursts, pauses, jumps of time and lost connections, all at random.
@Suite struct RateStormTests {
  /// What each setting may be; nothing where it stays as it is.
  private static let choices = [
    "spark.streaming.receiver.maxRate": ["", "1", "2", "7", "50", "1000", "2147483647"],
    "spark.streaming.backpressure.enabled": ["", "true"],
    "spark.streaming.backpressure.initialRate": ["", "1", "100"],
    "spark.streaming.backpressure.pid.minRate": ["", "0.001", "10"],
    "spark.streaming.blockInterval": ["", "50ms", "333ms", "5s"],
    "swiftwater.receiver.maxBuffered": ["", "1k", "16k"],
    "swiftwater.block.size": ["", "64", "1k"],
  ]

  @Test("Whatever comes and whenever, each line goes through once, in order and in time")
  func storm() throws {
    var random = SeededRandom()
    for _ in 0..<40 {
      try storm(&random)
    }
  }

  private func storm(_ random: inout SeededRandom) throws {
    let comment = Comment(rawValue: "seed \(random.seed)")
    var settings: [String: String] = [:]
    for (name, values) in Self.choices.sorted(by: { $0.key < $1.key }) {
      let value = values.randomElement(using: &random)!
      if !value.isEmpty { settings[name] = value }
    }
    let interval: Int64 = [500, 1000, 3000].randomElement(using: &random)!
    let bench = try Bench(interval: interval, settings: settings)
    let stream = try bench.lines()
    let output = try CollectingOutput(stream.map(\.description))
    // Batches take their time, so that something is estimated.
    let cost = Int.random(in: 0...3, using: &random)
    try stream.foreachRDD { [clock = bench.clock] rdd, _ in
      let count = try rdd.count()
      if count > 0 { clock.advance(by: .milliseconds(cost * min(count, 100))) }
    }
    try bench.streaming.start()
    var lines: [String] = []
    for _ in 0..<Int.random(in: 5...30, using: &random) {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        let count = [0, 1, 3, 40, 120].randomElement(using: &random)!
        let new = (lines.count..<lines.count + count).map { "line \($0)" }
        lines += new
        bench.source.send(new.map { $0 + "\n" }.joined())
      case 6, 7: bench.advance(milliseconds: [1, 50, interval].randomElement(using: &random)!)
      case 8: bench.advance(milliseconds: 20 * interval)
      default: bench.source.disconnect()
      }
    }
    let source = bench.source
    for _ in 0..<400
    where output.batches.joined().count < lines.count || source.isPaused || source.heldChunks > 0 {
      bench.advance(milliseconds: 10_000)
    }
    #expect(output.batches.flatMap { $0 } == lines, comment)
    #expect(!source.isPaused, comment)
    #expect(source.heldChunks == 0, comment)
    if let rate = settings["spark.streaming.receiver.maxRate"].flatMap({ Int($0) }) {
      // What one second has not used may come with the next one.
      let most = Double(rate) * (Double(interval) / 1000 + 1) + 1
      #expect(output.batches.allSatisfy { Double($0.count) <= most }, comment)
    }
    bench.streaming.stop()
  }
}
