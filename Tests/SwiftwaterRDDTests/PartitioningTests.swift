import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterTesting
import Testing

@testable import SwiftwaterRDD

/// What a plan is told of an input.
private struct Input: Partitioned, CustomStringConvertible {
  let partitionCount: Int
  let partitioner: Partitioner?
  /// Which function `partitioner` has, for the model: 0 is Spark's, -1 none.
  let kind: Int

  var description: String { "\(partitionCount) by \(kind)" }
}

/// A function that is equal to others of its number.
private final class Placing: UserFunction {
  let number: Int

  init(_ number: Int) { self.number = number }

  var language: any Language { EngineLanguage() }
  var identity: ObjectIdentifier { ObjectIdentifier(self) }
  var isOpen: Bool { false }
  var isBoundToDriver: Bool { true }
  func bindToDriver() {}
  func isSame(as other: any UserFunction) -> Bool { self === other }
  func isEqual(to other: any UserFunction) throws -> Bool {
    (other as? Placing)?.number == number
  }
}

@Suite struct PartitioningTests {
  private func input(_ count: Int, _ kind: Int) -> Input {
    let partitioner =
      kind < 0 || count == 0
      ? nil : Partitioner(count: count, function: kind == 0 ? nil : Placing(kind))
    return Input(
      partitionCount: count, partitioner: partitioner, kind: partitioner == nil ? -1 : kind)
  }

  private func inputs(_ random: inout SeededRandom, atLeast least: Int) -> [Input] {
    (0..<Int.random(in: least...4, using: &random)).map { _ in
      input(Int.random(in: 0...3, using: &random), Int.random(in: -1...2, using: &random))
    }
  }

  private func areAlike(_ one: Input, _ other: Input) -> Bool {
    one.kind >= 0 && one.kind == other.kind && one.partitionCount == other.partitionCount
  }

  @Test("Partitioners are equal whose functions are, whatever they were captured as")
  func equality() throws {
    let one = Partitioner(count: 2, function: Placing(1))
    #expect(try one.dividesAlike(Partitioner(count: 2, function: Placing(1))))
    #expect(try !one.dividesAlike(Partitioner(count: 2, function: Placing(2))))
    #expect(try !one.dividesAlike(Partitioner(count: 3, function: Placing(1))))
    #expect(try !one.dividesAlike(Partitioner(count: 2)))
    #expect(try Partitioner(count: 2).dividesAlike(Partitioner(count: 2)))
  }

  @Test("A union takes partitions together where all that have any are divided alike")
  func unions() throws {
    var random = SeededRandom()
    let seed = random.seed
    for _ in 0..<2000 {
      let all = inputs(&random, atLeast: 1)
      let filled = all.filter { $0.partitionCount > 0 }
      let plan = try UnionPlan(of: all)
      let isShared = filled.first.map { first in filled.allSatisfy { areAlike(first, $0) } }
      #expect(plan.isSideBySide == (isShared ?? false), "seed \(seed): \(all)")
      let total = all.reduce(0) { $0 + $1.partitionCount }
      #expect(
        plan.layout.count == (plan.isSideBySide ? filled[0].partitionCount : total),
        "seed \(seed): \(all)")
      let parts = (0..<plan.layout.count).flatMap { plan.layout.parts(of: $0) }
      #expect(parts.count == total, "seed \(seed): \(all)")
      #expect(Set(parts).count == total, "seed \(seed): \(all)")
    }
  }

  @Test("A join moves what is not divided as its result is")
  func joins() throws {
    var random = SeededRandom()
    let seed = random.seed
    for _ in 0..<2000 {
      let all = inputs(&random, atLeast: 2)
      let count = Int.random(in: 1...3, using: &random)
      let wanted = input(count, 0)
      let plan = try JoinPlan(of: all, into: count, unitesAlike: true)
      #expect(plan.partitioner.count == count)
      let expected: JoinPlan.Way =
        areAlike(all[0], all[1]) && !areAlike(all[0], wanted)
        ? .united : .sideBySide(moves: all.map { !areAlike($0, wanted) })
      #expect(plan.way == expected, "seed \(seed): \(all) into \(count)")
      let alone = try JoinPlan(of: all, into: count, unitesAlike: false)
      #expect(alone.way == .sideBySide(moves: all.map { !areAlike($0, wanted) }))
    }
  }

  @Test("A join has as many partitions as the union of its inputs, taken one by one")
  func counts() throws {
    let cases: [([(Int, Int)], Int)] = [
      ([(2, -1), (3, -1)], 5), ([(3, 0), (3, 0)], 3), ([(3, 1), (3, 1)], 3), ([(3, 1), (3, 2)], 6),
      ([(3, 0), (2, 0)], 5), ([(0, -1), (2, -1)], 2), ([(0, -1), (3, 0), (3, 0)], 3),
      ([(3, 0), (3, 0), (2, -1), (3, 0)], 8), ([(3, 0), (2, -1), (3, 0)], 8), ([(0, -1)], 0),
    ]
    for (given, expected) in cases {
      let all = given.map { input($0.0, $0.1) }
      #expect(try UnionPlan.partitionCount(of: all) == expected, "\(all)")
    }
  }

  @Test("An operator says what its records are divided by")
  func operators() {
    let known = Partitioner(count: 3)
    let place = OperatorPlace(name: "x")
    func divided(_ operator: Operator) -> Int? { `operator`.partitioner(over: known)?.count }
    func step(_ kind: RecordStep.Kind, keepsKeys: Bool = false) -> RecordStep {
      RecordStep(kind, Placing(1), at: place, keepsKeys: keepsKeys)
    }
    let steps: [([RecordStep], Int?)] = [
      ([step(.filter), step(.mapValues), step(.flatMapValues)], 3),
      ([step(.map)], nil), ([step(.map, keepsKeys: true)], 3), ([step(.flatMap)], nil),
      ([step(.mapPartitions)], nil), ([step(.mapPartitions, keepsKeys: true)], 3),
      ([step(.filter), step(.map), step(.filter)], nil),
    ]
    for (steps, expected) in steps {
      #expect(divided(.records(StepRun(steps))) == expected)
      #expect(StepRun([step(.filter)]).appending(steps).keepsKeys == (expected != nil))
    }
    let combination = CombineByKey(
      mergeValue: Placing(1), mergeCombiners: Placing(1), partitioner: Partitioner(count: 2),
      at: place)
    #expect(divided(.combineByKey(combination)) == 2)
    #expect(divided(.combineLocally(combination)) == 3)
    #expect(
      divided(.partitionBy(PartitionByKey(.init(count: 4), in: EngineLanguage(), at: place))) == 4)
    #expect(divided(.layout(.union(of: [3]))) == nil)
    #expect(divided(.layout(.neighbours(of: 3, in: 3))) == nil)
    #expect(divided(.layout(.sideBySide(of: 2, in: 3, partitioner: known))) == 3)
    #expect(divided(.zipPartitions(ZipPartitions(Layout([]), nil, form: nil, at: place))) == nil)
    #expect(divided(.stored) == nil)
  }

  @Test("What a node is divided by outlives its lineage")
  func stored() throws {
    let context = try SparkContext(master: "local", appName: "partitioners")
    let sums = context.parallelize([("a", 1), ("b", 2)]).reduceByKey(partitions: 2, +)
    #expect(sums.node.partitioner?.count == 2)
    #expect(sums.mapValues { $0 + 1 }.node.partitioner?.count == 2)
    #expect(sums.filter { $0.1 > 1 }.node.partitioner?.count == 2)
    #expect(sums.map { $0 }.node.partitioner == nil)
    try sums.node.store(with: context.runner())
    #expect(sums.node.partitioner?.count == 2)
    let both = sums.union(sums.mapValues { -$0 })
    #expect(both.partitionCount == 2)
    #expect(try both.collect().map(\.1).sorted() == [-2, -1, 1, 2])
  }

  @Test("A join of columns reads what is divided already as it is")
  func columns() throws {
    let context = try SparkContext(master: "local", appName: "partitioners")
    func pairs(_ keys: [Int64]) -> ColumnRDD {
      let column = Column.tuple(
        [.integer(Buffer(keys)), .integer(Buffer(keys))], count: keys.count)
      return ColumnRDD(
        RDDNode.batches([[ColumnBatch(column)]], name: "given", context: context),
        type: column.type)
    }
    let sums = try pairs([1, 2, 1]).reduceByKey(partitions: 2) { $0 + $1 }
    let other = pairs([2, 3])
    for (left, right, count, shuffles) in [
      (sums, sums, 2, 0), (sums, other, 2, 1), (other, sums, 2, 1), (sums, sums, 3, 2),
    ] {
      let joined = try left.join(right, partitions: count)
      let moved = joined.node.dependencies.count { dependency in
        guard case .narrow(let side) = dependency else { return false }
        return side.name == "join"
      }
      #expect(moved == shuffles)
      #expect(joined.node.partitioner?.count == count)
    }
  }
}
