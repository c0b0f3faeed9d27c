import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

@Suite struct RateLimiterTests {
  @Test(
    "What waits goes through at the rate, however often somebody asks", arguments: [10, 200, 900])
  func steady(step: Int64) {
    var limiter = RateLimiter(rate: 20, at: Timestamp(milliseconds: 0))
    var taken = 0
    var now: Int64 = 0
    while now < 60_000 {
      now += step
      taken += limiter.take(atMost: .max, at: Timestamp(milliseconds: now))
    }
    #expect(abs(taken - Int(now) * 20 / 1000) <= 1)
  }

  @Test("A second's worth is stored at most, and one record goes through on credit")
  func burst() {
    var limiter = RateLimiter(rate: 20, at: Timestamp(milliseconds: 0))
    #expect(limiter.take(atMost: 100, at: Timestamp(milliseconds: 0)) == 1)
    #expect(limiter.take(atMost: 100, at: Timestamp(milliseconds: 49)) == 0)
    #expect(limiter.take(atMost: 100, at: Timestamp(milliseconds: 50)) == 1)
    #expect(limiter.take(atMost: 100, at: Timestamp(milliseconds: 60_000)) == 21)
    #expect(limiter.time(of: 21) == Timestamp(milliseconds: 61_050))
    #expect(limiter.take(atMost: 3, at: Timestamp(milliseconds: 60_500)) == 3)
  }

  @Test("Behind a change the new rate counts; what is stored is as many seconds")
  func changes() {
    var limiter = RateLimiter(rate: 20, at: Timestamp(milliseconds: 0))
    limiter.setRate(100, at: Timestamp(milliseconds: 500))
    #expect(limiter.take(atMost: 1000, at: Timestamp(milliseconds: 500)) == 51)
    #expect(limiter.take(atMost: 1000, at: Timestamp(milliseconds: 1000)) == 50)
  }
}

@Suite struct RateEstimatorTests {
  /// The rates are those of Spark 4.3.0's `PIDRateEstimator`, called with these numbers.
  @Test("Rates are Spark's")
  func spark() throws {
    typealias Row = (time: Int64, records: Int, processing: Int64, scheduling: Int64, rate: Double?)
    let usual: [Row] = [
      (1000, 5000, 2000, 0, nil), (2000, 5000, 2000, 1000, 2000), (3000, 2000, 500, 1500, 2800),
      (4000, 0, 10, 0, nil), (5000, 50, 0, 0, nil), (4000, 10, 10, 0, 1000),
      (6000, 1800, 400, 300, 4230), (7000, 90, 1000, 0, 100),
    ]
    let derived: [Row] = [
      (1000, 100, 100, 0, nil), (1500, 300, 200, 40, 1538), (2000, 250, 250, 10, 644.2),
      (2700, 400, 100, 0, 3990.871428571429),
    ]
    var first = PIDRateEstimator(
      interval: try BatchInterval(milliseconds: 1000), proportional: 1, integral: 0.2,
      derivative: 0, minRate: 100)
    var second = PIDRateEstimator(
      interval: try BatchInterval(milliseconds: 500), proportional: 0.5, integral: 0.1,
      derivative: 0.3, minRate: 10)
    for row in usual {
      let rate = first.rate(
        at: row.time, records: row.records, processing: row.processing, scheduling: row.scheduling)
      #expect(rate == row.rate, "\(row)")
    }
    for row in derived {
      let rate = second.rate(
        at: row.time, records: row.records, processing: row.processing, scheduling: row.scheduling)
      let isSame =
        rate.map { rate in row.rate.map { abs($0 - rate) < 1e-9 } ?? false } ?? (row.rate == nil)
      #expect(isSame, "\(row): \(String(describing: rate))")
    }
  }

  @Test(
    "Settings that cannot be meant are refused",
    arguments: [
      ("receiver.maxRate", "many"), ("backpressure.initialRate", "1.5"),
      ("backpressure.rateEstimator", "other"), ("backpressure.pid.proportional", "-1"),
      ("backpressure.pid.integral", "x"), ("backpressure.pid.derived", "-0.1"),
      ("backpressure.pid.minRate", "0"), ("backpressure.enabled", "perhaps"),
      ("receiver.writeAheadLog.enable", "perhaps"),
      ("receiver.writeAheadLog.closeFileAfterWrite", "2"),
    ])
  func refused(name: String, value: String) throws {
    let error = #expect(throws: EngineError.self) {
      try Bench(settings: ["spark.streaming.\(name)": value])
    }
    #expect("\(try #require(error))".contains(name))
  }
}

@Suite struct RateTests {
  private func counts(
    _ bench: Bench, _ source: ScriptedReceiver? = nil
  ) throws -> CollectingOutput<String> {
    try CollectingOutput(bench.lines().map(\.description))
  }

  @Test("A receiver takes in no more than its rate; the rest waits outside and comes in order")
  func maxRate() throws {
    let bench = try Bench(interval: 2000, settings: ["spark.streaming.receiver.maxRate": "20"])
    let output = try counts(bench)
    try bench.streaming.start()
    let lines = (0..<200).map { "line \($0)" }
    // All at once, and then one by one.
    bench.source.send(lines[..<100].map { $0 + "\n" }.joined())
    for line in lines[100...] { bench.source.send(lines: [line]) }
    #expect(bench.source.isPaused)
    #expect(bench.source.heldChunks == 100)
    bench.advance(milliseconds: 8000)
    #expect(output.batches.map(\.count) == [41, 40, 40, 40])
    bench.advance(milliseconds: 4000)
    #expect(output.batches.flatMap { $0 } == lines)
    #expect(bench.source.heldChunks == 0)
    #expect(!bench.source.isPaused)
  }

  @Test("A rate beyond what comes changes nothing", arguments: ["0", "-5", "1000000"])
  func noBound(rate: String) throws {
    let bench = try Bench(settings: ["spark.streaming.receiver.maxRate": rate])
    let output = try counts(bench)
    try bench.streaming.start()
    bench.advance(milliseconds: 500)
    bench.source.send((0..<5000).map { "\($0)\n" }.joined())
    bench.advance(milliseconds: 500)
    #expect(output.batches.map(\.count) == [5000])
  }

  @Test("Blocks are as large as the rate makes them, and no older than they may be")
  func blocks() throws {
    let bench = try Bench(settings: ["spark.streaming.receiver.maxRate": "50"])
    let partitions = Mutex<[Int]>([])
    try bench.lines().foreachRDD { rdd, _ in partitions.withLock { $0.append(rdd.partitionCount) } }
    try bench.streaming.start()
    bench.source.send((0..<500).map { "\($0)\n" }.joined())
    bench.advance(milliseconds: 2000)
    #expect(partitions.withLock { $0 } == [5, 5])
  }

  @Test("A graceful stop works on all that was taken in")
  func gracefulStop() throws {
    let bench = try Bench(settings: ["spark.streaming.receiver.maxRate": "10"])
    let output = try counts(bench)
    try bench.streaming.start()
    bench.source.send((0..<100).map { "\($0)\n" }.joined() + "the end")
    bench.advance(milliseconds: 1000)
    bench.streaming.stop(gracefully: true)
    #expect(output.batches.map(\.count) == [11, 90])
    #expect(output.batches.last?.last == "the end")
  }

  @Test("A rate and a full buffer hold the source back together")
  func rateAndBuffer() throws {
    let bench = try Bench(settings: [
      "spark.streaming.receiver.maxRate": "100", "swiftwater.receiver.maxBuffered": "1k",
    ])
    let output = try counts(bench)
    try bench.streaming.start()
    let lines = (0..<300).map { "line \($0)" }
    for line in lines { bench.source.send(lines: [line]) }
    for _ in 0..<600 where output.batches.joined().count < lines.count {
      bench.advance(milliseconds: 1000)
    }
    #expect(output.batches.flatMap { $0 } == lines)
    #expect(output.batches.allSatisfy { $0.count <= 101 })
  }

  @Test("The speed of a batch decides the rate of the next ones, within the bounds")
  func backpressure() throws {
    let bench = try Bench(settings: [
      "spark.streaming.backpressure.enabled": "true",
      "spark.streaming.backpressure.initialRate": "500",
      "spark.streaming.receiver.maxRate": "5000",
      "spark.streaming.backpressure.pid.minRate": "50",
    ])
    let counts = Mutex<[Int]>([])
    // Ten milliseconds a record: a hundred a second.
    try bench.lines().foreachRDD { [clock = bench.clock] rdd, _ in
      let count = try rdd.count()
      counts.withLock { $0.append(count) }
      clock.advance(by: .milliseconds(10 * count))
    }
    try bench.streaming.start()
    bench.source.send((0..<20_000).map { "\($0)\n" }.joined())
    bench.advance(milliseconds: 60_000)
    let seen = counts.withLock { $0 }
    #expect(seen[0] == 501)
    #expect(seen.suffix(5).allSatisfy { (50...101).contains($0) }, "\(seen)")
  }

  @Test("Without the setting nothing is estimated")
  func off() throws {
    let bench = try Bench()
    let counts = Mutex<[Int]>([])
    try bench.lines().foreachRDD { [clock = bench.clock] rdd, _ in
      let count = try rdd.count()
      counts.withLock { $0.append(count) }
      if count > 0 { clock.advance(by: .milliseconds(5000)) }
    }
    try bench.streaming.start()
    for _ in 0..<3 {
      bench.source.send((0..<3000).map { "\($0)\n" }.joined())
      bench.advance(milliseconds: 1000)
    }
    #expect(counts.withLock { $0 }.filter { $0 > 0 } == [3000, 3000, 3000])
  }
}
