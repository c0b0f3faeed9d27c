import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterRDD
import SwiftwaterTesting
import Testing

/// A language with objects of its own: lines that it holds as Swift strings. It shows that a stage
/// needs nothing but its inputs and a task, and what a language has to supply.
private struct Words: Language {
  var name: String { "Words" }
  var placement: TaskPlacement { .oneAtATime }

  static func strings(_ batch: any RecordBatch) -> [String] {
    switch batch {
    case let block as TextBlock:
      var lines: [String] = []
      block.forEachElement { lines.append($0.description) }
      return lines
    case let batch as ValueBatch<String>: return batch.elements
    default: preconditionFailure("records of \(type(of: batch))")
    }
  }

  func cursor(over rest: Rest, _ task: TaskContext) throws -> any BatchCursor {
    ClosureCursor {
      guard let batch = try rest.input.next() else { return nil }
      var records = Self.strings(batch)
      for step in rest.steps {
        guard let function = step.function as? WordFunction else { return nil }
        switch step.kind {
        case .filter: records = try records.filter { try function.body($0) == "yes" }
        default: records = try records.map(function.body)
        }
      }
      return ValueBatch(records)
    }
  }

  func combined(
    _ rest: Rest, _ combination: CombineByKey, divided: [[any RecordBatch]], _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    let records = try cursor(over: rest, task)
    var counts: [(String, Int)] = []
    while let batch = try records.next() {
      for word in Self.strings(batch) {
        if let place = counts.firstIndex(where: { $0.0 == word }) {
          counts[place].1 += 1
        } else {
          counts.append((word, 1))
        }
      }
    }
    return (0..<combination.partitioner.count).map { bucket in
      let part = counts.filter { $0.0.count % combination.partitioner.count == bucket }
      return part.isEmpty ? [] : [ValueBatch(part.map { "\($0.0)=\($0.1)" })]
    }
  }

  func merged(
    _ parts: [any RecordBatch], _ combination: CombineByKey, _ task: TaskContext
  ) throws -> any BatchCursor {
    ArrayCursor([ValueBatch(parts.flatMap(Self.strings))])
  }

  func divided(
    _ rest: Rest, _ division: PartitionByKey, _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    [[ValueBatch(try cursor(over: rest, task).drained().flatMap(Self.strings))]]
  }

  func zipped(
    _ inputs: [any BatchCursor], _ zip: ZipPartitions, partition: Int, _ task: TaskContext
  ) throws -> any BatchCursor {
    let sides = try inputs.map { try $0.drained().flatMap(Self.strings) }
    return ArrayCursor([ValueBatch(["\(partition):"] + zipLongest(sides))])
  }

  private func zipLongest(_ sides: [[String]]) -> [String] {
    (0..<(sides.map(\.count).max() ?? 0)).map { row in
      sides.map { row < $0.count ? $0[row] : "-" }.joined(separator: "+")
    }
  }
}

private final class WordFunction: UserFunction {
  let body: @Sendable (String) throws -> String

  init(_ body: @escaping @Sendable (String) throws -> String) { self.body = body }

  var language: any Language { Words() }
  var identity: ObjectIdentifier { ObjectIdentifier(self) }
  var isOpen: Bool { false }
  var isBoundToDriver: Bool { false }
  func bindToDriver() {}
  func isSame(as other: any UserFunction) -> Bool { self === other }
}

private struct Unwatched: TaskWatch {
  func check() {}
}

@Suite struct StageTests {
  private let shout = RecordStep(.map, WordFunction { $0.uppercased() }, at: .init(name: "map"))
  private let short = RecordStep(
    .filter, WordFunction { $0.count < 3 ? "yes" : "no" }, at: .init(name: "filter"))
  private var counting: CombineByKey {
    let function = WordFunction { $0 }
    return CombineByKey(
      mergeValue: function, mergeCombiners: function, partitioner: Partitioner(count: 2),
      at: .init(name: "count"))
  }

  /// Runs a program, and gives the records of each bucket and the count.
  private func run(
    _ steps: [StageStep], _ end: StageEnd, over inputs: [[String]], partitions: [Int] = [0]
  ) throws -> (buckets: [Int: [String]], count: Int) {
    let stage = LoadedStage(
      StageProgram(inputCount: inputs.count, readsText: false, steps: steps, end: end),
      isLowering: true)
    let task = TaskContext(
      partition: 0, stage: 0, attempt: 0, isLowering: true, watch: Unwatched())
    var buckets: [Int: [String]] = [:]
    let count = try stage.run(
      inputs.map { ArrayCursor([ValueBatch($0)]) }, partitions: partitions, task: task
    ) { bucket, batch in
      buckets[bucket, default: []] += Words.strings(batch)
    }
    return (buckets, count)
  }

  @Test("Steps run one behind the other, without a context")
  func steps() throws {
    let found = try run([.records([shout, short])], .batches, over: [["a", "long", "bc"]])
    #expect(found.buckets == [0: ["A", "BC"]])
  }

  @Test("Records are counted, combined and divided at the end of a stage")
  func ends() throws {
    let words = ["a", "bb", "a", "ccc"]
    #expect(try run([.records([short])], .count, over: [words]).count == 3)
    #expect(try run([], .count, over: [words]).count == 4)
    let combined = try run([.records([shout])], .combine(counting), over: [words])
    #expect(combined.buckets == [0: ["BB=1"], 1: ["A=2", "CCC=1"]])
    let division = PartitionByKey(Partitioner(count: 1), in: Words(), at: .init(name: "divide"))
    #expect(try run([], .partition(division), over: [words]).buckets == [0: words])
  }

  @Test("A partition is made of several, and what follows has another number")
  func zipped() throws {
    let zip = ZipPartitions(
      Layout([]), WordFunction { $0 }, form: nil, at: .init(name: "zip"))
    let found = try run(
      [.zip(zip), .renumber, .records([shout])], .batches, over: [["a", "b"], ["c"]],
      partitions: [7, 3])
    #expect(found.buckets == [0: ["7:", "A+C", "B+-"]])
  }

  @Test("Parts of one partition are merged")
  func merged() throws {
    let found = try run([.merge(counting)], .batches, over: [["a=1"]])
    #expect(found.buckets == [0: ["a=1"]])
  }

  @Test("A stage that is given other inputs than it has says so")
  func wrongInputs() throws {
    #expect(throws: EngineError.self) {
      try run([.records([shout])], .batches, over: [["a"]], partitions: [0, 1])
    }
  }

  @Test("The same language in a plan: steps, a shuffle, and what is cached")
  func planned() throws {
    let context = try SparkContext(master: "local[2]", appName: "tests")
    let node = context.parallelize(["a", "bb", "a", "ccc"], slices: 1).node
    let counted = try node.applying([shout]).combined(counting)
    #expect(try RDD<String>(counted).collect() == ["BB=1", "A=2", "CCC=1"])
    #expect(counted.placement == .oneAtATime)
    let words = node.applying([shout]).applying([short])
    guard case .records(let run) = words.operator else {
      Issue.record("steps of one language are fused")
      return
    }
    #expect(run.count == 2)
    #expect(try RDD<String>(words).collect() == ["A", "BB", "A"])
  }
}
