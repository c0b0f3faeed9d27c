import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct KeyPlacesTests {
  @Test("The rows of keys are those that a look at all rows finds")
  func rows() throws {
    var random = SeededRandom()
    let texts = ["", "a", "twelve bytes", "longer than twelve", "longer than twelve too", "é"]
    func column(_ count: Int, _ kind: Int) -> Column {
      let numbers = (0..<count).map { _ in Int64.random(in: -3...40, using: &random) }
      switch kind {
      case 0: return .integer(Buffer(numbers))
      case 1: return .double(Buffer(numbers.map { Double($0) / 2 }))
      case 2:
        var builder = TextBuilder()
        for number in numbers {
          let text = texts[Int(number + 3) % texts.count] + (number > 20 ? "\(number)" : "")
          Array(text.utf8).withUnsafeBytes { builder.append($0, isASCII: false) }
        }
        return .text(builder.finish())
      default: return .tuple([.integer(Buffer(numbers)), .none(count: count)], count: count)
      }
    }
    for _ in 0..<300 {
      let kind = Int.random(in: 0...3, using: &random)
      let keys = column(Int.random(in: 0...60, using: &random), kind)
      let others = column(Int.random(in: 0...10, using: &random), kind)
      let places = try #require(KeyPlaces(of: keys))
      let wanted = Set(others.shownRows)
      let expected = keys.shownRows.enumerated().filter { wanted.contains($1) }.map(\.offset)
      let found = KeyPlaces.Rows.found(expected.map(UInt32.init))
      #expect(places.rows(of: others) == found, "seed \(random.seed)")
      let most = Int.random(in: 0...5, using: &random)
      #expect(
        places.rows(of: others, most: most) == (expected.count > most ? .tooMany : found),
        "seed \(random.seed)")
    }
  }

  @Test("0.0 and -0.0 are one key")
  func zeros() throws {
    let places = try #require(KeyPlaces(of: .double([0.0, -0.0, 1.0])))
    #expect(places.rows(of: .double([-0.0])) == .found([0, 1]))
  }

  @Test("Keys of unlike types, NaN and lists are Python's")
  func refused() throws {
    let places = try #require(KeyPlaces(of: .integer([1])))
    #expect(places.rows(of: .double([1])) == nil)
    #expect(KeyPlaces(of: .double([.nan])) == nil)
    #expect(try #require(KeyPlaces(of: .double([1]))).rows(of: .double([.nan])) == nil)
    #expect(KeyPlaces(of: .list(ListColumn(offsets: [0, 1], items: .integer([1])))) == nil)
  }
}
