import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterStore

@Suite struct RowStoreTests {
  private func rows(_ texts: [String]) -> Rows {
    var rows = Rows()
    for text in texts {
      rows.bytes += Array(text.utf8)
      rows.ends.append(rows.bytes.count)
    }
    return rows
  }

  private func texts(_ rows: Rows) -> [String] {
    (0..<rows.count).map { String(decoding: rows.bytes[rows.range($0)], as: UTF8.self) }
  }

  private func some(_ count: Int, _ random: inout SeededRandom) -> [UInt32] {
    (0..<count).map { _ in UInt32.random(in: 0..<500, using: &random) }
  }

  @Test("On a random walk it is a dictionary")
  func walk() throws {
    var random = SeededRandom()
    let store = try #require(try RowStore())
    var model: [UInt32: String] = [:]
    for step in 0..<300 {
      let numbers = some(Int.random(in: 0...80, using: &random), &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0, 1:
        let texts = numbers.map { number in
          String(repeating: "\(step) ", count: Int.random(in: 0...400, using: &random))
            + "\(number)"
        }
        try store.write(numbers, rows(texts))
        for (number, text) in zip(numbers, texts) { model[number] = text }
      case 2:
        store.remove(numbers)
        for number in numbers { model[number] = nil }
      default:
        let known = numbers.filter { model[$0] != nil }
        #expect(try texts(store.read(known)) == known.map { model[$0]! }, "seed \(random.seed)")
      }
    }
    let all = model.keys.sorted()
    #expect(try texts(store.read(all)) == all.map { model[$0]! }, "seed \(random.seed)")
  }

  @Test("An empty row is there, and one that was never written is an error")
  func empty() throws {
    let store = try #require(try RowStore())
    try store.write([7], rows([""]))
    #expect(try texts(store.read([7])) == [""])
    #expect(throws: EngineError.self) { try store.read([7, 8]) }
    #expect(try texts(store.read([7, 7])) == ["", ""])
  }

  @Test("Stores know nothing of each other, and one that ends takes only its own rows")
  func separate() throws {
    var stores = try (0..<20).map { _ in try #require(try RowStore()) }
    for (index, store) in stores.enumerated() { try store.write([1], rows(["store \(index)"])) }
    stores.removeFirst(10)
    for (index, store) in stores.enumerated() {
      #expect(try texts(store.read([1])) == ["store \(index + 10)"])
    }
  }

  @Test("What cannot be written as a whole changes nothing")
  func atomic() throws {
    // Of its own: the bound is the database's.
    let store = try RowStore(in: RowDatabase(try #require(SQLite.shared), in: "/tmp"))
    try store.write([1, 2, 3], rows(["a", "b", "c"]))
    try store.limitPages(to: 40)
    let large = String(repeating: "x", count: 30_000)
    #expect(throws: EngineError.self) {
      try store.write([1, 2, 3, 4, 5, 6, 7, 8], rows(Array(repeating: large, count: 8)))
    }
    #expect(try texts(store.read([3, 2, 1])) == ["c", "b", "a"])
    #expect(throws: EngineError.self) { try store.read([4]) }
    try store.write([2], rows(["d"]))
    #expect(try texts(store.read([1, 2, 3])) == ["a", "d", "c"])
  }

  @Test("A database lies in the folder that is asked for, whatever databases there are")
  func folders() throws {
    let databases = try (0..<20).map { _ in try #require(try RowDatabase.any(in: "/tmp")) }
    #expect(Set(databases.map(ObjectIdentifier.init)).count < databases.count)
    for _ in databases {
      #expect(throws: EngineError.self) { try RowDatabase.any(in: "/nowhere/at all") }
      let other = try #require(try RowDatabase.any(in: "/var/tmp"))
      #expect(!databases.contains { $0 === other })
    }
  }

  @Test("Files have no name in their folder")
  func unnamed() throws {
    let name = try makeFile(in: "/tmp")
    removeFile(name)
    #expect(throws: EngineError.self) { try makeFile(in: "/nowhere/at all") }
  }
}

@Suite struct StoredPlacesTests {
  @Test("It knows which places are on disk, and is empty again when none is")
  func places() throws {
    var places = StoredPlaces()
    #expect(places.isEmpty && !places.holds(0))
    try places.write([5, 2, 5], Rows(bytes: Array("abc".utf8), ends: [1, 2, 3]))
    #expect(places.count == 2 && places.holds(5) && places.holds(2) && !places.holds(3))
    let parts = places.divided([2, 3, 5, 99])
    #expect(parts.memory == [1, 3])
    #expect(parts.disk == [0, 2])
    let rows = try places.read([5, 2])
    #expect(rows.bytes == Array("cb".utf8))
    places.remove([2, 2, 77])
    #expect(places.count == 1)
    places.remove([5])
    #expect(places.isEmpty && places.byteCount == 0)
    try places.write([1], Rows(bytes: [9], ends: [1]))
    #expect(try places.read([1]).bytes == [9])
  }
}
