import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

@Suite struct BatchTests {
  @Test("A record belongs to the first batch that ends after it came")
  func batches() throws {
    let bench = try Bench()
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    bench.source.send(lines: ["a", "b"])
    bench.advance(milliseconds: 1000)
    bench.source.send(lines: ["c"])
    bench.advance(milliseconds: 999)
    bench.source.send("half")
    bench.advance(milliseconds: 1)
    bench.source.send(" line\n")
    bench.advance(milliseconds: 2000)
    #expect(output.batches == [["a", "b"], ["c"], ["half line"], []])
    #expect(output.times.map(\.milliseconds) == [1000, 2000, 3000, 4000])
  }

  @Test("Batch times are multiples of the interval, from the first behind the start on")
  func alignment() throws {
    let bench = try Bench(interval: 500, start: 1_700_000_000_123)
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    bench.advance(milliseconds: 1400)
    #expect(
      output.times.map(\.milliseconds) == [1_700_000_000_500, 1_700_000_001_000, 1_700_000_001_500])
  }

  @Test("Nothing is computed before the start")
  func lazy() throws {
    let bench = try Bench()
    let calls = Mutex(0)
    let output = try CollectingOutput(
      bench.lines().map { line in
        calls.withLock { $0 += 1 }
        return line.description
      })
    bench.advance(milliseconds: 5000)
    #expect(output.batches.isEmpty)
    try bench.streaming.start()
    bench.source.send(lines: ["x"])
    #expect(calls.withLock { $0 } == 0)
    bench.advance(milliseconds: 1000)
    #expect(calls.withLock { $0 } == 1)
  }

  @Test("A word count, batch by batch")
  func wordCount() throws {
    let bench = try Bench()
    let counts = try bench.lines().flatMap { $0.split(separator: " ") }.map { ($0, 1) }
      .reduceByKey(partitions: 1, +).map { "\($0.0) \($0.1)" }
    let output = try CollectingOutput(counts)
    try bench.streaming.start()
    bench.source.send(lines: ["b a b", "c b"])
    bench.advance(milliseconds: 1000)
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [["b 3", "a 1", "c 1"], ["a 1"]])
  }

  @Test("Union, filter, transform and mapValues")
  func operators() throws {
    let bench = try Bench()
    let lines = try bench.lines().map(\.description)
    let shouting = try lines.filter { $0.hasSuffix("!") }.map { ($0, $0.count) }
      .mapValues { $0 * 10 }.map { "\($0.0)\($0.1)" }
    let both = try lines.union(shouting)
    let tagged = try both.transform { rdd, time in rdd.map { "\(time.milliseconds) \($0)" } }
    let output = try CollectingOutput(tagged)
    try bench.streaming.start()
    bench.source.send(lines: ["a", "b!"])
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [["1000 a", "1000 b!", "1000 b!20"]])
  }

  @Test("A stream without data has RDDs without partitions")
  func noData() throws {
    let bench = try Bench()
    let partitions = Mutex<[Int]>([])
    try bench.lines().foreachRDD { rdd, _ in
      partitions.withLock { $0.append(rdd.partitionCount) }
    }
    try bench.streaming.start()
    bench.advance(milliseconds: 1000)
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 1000)
    #expect(partitions.withLock { $0 } == [0, 1])
  }

  @Test("A block is closed at its size and at its age: each is a partition")
  func blocks() throws {
    let bench = try Bench(settings: [
      "swiftwater.block.size": "10b", "spark.streaming.blockInterval": "200ms",
    ])
    let partitions = Mutex<[Int]>([])
    try bench.lines().foreachRDD { rdd, _ in
      partitions.withLock { $0.append(rdd.partitionCount) }
    }
    try bench.streaming.start()
    bench.source.send(lines: ["0123456789", "0123456789", "x"])
    bench.advance(milliseconds: 1000)
    bench.source.send(lines: ["x"])
    bench.advance(milliseconds: 200)
    bench.source.send(lines: ["y"])
    bench.source.send(lines: ["z"])
    bench.advance(milliseconds: 800)
    #expect(partitions.withLock { $0 } == [3, 2])
  }

  @Test("A queue gives one RDD a batch, then empty ones of one partition")
  func queue() throws {
    let bench = try Bench()
    let rdds = (1...2).map { bench.context.parallelize([$0], slices: 2) }
    let stream = try bench.streaming.queueStream(rdds)
    let output = try CollectingOutput(stream)
    let partitions = Mutex<[Int]>([])
    try stream.foreachRDD { rdd, _ in partitions.withLock { $0.append(rdd.partitionCount) } }
    try bench.streaming.start()
    bench.advance(milliseconds: 3000)
    #expect(output.batches == [[1], [2], []])
    #expect(partitions.withLock { $0 } == [2, 2, 1])
  }

  @Test("All of a queue at once, then the default")
  func wholeQueue() throws {
    let bench = try Bench()
    let rdds = (1...3).map { bench.context.parallelize([$0], slices: 1) }
    let output = try CollectingOutput(
      bench.streaming.queueStream(
        rdds, oneAtATime: false, fallback: bench.context.parallelize([0], slices: 1)))
    try bench.streaming.start()
    bench.advance(milliseconds: 2000)
    #expect(output.batches == [[1, 2, 3], [0]])
  }

  @Test("A report counts the records of the batch")
  func reports() throws {
    let bench = try Bench()
    _ = try CollectingOutput(bench.lines())
    try bench.streaming.start()
    bench.source.send(lines: ["a", "b", "c"])
    bench.advance(milliseconds: 2000)
    #expect(bench.reports.map(\.recordCount) == [3, 0])
    #expect(bench.reports.map(\.time.milliseconds) == [1000, 2000])
  }
}
