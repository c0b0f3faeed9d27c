import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct HashJoinTests {
  private typealias Pair = (key: Int64, value: Int64)

  private func column(_ pairs: [Pair]) -> Column {
    .tuple(
      [.integer(Buffer(pairs.map(\.key))), .integer(Buffer(pairs.map(\.value)))],
      count: pairs.count)
  }

  private func optional(_ column: Column) -> [Int64?] {
    switch column {
    case .integer(let values): return values.map { $0 }
    case .optional(let validity, let values):
      return optional(values).enumerated().map { validity[$0] ? $1 : nil }
    default: return []
    }
  }

  /// Key by key, in the order in which they are first seen.
  private func joined(_ kind: HashJoin.Kind, _ left: [Pair], _ right: [Pair]) -> [[Int64?]] {
    var keys: [Int64] = []
    for pair in left + right where !keys.contains(pair.key) { keys.append(pair.key) }
    return keys.flatMap { key -> [[Int64?]] in
      func values(_ pairs: [Pair], orNone: Bool) -> [Int64?] {
        let found = pairs.filter { $0.key == key }.map { Optional($0.value) }
        return found.isEmpty && orNone ? [nil] : found
      }
      let theirs = values(right, orNone: kind.keepsLeft)
      return values(left, orNone: kind.keepsRight).flatMap { a in theirs.map { [key, a, $0] } }
    }
  }

  @Test(
    "All pairs of values of a key come, in order, however many are asked for at a time",
    arguments: [HashJoin.Kind.inner, .leftOuter, .rightOuter, .fullOuter])
  func join(kind: HashJoin.Kind) throws {
    var random = SeededRandom()
    for _ in 0..<200 {
      let sides = (0..<2).map { _ in
        (0..<Int.random(in: 0...12, using: &random)).map { value in
          (key: Int64.random(in: 0...6, using: &random), value: Int64(value))
        }
      }
      var join = try #require(HashJoin(kind, column(sides[0]), column(sides[1])))
      let count = Int.random(in: 1...5, using: &random)
      var found: [[Int64?]] = []
      while let part = join.next(count) {
        #expect(part.count <= count && part.count > 0)
        #expect(part.type == kind.resultType(of: column(sides[0]).type, column(sides[1]).type))
        let keys = optional(part.tupleItems[0])
        let values = part.tupleItems[1].tupleItems.map { optional($0) }
        found += keys.indices.map { [keys[$0], values[0][$0], values[1][$0]] }
      }
      #expect(found == joined(kind, sides[0], sides[1]), "seed \(random.seed)")
    }
  }

  @Test("A key is what it was where it was first seen; keys of unlike types are Python's")
  func keys() throws {
    let left = Column.tuple([.double([-0.0]), .integer([1])], count: 1)
    let right = Column.tuple([.double([0.0]), .integer([2])], count: 1)
    var join = try #require(HashJoin(.inner, left, right))
    let first = join.next(10)
    let pairs = try #require(first)
    guard case .double(let keys) = pairs.tupleItems[0] else {
      Issue.record("the keys are \(pairs.tupleItems[0].type)")
      return
    }
    #expect(keys.map(\.sign) == [.minus])
    let second = join.next(10)
    #expect(second == nil)
    let other = Column.tuple([.integer([0]), .integer([2])], count: 1)
    #expect(HashJoin(.inner, left, other) == nil)
    #expect(HashJoin(.inner, left, .integer([0])) == nil)
  }
}
