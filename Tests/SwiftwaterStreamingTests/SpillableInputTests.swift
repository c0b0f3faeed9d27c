import SwiftwaterKernels
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterCore
@testable import SwiftwaterStreaming

/// A source of one block a batch, which knows what has become of its blocks.
private final class WatchedSource: PushedSource {
  private struct Reference: Sendable { weak var block: TextBlock? }
  private let given = Mutex<[Reference]>([])

  func start(clock: any EngineClock) {}

  func allocate() -> Allocation {
    var assembler = LineAssembler(blockSize: 1000, maxLineLength: 1000)
    Array("batch \(given.withLock { $0.count } + 1)\n".utf8).withUnsafeBytes {
      assembler.append($0)
    }
    let block = assembler.takeBlock()!
    given.withLock { $0.append(Reference(block: block)) }
    return Allocation(blocks: [block], reportedCount: 1)
  }

  func stop(_ whenStopped: @escaping @Sendable () -> Void) { whenStopped() }

  var holdsUntaken: Bool { false }

  /// The batches whose blocks are still in memory, the first one is 1.
  var inMemory: [Int] {
    given.withLock { $0 }.enumerated().filter { $1.block != nil }.map { $0.offset + 1 }
  }
}

@Suite struct SpillableInputTests {
  private let bench: Bench
  private let source = WatchedSource()
  private let lines: DStream<TextLine>

  init() throws {
    bench = try Bench()
    lines = DStream(
      try bench.streaming.addInput(name: "watched", source: source), in: bench.streaming)
  }

  private func window<Element>(
    of stream: DStream<Element>, length: Int64, slide: Int64
  ) throws -> DStream<Element> {
    let parent = stream.node
    let node = try bench.streaming.addNode(
      name: "window", slide: BatchInterval(milliseconds: slide), parents: [parent],
      reach: Reach(parents: [length - 1000])
    ) { generation in
      var rdds: [RDDNode] = []
      var time = BatchTime(milliseconds: generation.time.milliseconds - length + 1000)
      while time <= generation.time {
        if let rdd = try generation.rdd(of: parent, at: time) { rdds.append(rdd) }
        time = time + parent.slide
      }
      return RDDNode.union(of: rdds, context: generation.context)
    }
    return DStream(node, in: bench.streaming)
  }

  private func names(_ batches: ClosedRange<Int>) -> [String] { batches.map { "batch \($0)" } }

  @Test("Text of which a window keeps everything it needs goes with its batch")
  func letGo() throws {
    let texts = try lines.map(\.description)
    let output = try CollectingOutput(window(of: texts, length: 3000, slide: 1000))
    try bench.streaming.start()
    bench.advance(milliseconds: 5000)
    #expect(output.batches.last == names(3...5))
    #expect(source.inMemory == [])
  }

  @Test("Text that a window has not asked for yet stays until then")
  func slide() throws {
    let texts = try lines.map(\.description)
    let output = try CollectingOutput(window(of: texts, length: 4000, slide: 2000))
    try bench.streaming.start()
    bench.advance(milliseconds: 1000)
    #expect(source.inMemory == [1])
    bench.advance(milliseconds: 4000)
    #expect(output.batches == [names(1...2), names(1...4)])
    #expect(source.inMemory == [5])
  }

  @Test("Text stays where a window was not computed")
  func notComputed() throws {
    let texts = try lines.map(\.description)
    try window(of: texts, length: 3000, slide: 1000).foreachRDD { rdd, time in
      if time.milliseconds == 4000 { _ = try rdd.count() }
    }
    try bench.streaming.start()
    bench.advance(milliseconds: 3000)
    #expect(source.inMemory == [2, 3])
    bench.advance(milliseconds: 2000)
    #expect(source.inMemory == [5])
  }

  @Test("A window over the text itself keeps each block once, and no longer than it looks back")
  func ofText() throws {
    let output = try CollectingOutput(
      window(of: lines, length: 3000, slide: 1000).map(\.description))
    try bench.streaming.start()
    bench.advance(milliseconds: 5000)
    #expect(output.batches.last == names(3...5))
    #expect(source.inMemory == [4, 5])
  }

  @Test("What is to be remembered stays, with what it is made of")
  func remember() throws {
    let texts = try lines.map(\.description)
    try texts.foreachRDD { _, _ in }
    try bench.streaming.remember(milliseconds: 3000)
    try bench.streaming.start()
    bench.advance(milliseconds: 5000)
    #expect(source.inMemory == [3, 4, 5])
    let old = bench.streaming.rememberedRDD(of: texts.node, at: BatchTime(milliseconds: 3000))
    #expect(try RDD<String>(#require(old)).collect() == ["batch 3"])
  }

  @Test("A stream that was let go of has no RDD at that time")
  func forgotten() throws {
    let texts = try lines.map(\.description)
    _ = try CollectingOutput(window(of: texts, length: 3000, slide: 1000))
    try bench.streaming.start()
    bench.advance(milliseconds: 4000)
    for time in [3000, 4000] as [Int64] {
      let time = BatchTime(milliseconds: time)
      #expect(bench.streaming.rememberedRDD(of: lines.node, at: time) == nil)
      #expect(bench.streaming.rememberedRDD(of: texts.node, at: time) != nil)
    }
  }

  @Test("A kept block is the same in memory and on disk, and does not hold its receiver back")
  func spilling() throws {
    let budget = BufferBudget(limit: 1 << 20)
    var assembler = LineAssembler(blockSize: 1000, maxLineLength: 1000)
    Array("one\r\ntwo é\n\nthree\n".utf8).withUnsafeBytes { assembler.append($0) }
    let held = SpillableText(assembler.takeBlock(lease: { budget.take($0) })!)
    func lines() throws -> [String] {
      var lines: [String] = []
      try #require(held.loaded() as? TextBlock).forEachElement { lines.append($0.description) }
      return lines
    }
    let before = try lines()
    #expect(budget.held > 0)
    try held.spill()
    #expect(budget.held == 0)
    #expect(try lines() == before)
    #expect(before == ["one", "two é", "", "three"])
    #expect(held.recordCount == 4)
  }
}
