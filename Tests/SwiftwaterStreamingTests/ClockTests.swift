import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

@Suite struct ClockTests {
  @Test(
    "A jump of the wall clock changes no batch time, and is told",
    arguments: [3600, -3600] as [Int64])
  func wallClock(seconds: Int64) throws {
    let bench = try Bench()
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    bench.advance(milliseconds: 2000)
    bench.clock.moveWallClock(by: .seconds(seconds))
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 2000)
    #expect(output.times.map(\.milliseconds) == [1000, 2000, 3000, 4000])
    #expect(output.batches == [[], [], ["a"], []])
    let moves = bench.log.events.compactMap { event -> Duration? in
      if case .wallClockMoved(let change) = event { change } else { nil }
    }
    #expect(moves == [.seconds(seconds)])
  }

  @Test("Batches that take longer than their interval are all run, late, and it is told")
  func fallingBehind() throws {
    let bench = try Bench()
    let clock = bench.clock
    let times = Mutex<[Int64]>([])
    // Each batch takes 2.5 intervals, for as long as the source gives something.
    try bench.lines().foreachRDD { rdd, time in
      times.withLock { $0.append(time.milliseconds) }
      if try rdd.count() > 0 { clock.advance(by: .milliseconds(2500)) }
    }
    try bench.streaming.start()
    bench.source.send(lines: ["slow"])
    bench.advance(milliseconds: 1000)
    bench.source.send(lines: ["slow"])
    bench.advance(milliseconds: 3000)
    let seen = times.withLock { $0 }
    #expect(seen == (1...Int64(seen.count)).map { $0 * 1000 })
    #expect(seen.count >= 6)
    let warnings = bench.log.events.filter { if case .fallingBehind = $0 { true } else { false } }
    #expect(!warnings.isEmpty)
  }

  @Test("The queue of batches has a bound; behind it the clock's ticks wait, none is lost")
  func boundedQueue() throws {
    let bench = try Bench(interval: 10, settings: ["swiftwater.maxPendingBatches": "3"])
    let clock = bench.clock
    let times = Mutex<[Int64]>([])
    let pending = Mutex<[Int]>([])
    try bench.lines().foreachRDD { _, time in
      times.withLock { $0.append(time.milliseconds) }
      if time.milliseconds == 10 { clock.advance(by: .milliseconds(200)) }
    }
    bench.context.addListener(
      ClosureListener { event in
        if case .batchEnded(let report) = event {
          pending.withLock { $0.append(report.pendingCount) }
        }
      })
    try bench.streaming.start()
    bench.advance(milliseconds: 210)
    #expect(pending.withLock { $0 }.allSatisfy { $0 <= 3 })
    let seen = times.withLock { $0 }
    #expect(seen == (1...Int64(seen.count)).map { $0 * 10 })
    #expect(seen.count >= 21)
  }

  @Test("A warning comes at first, when the delay has doubled, and after a recovery")
  func lagWatch() throws {
    var watch = LagWatch(interval: try BatchInterval(milliseconds: 100))
    func report(delay: Int, pending: Int) -> BatchReport {
      BatchReport(
        time: BatchTime(milliseconds: 0), recordCount: 0,
        schedulingDelay: .milliseconds(delay), processingDelay: .zero, pendingCount: pending,
        failureCount: 0)
    }
    let table = [
      (50, 0, false), (150, 1, false), (250, 1, true), (300, 2, false), (499, 3, false),
      (500, 4, true), (900, 5, false), (400, 0, false), (250, 1, true),
    ]
    for (delay, pending, warns) in table {
      #expect((watch.notice(report(delay: delay, pending: pending)) != nil) == warns, "\(delay)")
    }
  }
}
