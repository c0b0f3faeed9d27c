import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

@Suite struct HistoryTests {
  private func text(_ stream: DStream<TextLine>) throws -> DStream<String> {
    try stream.map(\.description)
  }

  /// The records of a parent's last batches, from `length` milliseconds on.
  private func window(
    of parent: StreamNode, length: Int64, slide: Int64, in bench: Bench, stableName: String? = nil
  ) throws -> DStream<String> {
    let node = try bench.streaming.addNode(
      name: "window", slide: BatchInterval(milliseconds: slide), parents: [parent],
      reach: Reach(parents: [length]), stableName: stableName
    ) { generation in
      var rdds: [RDDNode] = []
      let step = parent.slide
      var time = BatchTime(milliseconds: generation.time.milliseconds - length) + step
      while time <= generation.time {
        if let rdd = try generation.rdd(of: parent, at: time) { rdds.append(rdd) }
        time = time + step
      }
      return RDDNode.union(of: rdds, context: generation.context)
    }
    return DStream(node, in: bench.streaming)
  }

  /// Each batch's records behind those of all batches before.
  private func running(of parent: StreamNode, in bench: Bench) throws -> (
    stream: DStream<String>, node: StreamNode
  ) {
    let own = Monitor<StreamNode?>(nil)
    let node = try bench.streaming.addNode(
      name: "running", parents: [parent],
      reach: Reach(parents: [0], own: parent.slide.milliseconds),
      stableName: "running-1"
    ) { generation in
      let node = own.withLock { $0 }!
      let before = try generation.rdd(of: node, at: generation.time - node.slide)
      guard let new = try generation.rdd(of: parent) else { return before }
      return RDDNode.union(of: [before, new].compactMap(\.self), context: generation.context)
    }
    own.withLock { $0 = node }
    return (DStream(node, in: bench.streaming), node)
  }

  @Test("A window holds what came within its length, and no more than that is remembered")
  func windows() throws {
    let bench = try Bench()
    let lines = try text(bench.lines())
    let output = try CollectingOutput(window(of: lines.node, length: 2000, slide: 1000, in: bench))
    try bench.streaming.start()
    for line in ["a", "b", "c"] {
      bench.source.send(lines: [line])
      bench.advance(milliseconds: 1000)
    }
    bench.advance(milliseconds: 2000)
    #expect(output.batches == [["a"], ["a", "b"], ["b", "c"], ["c"], []])
    let remembered = (1...5).map {
      bench.streaming.rememberedRDD(of: lines.node, at: BatchTime(milliseconds: $0 * 1000)) != nil
    }
    #expect(remembered == [false, false, false, true, true])
  }

  @Test("What nobody asked for in its time is computed when a wider slide asks for it")
  func slides() throws {
    let bench = try Bench()
    let computed = Mutex<[Int64]>([])
    let lines = try text(bench.lines()).transform { rdd, time in
      computed.withLock { $0.append(time.milliseconds) }
      return rdd
    }
    let output = try CollectingOutput(window(of: lines.node, length: 2000, slide: 2000, in: bench))
    try bench.streaming.start()
    for line in ["a", "b", "c", "d"] {
      bench.source.send(lines: [line])
      bench.advance(milliseconds: 1000)
    }
    #expect(output.batches == [["a", "b"], ["c", "d"]])
    #expect(output.times.map(\.milliseconds) == [2000, 4000])
    #expect(computed.withLock { $0 } == [1000, 2000, 3000, 4000])
  }

  @Test("State is kept without its lineage, however many batches there were")
  func states() throws {
    let bench = try Bench()
    let computations = Mutex(0)
    let lines = try bench.lines().map { line in
      computations.withLock { $0 += 1 }
      return line.description
    }
    let (stream, node) = try running(of: lines.node, in: bench)
    let output = try CollectingOutput(stream)
    try bench.streaming.start()
    for line in ["a", "b", "c"] {
      bench.source.send(lines: [line])
      bench.advance(milliseconds: 1000)
    }
    #expect(output.batches == [["a"], ["a", "b"], ["a", "b", "c"]])
    #expect(computations.withLock { $0 } == 3)
    let latest = try #require(
      bench.streaming.rememberedRDD(of: node, at: BatchTime(milliseconds: 3000)))
    #expect(latest.dependencies.isEmpty)
  }

  @Test(
    "Batches whose planning failed are part of the state when a later one asks for it",
    arguments: 1...4)
  func failures(count: Int) throws {
    let bench = try Bench()
    let lines = try text(bench.lines())
    let output = try CollectingOutput(try running(of: lines.node, in: bench).stream)
    let failing = Mutex(false)
    let other = try lines.transform { rdd, _ in
      if failing.withLock({ $0 }) { throw EngineError.illegalState("no") }
      return rdd
    }
    try other.foreachRDD { _, _ in }
    try bench.streaming.start()
    let lineNames = (0..<(count + 2)).map { "line \($0)" }
    for (index, line) in lineNames.enumerated() {
      failing.withLock { $0 = (1...count).contains(index) }
      bench.source.send(lines: [line])
      bench.advance(milliseconds: 1000)
    }
    #expect(output.batches == [[lineNames[0]], lineNames])
  }

  @Test("A context that goes on from another has its times, its windows and its state")
  func recovery() throws {
    func job(_ bench: Bench) throws -> (CollectingOutput<String>, CollectingOutput<String>) {
      let lines = try text(bench.lines())
      let window = try window(
        of: lines.node, length: 2000, slide: 1000, in: bench, stableName: "window-1")
      return (
        try CollectingOutput(window),
        try CollectingOutput(running(of: lines.node, in: bench).stream)
      )
    }
    let first = try Bench(start: 10_000)
    _ = try job(first)
    try first.streaming.start()
    for line in ["a", "b"] {
      first.source.send(lines: [line])
      first.advance(milliseconds: 1000)
    }
    first.streaming.stop()
    let last = BatchTime(milliseconds: 12_000)
    let retained = try first.streaming.retained(after: last)
    #expect(retained.map(\.stableName) == ["window-1", "window-1", "running-1"])
    #expect(retained.map(\.time.milliseconds) == [11_000, 12_000, 12_000])

    let second = try Bench(start: 14_500)
    let (windows, states) = try job(second)
    for item in retained {
      try second.streaming.restore(
        stableName: item.stableName, parent: item.parent, time: item.time, rdd: item.rdd)
    }
    try second.streaming.resume(zero: BatchTime(milliseconds: 10_000), last: last)
    try second.streaming.start()
    // What was missed is run before anything new comes.
    second.advance(milliseconds: 0)
    second.source.send(lines: ["c"])
    second.advance(milliseconds: 1000)
    #expect(windows.times.map(\.milliseconds) == [13_000, 14_000, 15_000])
    #expect(windows.batches == [["b"], [], ["c"]])
    #expect(states.batches == [["a", "b"], ["a", "b"], ["a", "b", "c"]])
    #expect(throws: EngineError.self) {
      try Bench().streaming.restore(stableName: "x", parent: -1, time: last, rdd: retained[0].rdd)
    }
  }

  @Test("Blocks that a window looks back on do not hold the receiver back")
  func windowsAndBackpressure() throws {
    let bench = try Bench(settings: ["swiftwater.receiver.maxBuffered": "1000"])
    let lines = try text(bench.lines())
    let output = try CollectingOutput(window(of: lines.node, length: 9000, slide: 1000, in: bench))
    try bench.streaming.start()
    for batch in 0..<9 {
      bench.source.send(lines: [String(repeating: "x", count: 400), "\(batch)"])
      bench.advance(milliseconds: 1000)
    }
    #expect(bench.source.heldChunks == 0)
    #expect(output.batches.last?.count == 18)
  }

  @Test("A stopped context that was told to forget holds nothing of its streams")
  func forgetting() throws {
    let bench = try Bench()
    let lines = try text(bench.lines())
    let (stream, node) = try running(of: lines.node, in: bench)
    try stream.foreachRDD { _, _ in }
    try bench.streaming.start()
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 1000)
    bench.streaming.stop()
    let time = BatchTime(milliseconds: 1000)
    #expect(bench.streaming.rememberedRDD(of: node, at: time) != nil)
    bench.streaming.forget()
    #expect(bench.streaming.rememberedRDD(of: node, at: time) == nil)
    #expect(bench.streaming.zeroTime == BatchTime(milliseconds: 0))
  }

  @Test("Everything is remembered as long as the context was told to")
  func remember() throws {
    let bench = try Bench()
    let lines = try text(bench.lines())
    try lines.foreachRDD { _, _ in }
    try bench.streaming.remember(milliseconds: 3000)
    try bench.streaming.start()
    bench.advance(milliseconds: 5000)
    let remembered = (0...6).filter {
      bench.streaming.rememberedRDD(of: lines.node, at: BatchTime(milliseconds: $0 * 1000)) != nil
    }
    #expect(remembered == [3, 4, 5])
  }
}

@Suite struct ListenerTests {
  @Test("Listeners hear of a batch in Spark's order, of failures too")
  func order() throws {
    let bench = try Bench()
    let lines = try bench.lines()
    try lines.foreachRDD { _, _ in }
    try lines.foreachRDD { _, _ in throw EngineError.illegalState("no") }
    let heard = Mutex<[String]>([])
    bench.streaming.addListener { event in
      let line: String? =
        switch event {
        case .streamingStarted: "started"
        case .receiverStarted(let info): "receiver \(info.streamID) \(info.name)"
        case .receiverError: "receiver error"
        case .receiverStopped(let info): "receiver stopped: \(info.lastErrorMessage)"
        case .batchSubmitted(let info): "submitted \(info.time) \(info.began == nil)"
        case .batchStarted(let info): "batch started \(info.inputs.map(\.recordCount))"
        case .batchCompleted(let info): "completed \(info.outputs.map { $0.failure ?? "well" })"
        case .outputStarted(let info): "output \(info.id)"
        case .outputCompleted(let info): "output \(info.id) \(info.failure == nil)"
        default: nil
        }
      if let line { heard.withLock { $0.append(line) } }
    }
    try bench.streaming.start()
    bench.source.send(lines: ["a", "b"])
    bench.advance(milliseconds: 1000)
    bench.streaming.stop()
    #expect(
      heard.withLock { $0 } == [
        "started", "receiver 0 ScriptedReceiver-0", "submitted 1000 ms true",
        "batch started [2]", "output 0", "output 0 true", "output 1", "output 1 false",
        "completed [\"well\", \"no\"]", "receiver stopped: Stopped by driver",
      ])
  }

  @Test("Listeners hear what becomes of a receiver, and of the errors that it reports")
  func receivers() throws {
    let bench = try Bench()
    try bench.lines().foreachRDD { _, _ in }
    let heard = Mutex<[String]>([])
    bench.streaming.addListener(topics: .receivers) { event in
      let (name, info): (String, ReceiverInfo?) =
        switch event {
        case .receiverStarted(let info): ("started", info)
        case .receiverConnected(let info): ("connected", info)
        case .receiverError(let info): ("error", info)
        case .receiverLost(let info, _): ("lost", info)
        case .receiverStopped(let info): ("stopped", info)
        default: ("?", nil)
        }
      let time = info?.lastErrorTime.map { " at \($0.milliseconds)" } ?? ""
      heard.withLock {
        $0.append("\(name) \(info?.isActive == true) [\(info?.lastErrorMessage ?? "")]\(time)")
      }
    }
    try bench.streaming.start()
    bench.advance(milliseconds: 500)
    bench.source.report(error: "the answer has no body")
    bench.source.disconnect("gone")
    bench.source.report(error: "nobody listens")
    bench.advance(milliseconds: 2000)
    bench.streaming.stop()
    bench.source.report(error: "too late")
    #expect(
      heard.withLock { $0 } == [
        "started true []", "connected true []", "error true [the answer has no body] at 500",
        "lost false [Restarting receiver with delay 2000ms: gone] at 500",
        "started true []", "connected true []", "stopped false [Stopped by driver]",
      ])
  }

  @Test("A job knows the output and the batch in which it was set going")
  func jobOrigins() throws {
    let bench = try Bench()
    let lines = try bench.lines()
    try lines.foreachRDD { _, _ in }
    try lines.foreachRDD { rdd, _ in for _ in 0..<2 { _ = try rdd.count() } }
    let heard = Mutex<[String]>([])
    bench.context.addListener(
      ClosureListener(topics: [.jobs, .outputs]) { event in
        let line: String? =
          switch event {
          case .jobStarted(let job):
            "job \(job.id) \(job.origin.map { "\($0.time) \($0.output)" } ?? "of nobody")"
          case .outputCompleted(let output): "output \(output.id)"
          default: nil
          }
        if let line { heard.withLock { $0.append(line) } }
      })
    try bench.streaming.start()
    bench.advance(milliseconds: 1000)
    _ = try bench.context.parallelize([1]).count()
    #expect(
      heard.withLock { $0 } == [
        "output 0", "job 0 1000 ms 1", "job 1 1000 ms 1", "output 1", "job 2 of nobody",
      ])
  }

  @Test("Listeners of one context hear nothing of another on the same SparkContext")
  func twoContexts() throws {
    let bench = try Bench()
    try bench.lines().foreachRDD { _, _ in }
    let other = try StreamingContext(
      bench.context, interval: BatchInterval(milliseconds: 1000), clock: bench.clock)
    let heard = Mutex(0)
    other.addListener { _ in heard.withLock { $0 += 1 } }
    try bench.streaming.start()
    bench.advance(milliseconds: 1000)
    bench.streaming.stop()
    #expect(heard.withLock { $0 } == 0)
    #expect(bench.reports.count == 1)
  }

  @Test("Listeners hear of batches that wait while one runs")
  func waiting() throws {
    let context = try SparkContext(master: "local[2]", appName: "tests")
    let streaming = try StreamingContext(context, batchInterval: .milliseconds(5))
    let stream: DStream<Int> = try streaming.queueStream([])
    let gate = Monitor(false)
    try stream.foreachRDD { _, _ in _ = gate.wait { $0 ? true : nil } }
    let submitted = Monitor(0)
    streaming.addListener { event in
      if case .batchSubmitted = event { submitted.notify { $0 += 1 } }
    }
    try streaming.start()
    let deadline = monotonicNanoseconds() + 30_000_000_000
    let heard = submitted.wait(untilMonotonicNanoseconds: deadline) { $0 >= 3 ? $0 : nil }
    gate.notify { $0 = true }
    streaming.stop()
    #expect(heard != nil)
  }

  @Test("A slow listener does not hold up what posts, and loses nothing within the bound")
  func slow() {
    let gate = Monitor(false)
    let heard = Mutex<[Int64]>([])
    let bus = EventBus()
    let queue = EventQueue(isManual: false, tellDropped: { _ in })
    let listener = ClosureListener { event in
      _ = gate.wait { $0 ? true : nil }
      if case .generationFailed(let time, _) = event {
        heard.withLock { $0.append(time.milliseconds) }
      }
    }
    bus.add(listener, through: queue)
    for number in 0..<Int64(1000) {
      bus.post(.generationFailed(time: BatchTime(milliseconds: number), failure: ""))
    }
    #expect(heard.withLock { $0.isEmpty })
    gate.notify { $0 = true }
    queue.close(timeout: .seconds(10))
    #expect(heard.withLock { $0 } == Array(0..<1000 as Range<Int64>))
  }
}
