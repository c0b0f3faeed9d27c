import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

@Suite struct LifecycleTests {
  struct Failure: Error, Equatable { let number: Int }

  @Test("Without an output the start fails, and the context is stopped")
  func noOutput() throws {
    let bench = try Bench()
    _ = try bench.lines()
    let error = #expect(throws: EngineError.self) { try bench.streaming.start() }
    #expect(
      error?.message
        == "requirement failed: No output operations registered, so nothing to execute")
    #expect(bench.streaming.phase == .stopped)
    #expect(try bench.streaming.awaitTermination())
  }

  @Test("A second start does nothing; after a stop it is refused")
  func starts() throws {
    let bench = try Bench()
    _ = try CollectingOutput(bench.lines())
    #expect(try bench.streaming.start())
    #expect(try !bench.streaming.start())
    bench.streaming.stop()
    let error = #expect(throws: EngineError.self) { try bench.streaming.start() }
    #expect(error?.message == "StreamingContext has already been stopped")
  }

  @Test("Operators are refused after the start, and after the stop")
  func lateOperators() throws {
    let bench = try Bench()
    let lines = try bench.lines()
    _ = try CollectingOutput(lines)
    try bench.streaming.start()
    let late = #expect(throws: EngineError.self) { try lines.map(\.description) }
    #expect(late?.message.contains("after starting a context") == true)
    bench.streaming.stop()
    let later = #expect(throws: EngineError.self) { try lines.foreachRDD { _, _ in } }
    #expect(later?.message.contains("after stopping a context") == true)
  }

  @Test("A stopped SparkContext carries no new streams")
  func stoppedContext() throws {
    let context = try SparkContext(master: "local", appName: "t")
    context.stop()
    #expect(throws: EngineError.self) {
      try StreamingContext(context, batchInterval: .seconds(1))
    }
  }

  @Test("A stop gives up what has not run, and says how much")
  func stop() throws {
    let bench = try Bench()
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 1000)
    bench.source.send(lines: ["b", "c"])
    #expect(bench.count(.batchesWaiting) == 0)
    bench.streaming.stop()
    bench.streaming.stop()
    bench.advance(milliseconds: 5000)
    #expect(output.batches == [["a"]])
    #expect(try bench.streaming.awaitTermination())
    let dropped = bench.log.events.compactMap { event -> Int? in
      if case .batchesDropped(_, let records, _) = event { records } else { nil }
    }
    #expect(dropped == [2])
    #expect(bench.count(.recordsGivenUp) == 2)
    #expect(bench.count(.batchesGivenUp) == 0)
    // It was the run's.
    #expect(bench.count(.batchesWaiting) == nil)
  }

  @Test("A graceful stop runs what was received, an unfinished line too")
  func gracefulStop() throws {
    let bench = try Bench()
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    bench.source.send("a\nb")
    bench.streaming.stop(gracefully: true)
    #expect(output.batches == [["a", "b"]])
    #expect(bench.streaming.phase == .stopped)
  }

  @Test("A stop before the start only marks the context, and nobody waits for ever")
  func stopBeforeStart() throws {
    let bench = try Bench()
    bench.streaming.stop()
    #expect(bench.streaming.phase == .stopped)
    #expect(try bench.streaming.awaitTermination(timeout: .seconds(10)))
  }

  @Test("An output may stop the context: its batch ends, and no other begins")
  func stopFromOutput() throws {
    let bench = try Bench()
    let times = Mutex<[Int64]>([])
    let streaming = bench.streaming
    try bench.lines().foreachRDD { _, time in
      times.withLock { $0.append(time.milliseconds) }
      if time.milliseconds == 2000 { streaming.stop(gracefully: true) }
    }
    try streaming.start()
    bench.advance(milliseconds: 5000)
    #expect(times.withLock { $0 } == [1000, 2000])
    #expect(streaming.phase == .stopped)
  }

  @Test("A failing output stops neither later outputs nor later batches; the latest error stays")
  func failures() throws {
    let bench = try Bench()
    let lines = try bench.lines().map(\.description)
    let batch = Mutex(0)
    try lines.foreachRDD { _, _ in
      throw Failure(
        number: batch.withLock { batch in
          batch += 1
          return batch
        })
    }
    let output = try CollectingOutput(lines)
    try bench.streaming.start()
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 1000)
    #expect(throws: Failure(number: 1)) { try bench.streaming.awaitTermination() }
    bench.source.send(lines: ["b"])
    bench.advance(milliseconds: 1000)
    #expect(throws: Failure(number: 2)) { try bench.streaming.awaitTermination() }
    #expect(throws: Failure(number: 2)) { try bench.streaming.awaitTermination() }
    #expect(bench.streaming.phase == .active)
    #expect(output.batches == [["a"], ["b"]])
    #expect(bench.reports.map(\.failureCount) == [1, 1])
    bench.streaming.stop()
    #expect(throws: Failure(number: 2)) { try bench.streaming.awaitTermination() }
  }

  @Test("When a batch cannot be planned, none of its outputs run, and the next batch does")
  func failedGeneration() throws {
    let bench = try Bench()
    let lines = try bench.lines().map(\.description)
    let output = try CollectingOutput(lines)
    let failing = try lines.transform { rdd, time in
      if time.milliseconds == 1000 { throw Failure(number: 1) }
      return rdd
    }
    _ = try CollectingOutput(failing)
    try bench.streaming.start()
    bench.advance(milliseconds: 1000)
    #expect(throws: Failure(number: 1)) { try bench.streaming.awaitTermination() }
    bench.advance(milliseconds: 1000)
    #expect(output.times.map(\.milliseconds) == [2000])
  }

  @Test("Waiting has an end in time")
  func timeout() throws {
    let bench = try Bench()
    _ = try CollectingOutput(bench.lines())
    try bench.streaming.start()
    #expect(try !bench.streaming.awaitTermination(timeout: .milliseconds(1)))
  }

  @Test("On the system's clock: batches come by themselves, and a graceful stop ends them")
  func realClock() throws {
    let context = try SparkContext(master: "local[2]", appName: "real")
    let streaming = try StreamingContext(context, batchInterval: .milliseconds(5))
    let source = ScriptedReceiver()
    let lines = DStream<TextLine>(
      try streaming.addReceiver(source, name: "lines"), in: streaming)
    let output = try CollectingOutput(lines.map(\.description))
    let seen = Monitor(0)
    try lines.foreachRDD { rdd, _ in
      let count = try rdd.count()
      seen.notify { $0 += count }
    }
    try streaming.start()
    for number in 0..<100 { source.send(lines: ["\(number)"]) }
    _ = seen.wait { $0 == 100 ? true : nil }
    source.send(lines: ["last"])
    streaming.stop(gracefully: true)
    #expect(output.batches.flatMap { $0 } == (0..<100).map(String.init) + ["last"])
    #expect(try streaming.awaitTermination())
    let times = output.times.map(\.milliseconds)
    #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 5 })
  }

  @Test("A stop does not wait for ever for a batch that does not end, but interrupts it")
  func hungBatch() throws {
    let context = try SparkContext(
      settings: Settings(["spark.master": "local", "swiftwater.stop.timeout": "10ms"]))
    let interrupted = Monitor(false)
    let running = Monitor(false)
    let streaming = try StreamingContext(
      context, interval: BatchInterval(milliseconds: 1),
      hooks: .init(interrupt: { interrupted.notify { $0 = true } }))
    let queue = try streaming.queueStream([context.parallelize([1])])
    try queue.foreachRDD { _, _ in
      running.notify { $0 = true }
      _ = interrupted.wait { $0 ? true : nil }
    }
    try streaming.start()
    _ = running.wait { $0 ? true : nil }
    streaming.stop()
    #expect(interrupted.withLock { $0 })
    #expect(streaming.phase == .stopped)
  }

  @Test("A stop waits for the stop that is under way; one that is not graceful hurries it")
  func twoStops() throws {
    let context = try SparkContext(master: "local", appName: "two")
    let streaming = try StreamingContext(context, batchInterval: .milliseconds(2))
    let released = Monitor(false)
    let running = Monitor(0)
    let queue = try streaming.queueStream((0..<1000).map { context.parallelize([$0]) })
    try queue.foreachRDD { _, _ in
      running.notify { $0 += 1 }
      _ = released.wait { $0 ? true : nil }
    }
    try streaming.start()
    _ = running.wait { $0 > 0 ? true : nil }
    let graceful = EngineThread(name: "graceful") { streaming.stop(gracefully: true) }
    let hurried = EngineThread(name: "hurried") { streaming.stop(gracefully: false) }
    #expect(!hurried.join(timeout: .milliseconds(50)))
    #expect(streaming.phase == .active)
    released.notify { $0 = true }
    #expect(hurried.join(timeout: .seconds(10)))
    #expect(graceful.join(timeout: .seconds(10)))
    #expect(streaming.phase == .stopped)
    #expect(running.withLock { $0 } < 100)
  }

  @Test("A graceful stop behind a full queue loses nothing")
  func gracefulStopWhenLate() throws {
    let context = try SparkContext(
      settings: Settings(["spark.master": "local", "swiftwater.maxPendingBatches": "2"]))
    let streaming = try StreamingContext(context, batchInterval: .milliseconds(2))
    let source = ScriptedReceiver()
    let lines = DStream<TextLine>(try streaming.addReceiver(source, name: "lines"), in: streaming)
    let released = Monitor(false)
    let counted = Monitor(0)
    let isRunning = Monitor(false)
    try lines.foreachRDD { rdd, _ in
      isRunning.notify { $0 = true }
      _ = released.wait { $0 ? true : nil }
      let count = try rdd.count()
      counted.notify { $0 += count }
    }
    try streaming.start()
    _ = isRunning.wait { $0 ? true : nil }
    for number in 0..<50 { source.send(lines: ["\(number)"]) }
    // The queue is full when a later tick has found no room.
    let late = Monitor(false)
    let clock = SystemClock()
    _ = clock.schedule(at: clock.now + .milliseconds(30)) { late.notify { $0 = true } }
    _ = late.wait { $0 ? true : nil }
    clock.shutDown()
    for number in 0..<50 { source.send(lines: ["\(number)"]) }
    let stop = EngineThread(name: "stop") { streaming.stop(gracefully: true) }
    released.notify { $0 = true }
    #expect(stop.join(timeout: .seconds(10)))
    #expect(counted.withLock { $0 } == 100)
  }

  @Test("A long task of a batch is cancelled when a stop has waited long enough")
  func cancelledTask() throws {
    let context = try SparkContext(
      settings: Settings(["spark.master": "local", "swiftwater.stop.timeout": "10ms"]))
    let streaming = try StreamingContext(context, batchInterval: .milliseconds(1))
    let isRunning = Monitor(false)
    let endless = RDDNode(name: "endless", context: context, partitionCount: 1) {
      _, task in
      ClosureCursor {
        isRunning.notify { $0 = true }
        try task.checkCancellation()
        return ValueBatch([1])
      }
    }
    try streaming.queueStream([RDD<Int>(endless)]).foreachRDD { rdd, _ in _ = try rdd.count() }
    try streaming.start()
    _ = isRunning.wait { $0 ? true : nil }
    streaming.stop()
    #expect(throws: EngineError.self) { try streaming.awaitTermination() }
    // The context's own jobs go on.
    #expect(try context.parallelize([1, 2]).count() == 2)
  }
}
