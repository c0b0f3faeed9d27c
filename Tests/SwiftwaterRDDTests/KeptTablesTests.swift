import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterRDD

@Suite struct KeptTablesTests {
  private let context = try! SparkContext(master: "local[2]", appName: "tables")
  private static let type = ColumnType.tuple([.integer, .integer])

  private func pairs(_ keys: some Sequence<Int>, first: Int = 0) -> Column {
    let keys = keys.map { Int64($0) }
    return .tuple(
      [
        .integer(Buffer(keys)),
        .integer(Buffer(keys.indices.map { Int64($0 + first) })),
      ], count: keys.count)
  }

  /// Columns in so many partitions.
  private func rdd(_ columns: [Column]) -> ColumnRDD {
    ColumnRDD(
      RDDNode.batches(
        columns.map { [ColumnBatch($0)] }, name: "given", context: context,
        recordType: Self.type),
      type: Self.type)
  }

  private func records(_ rdd: ColumnRDD) throws -> [String] {
    try context.runner().run(rdd.node, partitions: Array(0..<rdd.node.partitionCount)) { flow, _ in
      try flow.drained().flatMap { ($0 as! ColumnBatch).column.expanded().rowTexts }
    }.joined().map(\.self)
  }

  /// The side of a join's node that was moved from `table`.
  private func side(_ joined: ColumnRDD, _ number: Int) -> RDDNode {
    guard case .narrow(let node) = joined.node.dependencies[number] else {
      preconditionFailure("a join reads its sides")
    }
    return node
  }

  @Test("A table is divided once from its second join on")
  func dividedOnce() throws {
    let table = rdd([pairs(0..<100), pairs(50..<150)])
    var sides: [ObjectIdentifier] = []
    for number in 0..<5 {
      let joined = try rdd([pairs([number])]).join(table, partitions: 3)
      _ = try records(joined)
      let side = side(joined, 1)
      #expect((side.tableIndex != nil) == (number > 0))
      if number > 1 { sides.append(ObjectIdentifier(side)) }
    }
    #expect(Set(sides).count == 1)
  }

  @Test(
    "What is found is what a join of all records gives, in its order", arguments: [true, false])
  func results(isRight: Bool) throws {
    var random = SeededRandom()
    for _ in 0..<20 {
      let keys = (0..<Int.random(in: 0...200, using: &random)).map { _ in
        Int.random(in: 0...60, using: &random)
      }
      let columns = [pairs(keys), pairs(keys.reversed(), first: 1000)]
      let table = rdd(columns)
      for _ in 0..<4 {
        let kind = [HashJoin.Kind.inner, .leftOuter, .rightOuter, .fullOuter]
          .randomElement(using: &random)!
        let other = rdd([
          pairs(
            (0..<Int.random(in: 0...12, using: &random)).map { _ in
              Int.random(in: 0...80, using: &random)
            })
        ])
        func joined(_ table: ColumnRDD) throws -> [String] {
          let (left, right) = isRight ? (other, table) : (table, other)
          return try records(left.join(right, kind, partitions: 2))
        }
        // One that nobody has joined before.
        #expect(try joined(table) == joined(rdd(columns)), "seed \(random.seed)")
      }
    }
  }

  @Test("What is kept holds nothing of the table, and goes with it")
  func retention() throws {
    weak var node: RDDNode?
    weak var kept: RDDNode?
    do {
      let table = rdd([pairs(0..<100)])
      node = table.node
      for number in 0..<4 {
        let joined = try rdd([pairs([number])]).join(table, partitions: 2)
        #expect(try records(joined).count == 1)
        kept = side(joined, 1)
      }
      #expect(kept != nil)
    }
    #expect(node == nil)
    #expect(kept == nil)
  }

  @Test("A plan that is never run keeps nothing alive")
  func notRun() throws {
    weak var node: RDDNode?
    do {
      let table = rdd([pairs(0..<100)])
      node = table.node
      for _ in 0..<4 { _ = try rdd([pairs([1])]).join(table, partitions: 2) }
    }
    #expect(node == nil)
  }

  @Test("A table that fails is computed again for the next join")
  func failure() throws {
    let fails = Mutex(true)
    let column = pairs(0..<100)
    let node = RDDNode(name: "table", context: context, partitionCount: 1) { _, _ in
      if fails.withLock({ $0 }) { throw EngineError.illegalState("no") }
      return ArrayCursor([ColumnBatch(column)])
    }
    node.setCached(true)
    let table = ColumnRDD(node, type: Self.type)
    for number in 0..<6 {
      fails.withLock { $0 = number < 3 }
      let joined = try rdd([pairs([7])]).join(table, partitions: 2)
      if number < 3 {
        #expect(throws: EngineError.self) { try records(joined) }
      } else {
        #expect(try records(joined).count == 1)
      }
    }
  }

  @Test("What is computed anew is divided anew")
  func changing() throws {
    let computed = Mutex(0)
    let column = pairs(0..<100)
    let node = RDDNode(name: "table", context: context, partitionCount: 1) { _, _ in
      computed.withLock { $0 += 1 }
      return ArrayCursor([ColumnBatch(column)])
    }
    let table = ColumnRDD(node, type: Self.type)
    for number in 1...4 {
      #expect(try records(rdd([pairs([7])]).join(table, partitions: 2)).count == 1)
      #expect(computed.withLock { $0 } == number)
    }
    node.setCached(true)
    for _ in 0..<4 { #expect(try records(rdd([pairs([7])]).join(table, partitions: 2)).count == 1) }
    #expect(computed.withLock { $0 } == 5)
    node.setCached(false)
    #expect(try records(rdd([pairs([7])]).join(table, partitions: 2)).count == 1)
    #expect(computed.withLock { $0 } == 6)
  }
}

extension Column {
  /// Each row as text.
  fileprivate var rowTexts: [String] {
    switch self {
    case .integer(let values): return values.map { "\($0)" }
    case .optional(let validity, let values):
      return values.rowTexts.enumerated().map { validity[$0] ? $1 : "None" }
    case .tuple(let items, let count):
      let texts = items.map(\.rowTexts)
      return (0..<count).map { row in "(" + texts.map { $0[row] }.joined(separator: ", ") + ")" }
    default: return Array(repeating: "\(self)", count: count)
    }
  }
}
