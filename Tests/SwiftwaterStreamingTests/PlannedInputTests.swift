import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

/// What a batch will read is handed over before its outputs run.
@Suite struct PlannedInputTests {
  struct Failure: Error, Equatable {}

  /// Lines of a table that grows: a batch has all that none has before.
  private final class Table: RangedSource {
    private let rows = Mutex(0)
    let memory: Int64 = 60_000

    func plan(for time: BatchTime, known: PlannedRanges) -> SourceRange? {
      let start = known.ranges.compactMap { $0.range.splits.last?.offsets?.upperBound }.max() ?? 0
      let end = rows.withLock { $0 }
      return SourceRange(start == end ? [] : [SourceSplit(name: [116], offsets: start..<end)])
    }

    func add(_ count: Int) { rows.withLock { $0 += count } }

    static func read(_ range: SourceRange, _ generation: Generation) -> RDDNode {
      RDDNode.batches(
        range.splits.map { [ValueBatch(Array($0.offsets!))] }, name: "rows",
        context: generation.context)
    }
  }

  /// What was handed over, as a log would keep it, and whether an output had begun by then.
  private final class Log: Sendable {
    private let written = Mutex<[[UInt8]]>([])
    let outputs = Mutex<[Int64]>([])

    var hooks: StreamingContext.Hooks {
      .init(batchPlanned: { [self] batch in
        #expect(outputs.withLock { $0.last != batch.time.milliseconds })
        written.withLock { $0.append(batch.bytes) }
      })
    }

    func batches() throws -> [PlannedBatch] {
      try written.withLock { $0 }.map { try PlannedBatch(bytes: $0) }
    }
  }

  private func block(_ number: Int) -> BlockID {
    BlockID(source: SourceName(kind: "lines", number: 1), run: 0, number: number)
  }

  private func rows(_ range: Range<Int>) -> BatchInput {
    .range(
      SourceName(kind: "table", number: 1),
      SourceRange([SourceSplit(name: [116], offsets: range)]))
  }

  private func nothing(_ kind: String) -> BatchInput {
    .range(SourceName(kind: kind, number: 1), SourceRange([]))
  }

  private func position(_ number: UInt8) -> SourcePosition { SourcePosition(bytes: [number]) }

  /// Runs five batches of a socket, a table and a queue.
  private func run(_ log: Log, past: PlannedRanges? = nil) throws -> [[Int]] {
    let bench = try Bench(hooks: log.hooks)
    let table = Table()
    let lines = try bench.lines()
    let stream = try bench.streaming.addRanged(table, name: "table", read: Table.read)
    let queue = try bench.streaming.queueStream([bench.context.parallelize([7])])
    try lines.foreachRDD { _, time in
      log.outputs.withLock { $0.append(time.milliseconds) }
    }
    let numbers = try CollectingOutput(
      DStream<Int>(stream, in: bench.streaming).union(queue))
    if let past {
      try #require(stream.ranges).restore(past)
      table.add(4)
    }
    try bench.streaming.start()
    for number in 0..<4 {
      if past == nil { table.add(number % 2 == 0 ? 2 : 0) }
      if number < 2 {
        bench.source.send("\(number)\n", upTo: position(UInt8(number)))
      }
      bench.advance(milliseconds: 1000)
    }
    return numbers.batches
  }

  @Test("Every source is in it, before an output begins, and it can be read again")
  func everySource() throws {
    let log = Log()
    let results = try run(log)
    let outputs = [
      OutputName(kind: "foreachRDD", number: 1), OutputName(kind: "foreachRDD", number: 2),
    ]
    let batches = try log.batches()
    #expect(batches.map(\.time.milliseconds) == [1000, 2000, 3000, 4000])
    #expect(batches.allSatisfy { $0.outputs == outputs && $0.late.isEmpty })
    #expect(
      batches.map(\.inputs) == [
        [
          .blocks([block(0)], upTo: position(0)), rows(0..<2),
          .range(
            SourceName(kind: "queueStream", number: 1),
            SourceRange([SourceSplit(name: [], offsets: 0..<1)])),
        ],
        [.blocks([block(1)], upTo: position(1)), nothing("table"), nothing("queueStream")],
        [rows(2..<4), nothing("queueStream")], [nothing("table"), nothing("queueStream")],
      ])
    // Another run of the same is the same.
    let again = Log()
    #expect(try run(again) == results)
    #expect(try again.batches() == batches)
    // And one that goes by what was written reads the same rows at the same times, though all of them
    // are there from the beginning.
    let ranges = batches.map { batch in
      let found = batch.inputs.compactMap { input -> SourceRange? in
        if case .range(let source, let range) = input, source.kind == "table" { range } else { nil }
      }
      return (batch.time, found.first ?? SourceRange([]))
    }
    let guided = Log()
    #expect(try run(guided, past: PlannedRanges(since: 0, ranges: ranges)) == results)
    #expect(try guided.batches() == batches)
  }

  @Test("What is chosen only now of an earlier time is told with its time")
  func late() throws {
    let log = Log()
    let bench = try Bench(hooks: log.hooks)
    let table = Table()
    let stream = try bench.streaming.addRanged(table, name: "table", read: Table.read)
    let second = try BatchInterval(milliseconds: 2000)
    let window = try bench.streaming.addNode(
      name: "window", slide: second, parents: [stream], reach: Reach(parents: [1000])
    ) { generation in
      let before = BatchTime(milliseconds: generation.time.milliseconds - 1000)
      let parts = try [before, generation.time].compactMap {
        try generation.rdd(of: stream, at: $0)
      }
      return RDDNode.union(of: parts, context: generation.context)
    }
    let output = try CollectingOutput(DStream<Int>(window, in: bench.streaming))
    try bench.streaming.start()
    for _ in 0..<4 {
      table.add(1)
      bench.advance(milliseconds: 1000)
    }
    // Whoever asks first gets all that is there.
    #expect(output.batches == [[0, 1], [2, 3]])
    let batches = try log.batches()
    #expect(batches.map(\.inputs) == [[], [nothing("table")], [], [nothing("table")]])
    #expect(batches.map(\.outputs.count) == [0, 1, 0, 1])
    #expect(
      batches.map(\.late) == [
        [], [.init(time: BatchTime(milliseconds: 1000), input: rows(0..<2))],
        [], [.init(time: BatchTime(milliseconds: 3000), input: rows(2..<4))],
      ])
  }

  @Test("What a batch had chosen that could not be planned comes with the next one")
  func unplanned() throws {
    let log = Log()
    let bench = try Bench(hooks: log.hooks)
    let table = Table()
    let stream = try bench.streaming.addRanged(table, name: "table", read: Table.read)
    let output = try CollectingOutput(
      DStream<Int>(stream, in: bench.streaming).transform { rdd, time in
        if time.milliseconds == 1000 { throw Failure() }
        return rdd
      })
    try bench.streaming.start()
    for _ in 0..<2 {
      table.add(1)
      bench.advance(milliseconds: 1000)
    }
    #expect(output.batches == [[1]])
    let batches = try log.batches()
    #expect(batches.map(\.inputs) == [[rows(1..<2)]])
    #expect(
      batches.map(\.late) == [[.init(time: BatchTime(milliseconds: 1000), input: rows(0..<1))]])
  }

  @Test("What a recovery gives back is named beside what is new")
  func restored() throws {
    let log = Log()
    let bench = try Bench(hooks: log.hooks)
    let lines = try bench.lines()
    let output = try CollectingOutput(lines.map(\.description))
    try lines.foreachRDD(named: "other") { _, _ in }
    var assembler = LineAssembler(blockSize: 1000, maxLineLength: 1000)
    Array("old\n".utf8).withUnsafeBytes { assembler.append($0) }
    let taken = assembler.takeBlock()
    let kept = try #require(taken)
    for time in [0, 1000] as [Int64] {
      try bench.streaming.restoreInput(
        number: 0, time: BatchTime(milliseconds: time),
        rdd: RDDNode.batches([[kept]], name: "old", context: bench.context))
    }
    try bench.streaming.runAgain(outputs: [0], at: BatchTime(milliseconds: 0))
    try bench.streaming.resume(
      zero: BatchTime(milliseconds: -1000), last: BatchTime(milliseconds: 0))
    try bench.streaming.start()
    bench.source.send(lines: ["new"])
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [["old"], ["old", "new"]])
    let source = SourceName(kind: "lines", number: 1)
    let collected = OutputName(kind: "foreachRDD", number: 1)
    #expect(
      try log.batches() == [
        PlannedBatch(
          time: BatchTime(milliseconds: 0), outputs: [collected], inputs: [.restored(source)]),
        PlannedBatch(
          time: BatchTime(milliseconds: 1000), outputs: [collected, OutputName("other")],
          inputs: [.restored(source), .blocks([block(0)])]),
      ])
  }

  @Test("Where it cannot be kept no output runs, and all of them have failed")
  func refused() throws {
    let isDown = Mutex(true)
    let failed = Mutex<[[Int]]>([])
    let bench = try Bench(
      hooks: .init(
        outputsFailed: { _, outputs in failed.withLock { $0.append(outputs) } },
        batchPlanned: { _ in if isDown.withLock({ $0 }) { throw Failure() } }))
    let lines = try bench.lines()
    let output = try CollectingOutput(lines.map(\.description))
    try lines.foreachRDD { _, _ in }
    try bench.streaming.start()
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 1000)
    #expect(throws: Failure()) { try bench.streaming.awaitTermination(timeout: .zero) }
    #expect(output.batches.isEmpty)
    #expect(failed.withLock { $0 } == [[0, 1]])
    isDown.withLock { $0 = false }
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [[]])
  }
}
