import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterTesting
import Testing

@testable import SwiftwaterRDD

@Suite struct ColumnRDDTests {
  /// An RDD of lines, in so many partitions.
  private func lines(_ lines: [String], partitions: Int = 2, threads: Int = 2) throws -> RDD<
    TextLine
  > {
    let context = try SparkContext(master: "local[\(threads)]", appName: "columns")
    let blocks = (0..<partitions).map { index -> [any RecordBatch] in
      let range = (index * lines.count / partitions)..<((index + 1) * lines.count / partitions)
      var assembler = LineAssembler(blockSize: 1 << 20, maxLineLength: 1 << 20)
      for line in lines[range] {
        Array((line + "\n").utf8).withUnsafeBytes { assembler.append($0) }
      }
      return assembler.takeBlock().map { [$0] } ?? []
    }
    return RDD(
      RDDNode.batches(blocks, name: "lines", context: context, recordType: .text))
  }

  @Test("Words are counted as a dictionary counts them, in first-seen order", arguments: [1, 2, 5])
  func wordCount(partitions: Int) throws {
    var random = SeededRandom()
    let words = ["a", "be", "longer than a view", "é", "日本", ""]
    let text = (0..<200).map { _ in
      (0..<Int.random(in: 0...8, using: &random)).map { _ in words.randomElement(using: &random)! }
        .joined(separator: ",")
    }
    var expected: [String: Int] = [:]
    var order: [String] = []
    for line in text {
      for word in line.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
        if expected[word] == nil { order.append(word) }
        expected[word, default: 0] += 1
      }
    }
    let counts = try lines(text, partitions: partitions).columns
      .flatMap { $0.split(",") }
      .map { [$0, 1] }
      .reduceByKey(partitions: 1) { $0 + $1 }
      .pairs(of: String.self, Int.self).collect()
    #expect(counts.map(\.0) == order, "seed \(random.seed)")
    #expect(counts.map(\.1) == order.map { expected[$0]! }, "seed \(random.seed)")
  }

  @Test("Fields are taken, filtered and averaged")
  func fields() throws {
    let log = ["a 200 10", "b 404 7", "a 201 5", "c 500 1", "b 299 2"]
    let averages = try lines(log).columns
      .map { $0.split(" ") }
      .filter { $0[1].integer >= 200 && $0[1].integer < 300 }
      .map { [$0[0], [$0[2].integer, 1]] }
      .reduceByKey(partitions: 1) { [$0[0] + $1[0], $0[1] + $1[1]] }
      .mapValues { $0[0] / $0[1] }
      .pairs(of: String.self, Double.self).collect()
    #expect(averages.map(\.0) == ["a", "b"])
    #expect(averages.map(\.1) == [7.5, 2])
  }

  @Test("What makes no sense for the type is refused when it is built")
  func refused() throws {
    let columns = try lines(["a"]).columns
    #expect(throws: Refusal.self) { try columns.map { $0 + 1 } }
    #expect(throws: Refusal.self) { try columns.mapValues { $0 } }
    #expect(throws: Refusal.self) { try columns.flatMap { $0 } }
    #expect(throws: Refusal.self) { try columns.values(of: Int.self) }
    #expect(throws: Refusal.self) { try columns.map { [$0, $0] }.reduceByKey { $0 + $1 } }
  }

  @Test("A record that cannot be computed is an error that says so")
  func wrongRecord() throws {
    let numbers = try lines(["1", "x"], partitions: 1).columns.map { $0.integer }
    #expect(throws: EngineError.self) { try numbers.values(of: Int.self).collect() }
  }

  @Test("The same records in fewer partitions, in the same order")
  func coalesced() throws {
    let text = (0..<50).map { "line \($0)" }
    let rdd = try lines(text, partitions: 7)
    for count in [1, 2, 3, 7, 20] {
      let fewer = RDD<TextLine>(rdd.node.coalesced(to: count))
      #expect(fewer.partitionCount == min(count, 7))
      #expect(try fewer.collect().map(\.description) == text)
    }
  }
}
