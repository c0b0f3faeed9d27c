import SwiftwaterCore
import Synchronization
import Testing

@testable import SwiftwaterRDD

@Suite struct LineageTests {
  private let context = try! SparkContext(master: "local[2]", appName: "tests")

  private func counted(_ computations: Mutex<Int>.Counter, partitions: Int) -> RDDNode {
    RDDNode(name: "counted", context: context, partitionCount: partitions) {
      partition, _ in
      computations.add()
      return ArrayCursor([ValueBatch([partition])])
    }
  }

  @Test("What is stored is computed once, partition by partition, and stands on nothing")
  func store() throws {
    let computations = Mutex<Int>.Counter()
    let source = counted(computations, partitions: 3)
    let node = RDDNode.union(of: [source, source], context: context)
    node.setCached(true)
    #expect(try RDD<Int>(node).take(1) == [0])
    try node.store(with: context.runner())
    #expect(computations.value == 6)
    #expect(node.dependencies.isEmpty)
    #expect(!node.dependsOn(source))
    // There is nothing to compute it from any more: it is not forgotten.
    node.setCached(false)
    #expect(try RDD<Int>(node).collect() == [0, 1, 2, 0, 1, 2])
    #expect(computations.value == 6)
  }

  @Test("After a failed store the lineage is there for the next try")
  func failingStore() throws {
    let isFailing = Mutex(true)
    let node = RDDNode(name: "fails", context: context, partitionCount: 2) {
      partition, _ in
      if partition == 1 && isFailing.withLock({ $0 }) { throw EngineError.illegalState("no") }
      return ArrayCursor([ValueBatch([partition])])
    }
    #expect(throws: EngineError.self) { try node.store(with: context.runner()) }
    isFailing.withLock { $0 = false }
    try node.store(with: context.runner())
    #expect(try RDD<Int>(node).collect() == [0, 1])
  }

  @Test("A cut lineage reads from its replacement")
  func cut() throws {
    let computations = Mutex<Int>.Counter()
    let source = counted(computations, partitions: 2)
    let node = RDD<Int>(source).map { $0 }.node
    let replacement = context.parallelize([7, 8], slices: 2).node
    #expect(node.dependsOn(source))
    node.cutLineage(readingFrom: replacement)
    #expect(!node.dependsOn(source))
    #expect(node.dependsOn(replacement))
    #expect(try RDD<Int>(node).collect() == [7, 8])
    #expect(computations.value == 0)
  }

  @Test("A task knows which it is; outside there is none")
  func tasks() throws {
    let seen = Mutex<[TaskContext]>([])
    let node = RDDNode(name: "asks", context: context, partitionCount: 3) {
      _, _ in
      if let current = TaskContext.current { seen.withLock { $0.append(current) } }
      return ArrayCursor([])
    }
    _ = try RDD<Int>(node).count()
    _ = try RDD<Int>(node).count()
    let tasks = seen.withLock { $0 }
    #expect(tasks.map(\.partition).sorted() == [0, 0, 1, 1, 2, 2])
    #expect(Set(tasks.map(\.attempt)).count == 6)
    #expect(Set(tasks.map(\.stage)).count == 2)
    #expect(TaskContext.current == nil)
  }
}

extension Mutex<Int> {
  /// A number that several threads count up.
  final class Counter: Sendable {
    private let count = Mutex(0)
    func add() { count.withLock { $0 += 1 } }
    var value: Int { count.withLock { $0 } }
  }
}
