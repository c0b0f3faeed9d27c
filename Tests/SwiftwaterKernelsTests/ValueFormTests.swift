import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct ValueFormTests {
  private let form = ValueForm<String, Int>()

  private func elements<Element: Sendable>(
    _ vector: (any RecordBatch)?, of _: Element.Type
  ) throws -> [Element] {
    try #require(vector as? ValueBatch<Element>).elements
  }

  @Test("Pairs are taken apart and put together, rows gathered, vectors put together")
  func vectors() throws {
    let pairs = ValueBatch([("a", 1), ("b", 2), ("a", 3)])
    let (keys, values) = try #require(try form.split(pairs))
    #expect(try elements(keys, of: String.self) == ["a", "b", "a"])
    #expect(try elements(values, of: Int.self) == [1, 2, 3])
    let again = try elements(form.pairs(keys, values), of: (String, Int).self)
    #expect(again.elementsEqual(pairs.elements) { $0 == $1 })
    #expect(try form.split(ValueBatch([(1, "a")])) == nil)

    #expect(try elements(form.gathered(keys, [2, 1, 1]), of: String.self) == ["a", "b", "b"])
    #expect(try elements(form.gathered(values, [2, 0]), of: Int.self) == [3, 1])
    #expect(try elements(form.concatenated([values, values]), of: Int.self) == [1, 2, 3, 1, 2, 3])
    #expect(try elements(form.concatenated([keys]), of: String.self) == ["a", "b", "a"])
    #expect(try elements(form.concatenated([]), of: Int.self) == [])
  }

  @Test("A directory gives numbers out again, and none twice")
  func directory() throws {
    var random = SeededRandom()
    let directory = form.makeDirectory()
    var numbers: [String: UInt32] = [:]
    var most = 0
    for _ in 0..<300 {
      let keys = (0..<10).map { _ in "\(Int.random(in: 0..<40, using: &random))" }
      var newRows: [UInt32] = []
      let found = try #require(try directory.numbers(of: ValueBatch(keys), newRows: &newRows))
      for (row, key) in keys.enumerated() {
        #expect(newRows.contains(UInt32(row)) == (numbers[key] == nil), "seed \(random.seed)")
        #expect(numbers[key] == nil || numbers[key] == found[row], "seed \(random.seed)")
        numbers[key] = found[row]
      }
      most = max(most, numbers.count)
      #expect(Set(numbers.values).count == numbers.count, "seed \(random.seed)")
      #expect(directory.count == numbers.count && directory.bound <= most, "seed \(random.seed)")
      let held = Array(numbers)
      let names = try elements(directory.keys(held.map(\.value)), of: String.self)
      #expect(names == held.map(\.key), "seed \(random.seed)")
      let gone = held.shuffled(using: &random).prefix(Int.random(in: 0...15, using: &random))
      directory.remove(gone.map(\.value))
      for (key, _) in gone { numbers[key] = nil }
    }
    var newRows: [UInt32] = []
    #expect(try directory.numbers(of: ValueBatch([1]), newRows: &newRows) == nil)
    #expect(newRows.isEmpty)
  }

  @Test("An array keeps the last value of a place")
  func values() throws {
    let array = form.makeValues()
    try array.set([7, 2, 7], to: ValueBatch([1, 2, 3]))
    #expect(try elements(array.gathered([2, 7, 2]), of: Int.self) == [2, 3, 2])
    array.clear([2, 100])
    try array.set([2], to: ValueBatch([4]))
    #expect(try elements(array.gathered([7, 2]), of: Int.self) == [3, 4])
    #expect(try elements(array.gathered([]), of: Int.self) == [])
  }

  @Test("Values are kept and let go of as often as they are there")
  func lifetimes() throws {
    final class Value: Sendable {}
    var random = SeededRandom()
    let array = ValueForm<Int, Value>().makeValues()
    var held: [UInt32: Value] = [:]
    var references: [() -> Value?] = []
    for step in 1...40 {
      for _ in 0..<20 {
        let place = UInt32.random(in: 0..<UInt32(step * 3), using: &random)
        if Bool.random(using: &random) {
          let value = Value()
          references.append { [weak value] in value }
          try array.set([place], to: ValueBatch([value]))
          held[place] = value
        } else {
          array.clear([place])
          held[place] = nil
        }
      }
      let places = Array(held.keys)
      let found = try elements(array.gathered(places), of: Value.self)
      #expect(zip(places, found).allSatisfy { held[$0] === $1 }, "seed \(random.seed)")
    }
    let count = held.count
    held = [:]
    #expect(references.count { $0() != nil } == count, "seed \(random.seed)")
    withExtendedLifetime(array) {}
  }
}
