import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

/// What waits in front of a job that is too slow, in virtual time.
@Suite struct BackpressureTests {
  /// A receiver that has records at a steady speed.
  private func pour(
    every milliseconds: Int64, for duration: Int64, on clock: ManualClock,
    _ send: @escaping @Sendable () -> Void
  ) {
    let end = clock.now + .milliseconds(duration)
    @Sendable func next() {
      guard clock.now < end else { return }
      send()
      _ = clock.schedule(at: clock.now + .milliseconds(milliseconds)) { next() }
    }
    next()
  }

  @Test(
    "Ten minutes of a source that is ten times too fast: memory is bounded, and nothing is lost",
    arguments: [
      [:],
      [
        "spark.streaming.backpressure.enabled": "true",
        "spark.streaming.backpressure.pid.minRate": "1",
      ],
      ["spark.streaming.backpressure.enabled": "false"],
      ["spark.streaming.receiver.maxRate": "30"],
      ["swiftwater.maxPendingBatches": "2"],
    ] as [[String: String]])
  func tenTimesTooFast(settings: [String: String]) throws {
    var random = SeededRandom()
    let limit = 16 << 10
    let bench = try Bench(
      settings: settings.merging([
        "swiftwater.receiver.maxBuffered": "\(limit)b", "swiftwater.block.size": "1k",
      ]) { $1 })
    let most = Mutex(0)
    let seen = Mutex<[String]>([])
    let stream = try bench.lines()
    try stream.map(\.description).foreachRDD { rdd, _ in
      let lines = try rdd.collect()
      seen.withLock { $0 += lines }
      // Four lines a second.
      for _ in lines {
        bench.advance(milliseconds: 250)
        most.withLock { $0 = max($0, bench.count(.inputHeld) ?? 0) }
      }
    }
    try bench.streaming.start()
    let texts = (0..<50).map { _ in
      String(repeating: "x", count: Int.random(in: 0...200, using: &random))
    }
    let sent = Mutex(0)
    let wasPaused = Mutex(false)
    pour(every: 100, for: 600_000, on: bench.clock) {
      let first = sent.withLock { count in
        defer { count += 4 }
        return count
      }
      bench.source.send(
        (first..<first + 4).map { "\($0) \(texts[$0 % texts.count])\n" }.joined())
      if bench.source.isPaused { wasPaused.withLock { $0 = true } }
    }
    bench.advance(milliseconds: 600_000)
    let count = sent.withLock { $0 }
    #expect(count == 24_000)
    #expect(wasPaused.withLock { $0 })
    for _ in 0..<10_000 where seen.withLock({ $0.count }) < count {
      bench.advance(milliseconds: 10_000)
    }
    let comment = Comment(rawValue: "seed \(random.seed)")
    #expect(
      seen.withLock { $0 } == (0..<count).map { "\($0) \(texts[$0 % texts.count])" }, comment)
    // Beyond the bound there is one read, and arrays are up to half empty.
    #expect(most.withLock { $0 } <= limit + (8 << 10), comment)
    #expect(bench.count(.inputHeld) == 0)
  }

  /// What became of a minute of blocks of 1 MB each, as the receiver says, in front of a job that takes
  /// some milliseconds for each.
  private struct Minute {
    /// Blocks of each batch that had some.
    var batches: [Int] = []
    var most = 0
    /// At the end of the minute: blocks that were worked on, and those that wait outside.
    var worked = 0
    var left = 0
  }

  /// - Parameter cost: of a block in the batch with that number, in milliseconds.
  private func minute(
    of blocksASecond: Int, settings: [String: String] = [:],
    cost: @escaping @Sendable (Int) -> Int64
  ) throws -> Minute {
    let bench = try Bench(
      settings: ["swiftwater.receiver.maxBuffered": "4g"].merging(settings) { $1 })
    let stream = DStream<Int>(
      try bench.streaming.addReceiver(bench.source, name: "blocks", recordType: nil),
      in: bench.streaming)
    let result = Mutex(Minute())
    try stream.foreachRDD { rdd, _ in
      let count = try rdd.count()
      guard count > 0 else { return }
      let number = result.withLock { result in
        result.batches.append(count)
        return result.batches.count
      }
      for _ in 0..<count {
        bench.advance(milliseconds: cost(number))
        result.withLock { result in
          result.most = max(result.most, bench.count(.inputHeld) ?? 0)
          if bench.clock.now <= Timestamp(milliseconds: 60_000) { result.worked += 1 }
        }
      }
    }
    try bench.streaming.start()
    pour(every: 100, for: 60_000, on: bench.clock) {
      for _ in 0..<blocksASecond / 10 {
        bench.source.send(records: ValueBatch([1]), byteCount: 1 << 20)
      }
    }
    _ = bench.clock.schedule(at: Timestamp(milliseconds: 60_000)) {
      result.withLock { $0.left = bench.source.heldChunks }
    }
    bench.advance(milliseconds: 60_000)
    bench.streaming.stop()
    return result.withLock { $0 }
  }

  @Test("In front of a slow job two batches lie ready, of a safe size from the first one on")
  func slowJob() throws {
    let found = try minute(of: 100) { _ in 100 }
    #expect(found.batches.allSatisfy { $0 <= 64 })
    #expect(found.most <= 3 * 64 << 20)
    #expect(found.left > 1000)
    // It never waits for input: a minute, less the second before the first batch, at ten a second.
    #expect(found.worked >= 580)
  }

  @Test("Where that is not wanted, the bound on memory is all that counts")
  func withoutPace() throws {
    let found = try minute(
      of: 50, settings: ["spark.streaming.backpressure.enabled": "false"]
    ) { _ in 100 }
    #expect(found.most > 1 << 30)
    #expect(found.left == 0)
  }

  @Test("A job that keeps up is not held back behind its first batch")
  func fastJob() throws {
    let found = try minute(of: 400) { _ in 1 }
    #expect(found.batches[0] <= 64)
    #expect(found.left == 0)
    #expect(found.batches.suffix(50).allSatisfy { $0 == 400 })
  }

  @Test("A job that becomes faster is given more")
  func fasterJob() throws {
    let found = try minute(of: 150) { $0 <= 3 ? 200 : 1 }
    #expect(found.batches.prefix(3).allSatisfy { $0 <= 64 })
    #expect(found.left == 0)
    #expect(found.batches.suffix(10).allSatisfy { $0 == 150 })
  }

  @Test("Bursts of two receivers at any speed of the job: nobody waits for ever")
  func bursts() throws {
    var random = SeededRandom()
    for _ in 0..<30 {
      let comment = Comment(rawValue: "seed \(random.seed)")
      let limit = ["64m", "150m", "1g"].randomElement(using: &random)!
      let bench = try Bench(settings: ["swiftwater.receiver.maxBuffered": limit])
      let sources = [bench.source, ScriptedReceiver(source: "other")]
      let streams = try sources.map { source in
        DStream<Int>(
          try bench.streaming.addReceiver(source, name: "blocks", recordType: nil),
          in: bench.streaming)
      }
      let seen = Mutex<[Int]>([])
      let most = Mutex(0)
      // Milliseconds of a batch, and of a block of it.
      let costs = (0..<8).map { _ in
        (Int64.random(in: 0...3000, using: &random), Int64.random(in: 0...200, using: &random))
      }
      try streams[0].union(streams[1]).foreachRDD { rdd, time in
        let numbers = try rdd.collect()
        seen.withLock { $0 += numbers }
        if numbers.isEmpty { return }
        let (batch, block) = costs[Int(time.milliseconds / 1000) % costs.count]
        bench.advance(milliseconds: batch + block * Int64(numbers.count))
        most.withLock { $0 = max($0, bench.count(.inputHeld) ?? 0) }
      }
      try bench.streaming.start()
      var sent = 0
      for _ in 0..<Int.random(in: 5...40, using: &random) {
        let source = sources.randomElement(using: &random)!
        for _ in 0..<Int.random(in: 1...60, using: &random) {
          let size = [1 << 10, 1 << 20, 20 << 20].randomElement(using: &random)!
          source.send(records: ValueBatch([sent]), byteCount: size)
          sent += 1
        }
        bench.advance(milliseconds: Int64.random(in: 0...2500, using: &random))
      }
      for _ in 0..<2000 where seen.withLock({ $0.count }) < sent {
        bench.advance(milliseconds: 10_000)
      }
      #expect(seen.withLock { $0.sorted() } == Array(0..<sent), comment)
      #expect(sources.allSatisfy { !$0.isPaused && $0.heldChunks == 0 }, comment)
      #expect(bench.count(.inputHeld) == 0, comment)
      #expect(most.withLock { $0 } <= (1 << 30) + (40 << 20), comment)
      bench.streaming.stop()
    }
  }

  @Test(
    "Settings that cannot be meant are refused before the first batch",
    arguments: ["0", "-1", "nan", "inf", "1e400", "0.0.1", "many"])
  func refused(value: String) throws {
    for name in [
      "spark.streaming.backpressure.pid.minRate", "swiftwater.receiver.maxBuffered",
      "spark.streaming.gracefulStopTimeout",
    ] {
      let error = #expect(throws: EngineError.self) { try Bench(settings: [name: value]) }
      #expect("\(try #require(error))".contains(name))
    }
    if value != "0" {
      for name in ["proportional", "integral", "derived"] {
        #expect(throws: EngineError.self) {
          try Bench(settings: ["spark.streaming.backpressure.pid.\(name)": value])
        }
      }
    }
    if !["0", "-1"].contains(value) {
      for name in ["receiver.maxRate", "backpressure.initialRate", "backpressure.enabled"] {
        #expect(throws: EngineError.self) {
          try Bench(settings: ["spark.streaming.\(name)": value])
        }
      }
    }
  }
}
