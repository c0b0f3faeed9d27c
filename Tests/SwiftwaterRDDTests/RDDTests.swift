import SwiftwaterCore
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterRDD

@Suite struct RDDTests {
  private let context = try! SparkContext(master: "local[3]", appName: "tests")

  @Test(
    "Slices are Spark's",
    arguments: [
      (5, 2, [[0, 1], [2, 3, 4]]), (3, 4, [[], [0], [1], [2]]), (0, 2, [[], []]),
      (4, 1, [[0, 1, 2, 3]]),
    ])
  func slices(count: Int, slices: Int, expected: [[Int]]) throws {
    let rdd = context.parallelize(0..<count, slices: slices)
    #expect(try partitions(of: rdd) == expected)
  }

  @Test func operators() throws {
    let numbers = context.parallelize(1...6, slices: 3)
    #expect(try numbers.map { $0 * 10 }.collect() == [10, 20, 30, 40, 50, 60])
    #expect(try numbers.filter { $0.isMultiple(of: 2) }.collect() == [2, 4, 6])
    let repeated = numbers.flatMap { Array(repeating: $0, count: $0 % 3) }
    #expect(try repeated.collect() == [1, 2, 2, 4, 5, 5])
    #expect(try numbers.count() == 6)
    #expect(try numbers.reduce(+) == 21)
    #expect(try context.parallelize([Int](), slices: 2).reduce(+) == nil)
  }

  @Test func union() throws {
    let both = context.parallelize([1, 2], slices: 2).union(context.parallelize([3], slices: 1))
    #expect(both.partitionCount == 3)
    #expect(try both.collect() == [1, 2, 3])
  }

  @Test("take computes no more partitions than it needs: one, then four times as many")
  func take() throws {
    let computed = Mutex<[Int]>([])
    let node = RDDNode(name: "probe", context: context, partitionCount: 12) {
      partition, _ in
      computed.withLock { $0.append(partition) }
      return ArrayCursor([ValueBatch([partition])])
    }
    let rdd = RDD<Int>(node)
    #expect(try rdd.take(1) == [0])
    #expect(computed.withLock { $0 } == [0])
    #expect(try rdd.take(3) == [0, 1, 2])
    // One more, which holds one record, then a guess: half as much again as is missing.
    #expect(computed.withLock { $0.sorted() } == [0, 0, 1, 2, 3])
    #expect(try rdd.take(100) == Array(0..<12))
    #expect(try rdd.take(0) == [])
  }

  @Test("What is cached is computed once, and again after it is forgotten")
  func cache() throws {
    let computations = Mutex(0)
    let rdd = context.parallelize(1...4, slices: 2).map { number in
      computations.withLock { $0 += 1 }
      return number
    }.cache()
    for _ in 0..<3 { #expect(try rdd.collect() == [1, 2, 3, 4]) }
    #expect(computations.withLock { $0 } == 4)
    rdd.node.setCached(false)
    #expect(try rdd.count() == 4)
    #expect(computations.withLock { $0 } == 8)
  }

  @Test("Keys stay in first-seen order, in the partition that Spark gives them")
  func reduceByKey() throws {
    let words = "the cat the dog a cat the end".split(separator: " ").map(String.init)
    let counts = context.parallelize(words, slices: 3).map { ($0, 1) }.reduceByKey(partitions: 2, +)
    let parts = try partitions(of: counts).map { $0.map { "\($0.0) \($0.1)" } }
    for (index, part) in parts.enumerated() {
      let expected = ["the 3", "cat 2", "dog 1", "a 1", "end 1"].filter { entry in
        let word = String(entry.split(separator: " ")[0])
        return ((word.portableHash % 2) + 2) % 2 == index
      }
      #expect(part == expected)
    }
  }

  @Test("A shuffle is computed once, however many jobs read it")
  func shuffleOnce() throws {
    let computations = Mutex(0)
    let reduced = context.parallelize(1...10, slices: 2).map { number in
      computations.withLock { $0 += 1 }
      return (number % 3, number)
    }.reduceByKey(+)
    let first = try reduced.collect().map { $0.1 }.sorted()
    #expect(try reduced.collect().map { $0.1 }.sorted() == first)
    #expect(first == [15, 18, 22])
    #expect(computations.withLock { $0 } == 10)
  }

  struct Failure: Error, Equatable { let partition: Int }

  @Test("The first failing partition's error comes out, and the next job works")
  func errors() throws {
    let rdd = context.parallelize(0..<8, slices: 8).map { number in
      if number >= 3 { throw Failure(partition: number) }
      return number
    }
    for _ in 0..<50 {
      let error = #expect(throws: Failure.self) { try rdd.collect() }
      #expect(error?.partition ?? 0 >= 3)
    }
    #expect(try rdd.take(1) == [0])
  }

  @Test("A shuffle whose map side failed is computed again by the next job")
  func failedShuffle() throws {
    let failing = Mutex(true)
    let reduced = context.parallelize(1...4, slices: 2).map { number in
      if failing.withLock({ $0 }) { throw Failure(partition: 0) }
      return (number % 2, number)
    }.reduceByKey(partitions: 1, +)
    #expect(throws: Failure.self) { try reduced.collect() }
    failing.withLock { $0 = false }
    #expect(try reduced.collect().map(\.1) == [4, 6])
  }

  @Test("A lineage that grows with every batch holds no more than its last shuffle")
  func growingLineage() throws {
    let alive = Mutex(0)
    final class Token: Sendable {
      let alive: @Sendable (Int) -> Void
      init(_ alive: @escaping @Sendable (Int) -> Void) {
        self.alive = alive
        alive(1)
      }
      deinit { alive(-1) }
    }
    let count: @Sendable (Int) -> Void = { change in alive.withLock { $0 += change } }
    var state = context.parallelize([(1, 1)], slices: 1)
    for _ in 0..<20_000 {
      let token = Token(count)
      state = state.map { pair in
        withExtendedLifetime(token) { pair }
      }.reduceByKey(partitions: 1, +)
      #expect(try state.count() == 1)
    }
    #expect(alive.withLock { $0 } <= 2)
  }

  @Test("Work that is bound to the calling thread runs there, in order")
  func placement() throws {
    let order = Mutex<[Int]>([])
    let node = RDDNode(
      name: "bound", context: context, partitionCount: 6,
      placement: .callingThread
    ) { partition, _ in
      order.withLock { $0.append(partition) }
      return ArrayCursor([ValueBatch([partition])])
    }
    #expect(try RDD<Int>(node).map { $0 + 1 }.collect() == [1, 2, 3, 4, 5, 6])
    #expect(order.withLock { $0 } == [0, 1, 2, 3, 4, 5])
  }

  @Test func cancelled() throws {
    let cancellation = Cancellation()
    cancellation.cancel("enough")
    #expect(throws: EngineError.self) {
      try context.runner(cancellation: cancellation)
        .run(context.parallelize(1...2).node, partitions: [0]) { _, _ in 0 }
    }
  }

  @Test("Random word counts: the same as counted one by one, for every number of partitions")
  func randomCounts() throws {
    var random = SeededRandom()
    let seed = random.seed
    for _ in 0..<200 {
      let words = (0..<Int.random(in: 0...60, using: &random)).map { _ in
        String("abcdeé€😀".randomElement(using: &random)!)
      }
      let slices = Int.random(in: 1...5, using: &random)
      let buckets = Int.random(in: 1...4, using: &random)
      let counted = try context.parallelize(words, slices: slices).map { ($0, 1) }
        .reduceByKey(partitions: buckets, +).collect()
      let expected = Dictionary(words.map { ($0, 1) }, uniquingKeysWith: +)
      #expect(Dictionary(uniqueKeysWithValues: counted) == expected, "seed \(seed)")
    }
  }

  private func partitions<Element: Sendable>(of rdd: RDD<Element>) throws -> [[Element]] {
    try context.runner().run(rdd.node, partitions: Array(0..<rdd.partitionCount)) { cursor, _ in
      var elements: [Element] = []
      while let batch = try cursor.next() {
        RDD<Element>.elements(of: batch).forEachElement { elements.append($0) }
      }
      return elements
    }
  }
}
