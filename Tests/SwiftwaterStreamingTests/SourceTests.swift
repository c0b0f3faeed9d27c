import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

/// A source that has numbers: as many as it is given, and a batch has all that none has before.
private final class Numbers: RangedSource {
  private let state = Mutex((end: 0, isDown: false, asked: [Int64]()))

  let memory: Int64 = 2000

  func plan(for time: BatchTime, known: PlannedRanges) -> SourceRange? {
    state.withLock { state in
      state.asked.append(time.milliseconds)
      if state.isDown { return nil }
      let latest = known.ranges.last { !$0.range.isEmpty }?.range
      let start = latest?.splits.last?.offsets?.upperBound ?? 0
      if start == state.end { return SourceRange([]) }
      return SourceRange([SourceSplit(name: Array("n".utf8), offsets: start..<state.end)])
    }
  }

  func add(_ count: Int) { state.withLock { $0.end += count } }

  func fail(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

  var asked: [Int64] { state.withLock { $0.asked } }

  static func read(_ range: SourceRange, _ generation: Generation) -> RDDNode {
    RDDNode.batches(
      range.splits.map { [ValueBatch($0.offsets!.map(String.init))] }, name: "numbers",
      context: generation.context)
  }
}

@Suite struct SourceTests {
  private let bench: Bench
  private let numbers = Numbers()

  init() throws { bench = try Bench() }

  private func stream() throws -> StreamNode {
    try bench.streaming.addRanged(numbers, name: "numbers", since: 0, read: Numbers.read)
  }

  /// The names of what each batch reads, as they are behind the planning of `streams`.
  private func inputs(of streams: [StreamNode]) throws -> Monitor<[[BatchInput]]> {
    let seen = Monitor<[[BatchInput]]>([])
    let node = try bench.streaming.addNode(name: "watch", parents: streams) { generation in
      for stream in streams { _ = try generation.rdd(of: stream) }
      seen.withLock { $0.append(generation.inputs) }
      return nil
    }
    try bench.streaming.addOutput(name: "watch", of: node) { _, _ in }
    return seen
  }

  @Test("A batch's input has names: of blocks in their order, and of ranges")
  func names() throws {
    let other = ScriptedReceiver()
    let lines = try bench.lines()
    let queue = try bench.streaming.addQueue([
      RDDNode.batches([[ValueBatch(["q"])]], name: "q", context: bench.context)
    ])
    let seen = try inputs(of: [
      lines.node, queue, stream(), bench.streaming.addReceiver(other, name: "lines"),
    ])
    try bench.streaming.start()
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 300)
    for line in ["b", "of the next block"] { bench.source.send(lines: [line]) }
    numbers.add(3)
    bench.advance(milliseconds: 700)
    other.send(lines: ["c"])
    bench.source.send(lines: ["d"])
    bench.advance(milliseconds: 1000)
    bench.advance(milliseconds: 1000)
    func block(_ source: Int, _ number: Int) -> BlockID {
      BlockID(source: SourceName(kind: "lines", number: source), run: 0, number: number)
    }
    func nothing(_ kind: String) -> BatchInput {
      .range(SourceName(kind: kind, number: 1), SourceRange([]))
    }
    let numbered = SourceName(kind: "numbers", number: 1)
    #expect(
      seen.withLock { $0 } == [
        [
          .blocks([block(1, 0), block(1, 1)]),
          .range(
            SourceName(kind: "queueStream", number: 1),
            SourceRange([SourceSplit(name: [], offsets: 0..<1)])),
          .range(numbered, SourceRange([SourceSplit(name: Array("n".utf8), offsets: 0..<3)])),
        ],
        [
          .blocks([block(1, 2)]), nothing("queueStream"), nothing("numbers"),
          .blocks([block(2, 0)]),
        ],
        [nothing("queueStream"), nothing("numbers")],
      ])
    #expect(numbered.description == "numbers-1")
  }

  @Test("A batch that runs again with what was taken in for it has what comes now, too")
  func restoredInput() throws {
    let lines = try bench.lines()
    let output = try CollectingOutput(lines.map(\.description))
    var assembler = LineAssembler(blockSize: 1000, maxLineLength: 1000)
    Array("old\n".utf8).withUnsafeBytes { assembler.append($0) }
    let block = assembler.takeBlock()
    let old = RDDNode.batches([[try #require(block)]], name: "old", context: bench.context)
    try bench.streaming.restoreInput(number: 0, time: BatchTime(milliseconds: 1000), rdd: old)
    try bench.streaming.resume(
      zero: BatchTime(milliseconds: 0), last: BatchTime(milliseconds: 0))
    try bench.streaming.start()
    bench.source.send(lines: ["new"])
    bench.advance(milliseconds: 2000)
    #expect(output.batches == [["old", "new"], []])
    #expect(bench.reports.map(\.recordCount) == [1, 0])
  }

  @Test("A range is chosen once, whoever asks, and none when nobody does")
  func once() throws {
    let node = try stream()
    let output = try CollectingOutput(DStream<String>(node, in: bench.streaming))
    let again = try CollectingOutput(DStream<String>(node, in: bench.streaming))
    _ = try bench.streaming.addRanged(Numbers(), name: "unused", read: Numbers.read)
    try bench.streaming.start()
    for count in [2, 0, 1] {
      numbers.add(count)
      bench.advance(milliseconds: 1000)
    }
    #expect(output.batches == [["0", "1"], [], ["2"]])
    #expect(again.batches == output.batches)
    #expect(numbers.asked == [1000, 2000, 3000])
  }

  @Test("Where a range cannot be chosen the batch goes on without, and the next one has it")
  func unavailable() throws {
    let node = try stream()
    let output = try CollectingOutput(DStream<String>(node, in: bench.streaming))
    try bench.streaming.start()
    numbers.add(1)
    numbers.fail(true)
    bench.advance(milliseconds: 1000)
    #expect(try #require(node.ranges).known.ranges.isEmpty)
    numbers.fail(false)
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [[], ["0"]])
  }

  @Test("What was chosen is remembered for as long as it matters, or is held")
  func memory() throws {
    let node = try stream()
    _ = try CollectingOutput(DStream<String>(node, in: bench.streaming))
    let ranges = try #require(node.ranges)
    func remembered() -> [Int64] { ranges.known.ranges.map(\.time.milliseconds) }
    try bench.streaming.start()
    bench.advance(milliseconds: 5000)
    #expect(remembered() == [3000, 4000, 5000])
    ranges.hold(BatchTime(milliseconds: 5000))
    bench.advance(milliseconds: 3000)
    #expect(remembered() == [3000, 4000, 5000, 6000, 7000, 8000])
    ranges.hold(BatchTime(milliseconds: 7000))
    bench.advance(milliseconds: 1000)
    #expect(remembered() == [5000, 6000, 7000, 8000, 9000])
  }

  @Test("A source goes on from what an earlier run had chosen")
  func goesOn() throws {
    let node = try stream()
    let output = try CollectingOutput(DStream<String>(node, in: bench.streaming))
    let range = SourceRange([SourceSplit(name: Array("n".utf8), offsets: 0..<2)])
    try #require(node.ranges).restore(
      PlannedRanges(since: 7, ranges: [(BatchTime(milliseconds: 1000), range)]))
    try bench.streaming.resume(
      zero: BatchTime(milliseconds: 0), last: BatchTime(milliseconds: 0))
    numbers.add(3)
    try bench.streaming.start()
    bench.advance(milliseconds: 2000)
    #expect(output.batches == [["0", "1"], ["2"]])
    #expect(numbers.asked == [2000])
    #expect(node.ranges?.known.since == 7)
  }

  @Test("Ranges are found by time, in whatever order they were added")
  func planned() {
    var planned = PlannedRanges(since: 0)
    func time(_ second: Int64) -> BatchTime { BatchTime(milliseconds: second * 1000) }
    for second in [2, 5, 3, 9, 1] as [Int64] {
      planned.add(
        SourceRange([SourceSplit(name: [], offsets: 0..<Int(second))]), at: time(second))
    }
    #expect(planned.ranges.map(\.time.milliseconds) == [1000, 2000, 3000, 5000, 9000])
    #expect(planned.range(at: time(3))?.splits.first?.offsets == 0..<3)
    for second in [0, 4, 10] as [Int64] { #expect(planned.range(at: time(second)) == nil) }
    planned.forget(before: time(4))
    #expect(planned.ranges.map(\.time.milliseconds) == [5000, 9000])
    planned.forget(before: time(1))
    #expect(planned.ranges.count == 2)
  }
}
