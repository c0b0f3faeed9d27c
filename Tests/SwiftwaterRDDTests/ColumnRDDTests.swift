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

  @Test("Values are grouped by key, in their order", arguments: [1, 3])
  func grouped(partitions: Int) throws {
    let words = ["b 1", "a 2", "b 3", "c 4", "a 5", "b 6"]
    let groups = try lines(words, partitions: partitions).columns
      .map { $0.split(" ") }
      .map { [$0[0], $0[1].integer] }
      .groupByKey(partitions: 1)
      .pairs(of: String.self, [Int].self).collect()
    #expect(groups.map(\.0) == ["b", "a", "c"])
    #expect(groups.map(\.1) == [[1, 3, 6], [2, 5], [4]])
  }

  @Test("Pairs are joined and sorted")
  func joinedAndSorted() throws {
    let context = lines
    let pairs = { (texts: [String]) in
      try context(texts, 2, 2).columns.map { $0.split(" ") }.map { [$0[0], $0[1].integer] }
    }
    let ages = try pairs(["bob 40", "ann 30", "ann 31"])
    let sizes = try pairs(["ann 160", "cem 180"])
    let sums = try ages.join(sizes).mapValues { $0[0] + $0[1] }.sortByKey()
      .pairs(of: String.self, Int.self).collect()
    #expect(sums.map(\.0) == ["ann", "ann"])
    #expect(sums.map(\.1) == [190, 191])
    let all = try ages.join(sizes, .fullOuter).mapValues { $0[1] }.sortByKey(ascending: false)
      .pairs(of: String.self, Int?.self).collect()
    #expect(all.map(\.0) == ["cem", "bob", "ann", "ann"])
    #expect(all.map(\.1) == [180, nil, 160, 160])
    #expect(throws: Refusal.self) { try ages.join(ages.map { $0[0] }) }
    #expect(throws: Refusal.self) { try ages.map { [$0[0].split(" "), $0[1]] }.sortByKey() }
  }
}
