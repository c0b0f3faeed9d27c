import SwiftwaterCore
import SwiftwaterStore
import SwiftwaterTesting
import TableTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct ColumnFormTests {
  /// A column of a type with rows from few.
  private func column(_ type: ColumnType, _ random: inout SeededRandom, _ count: Int) -> Column {
    if count > 0, Int.random(in: 0..<8, using: &random) == 0 {
      return .repeated(column(type, &random, 1), count: count)
    }
    func values<T>(_ choices: [T]) -> [T] {
      (0..<count).map { _ in choices.randomElement(using: &random)! }
    }
    switch type {
    case .none: return .none(count: count)
    case .bool:
      let bits = values([true, false])
      return .bool(Bitmap(count: count) { bits[$0] })
    case .integer: return .integer(Buffer(values([0, 1, -1, .min, .max] + Array(2...60))))
    case .double:
      let few = [0.0, -0.0, .infinity, 0.1, -2.5]
      return .double(Buffer(values(few + (0...40).map { Double($0) })))
    case .text:
      let few = ["", "a", "é", "twelve bytes", "thirteen byte", "日本日本日本", "\0", "a\0"]
      return text(values(few + (0..<40).map { "k\($0)" } + (0..<20).map { "a long key \($0)" }))
    case .tuple(let items):
      return .tuple(items.map { column($0, &random, count) }, count: count)
    case .list(let item):
      var offsets: [UInt32] = [0]
      for _ in 0..<count { offsets.append(offsets.last! + .random(in: 0...3, using: &random)) }
      return .list(
        ListColumn(offsets: offsets, items: column(item, &random, Int(offsets.last!))))
    case .optional(let inner):
      let validity = values([true, false])
      return .optional(
        validity: Bitmap(count: count) { validity[$0] }, column(inner, &random, count))
    }
  }

  private func text(_ texts: [String]) -> Column {
    var builder = TextBuilder()
    for text in texts {
      Array(text.utf8).withUnsafeBytes { bytes in
        builder.append(bytes, isASCII: SwiftwaterKernels.isASCII(bytes))
      }
    }
    return .text(builder.finish())
  }

  private func shown(_ batch: any RecordBatch) throws -> [String] {
    try #require(batch as? ColumnBatch).column.shownRows
  }

  /// 0.0 and -0.0 are one key.
  private func identities(_ batch: any RecordBatch) throws -> [String] {
    try shown(batch).map { $0.replacing("\((-0.0).bitPattern)", with: "0") }
  }

  private static let keyTypes: [ColumnType] = [
    .text, .integer, .double, .bool, .none, .tuple([]), .tuple([.text, .integer]),
    .tuple([.integer, .integer]), .tuple([.tuple([.bool, .text]), .optional(.double)]),
    .optional(.text), .optional(.integer), .optional(.tuple([.double, .optional(.text)])),
  ]

  private static let valueTypes: [ColumnType] =
    keyTypes + [.list(.integer), .list(.list(.text)), .tuple([.list(.optional(.text)), .double])]

  @Test("On a random walk it is a dictionary", arguments: keyTypes)
  func walk(keyType: ColumnType) throws {
    for valueType in Self.valueTypes {
      let form = try #require(ColumnForm(.tuple([keyType, valueType])))
      var walk = TableWalk(
        form, SeededRandom(),
        makePairs: { random, count in
          ColumnBatch(
            .tuple(
              [column(keyType, &random, count), column(valueType, &random, count)], count: count))
        }, shown: shown, identities: identities)
      try walk.run(steps: 30)
      let directory = try #require(walk.directory as? ColumnDirectory)
      #expect(directory.numbers == walk.numbers.sorted())
    }
  }

  @Test("It is one when memory is short at times", arguments: keyTypes)
  func walkOnDisk(keyType: ColumnType) throws {
    defer { SpillStore.shared.configure(limit: .max, folder: "/tmp") }
    for valueType in Self.valueTypes {
      let form = try #require(ColumnForm(.tuple([keyType, valueType])))
      var walk = TableWalk(
        form, SeededRandom(),
        makePairs: { random, count in
          ColumnBatch(
            .tuple(
              [column(keyType, &random, count), column(valueType, &random, count)], count: count))
        }, shown: shown, identities: identities)
      try walk.run(steps: 60) { random in
        guard Int.random(in: 0..<4, using: &random) == 0 else { return }
        let isShort = Bool.random(using: &random)
        SpillStore.shared.configure(limit: isShort ? 1 : .max, folder: "/tmp")
      }
    }
  }

  @Test("Rows come back from bytes as they were")
  func bytes() throws {
    var random = SeededRandom()
    for type in Self.valueTypes {
      for count in [0, 1, 7, 300] {
        let column = column(type, &random, count).expandedThroughout()
        let rows = ColumnRows.rows(of: column)
        #expect(rows.count == count)
        let read = try ColumnRows.column(type, of: rows)
        #expect(read.type == type)
        #expect(read.shownRows == column.shownRows, "seed \(random.seed)")
        guard rows.bytes.count > 1 else { continue }
        let cut = Rows(
          bytes: Array(rows.bytes.dropLast()), ends: rows.ends.map { min($0, rows.bytes.count - 1) }
        )
        #expect(throws: EngineError.self) { try ColumnRows.column(type, of: cut) }
      }
    }
  }

  @Test("A form there is for pairs whose keys have a hash")
  func types() throws {
    #expect(ColumnForm(.integer) == nil)
    #expect(ColumnForm(.tuple([.integer])) == nil)
    #expect(ColumnForm(.tuple([.list(.integer), .integer])) == nil)
    #expect(ColumnForm(.tuple([.tuple([.list(.integer)]), .integer])) == nil)
    let form = try #require(ColumnForm(.tuple([.integer, .list(.text)])))
    #expect(form.split(ValueBatch([1])) == nil)
    #expect(form.split(ColumnBatch(.tuple([.integer([1]), .integer([1])], count: 1))) == nil)
    let none = try #require(form.concatenated([]) as? ColumnBatch)
    #expect(none.column.type == .list(.text))
    #expect(none.recordCount == 0)
  }

  @Test(
    "Keys that Python tells apart change nothing",
    arguments: [
      (ColumnType.double, Column.double([1, .nan])),
      (.tuple([.integer, .double]), .tuple([.integer([1, 2]), .double([1, .nan])], count: 2)),
      (.integer, .double([1, 2])),
    ])
  func refused(type: ColumnType, keys: Column) throws {
    let directory = try #require(ColumnForm(.tuple([type, .none]))).makeDirectory()
    var newRows: [UInt32] = []
    #expect(try directory.numbers(of: ColumnBatch(keys), newRows: &newRows) == nil)
    #expect(newRows == [])
    #expect(directory.count == 0)
    #expect(directory.bound == 0)
  }

  @Test("A large table grows in parts, and shrinks to nothing", arguments: [false, true])
  func large(isText: Bool) throws {
    let form = try #require(ColumnForm(.tuple([isText ? .text : .integer, .integer])))
    let directory = form.makeDirectory()
    let count = 250_000
    func keys(_ range: Range<Int>) -> ColumnBatch {
      ColumnBatch(isText ? text(range.map { "k\($0)" }) : .integer(Buffer(range.map { Int64($0) })))
    }
    var newRows: [UInt32] = []
    // More than one part of the slots, and numbers in first-seen order as long as none is free.
    let numbers = try #require(try directory.numbers(of: keys(0..<count), newRows: &newRows))
    #expect(newRows == (0..<UInt32(count)).map { $0 })
    #expect(Set(numbers).count == count)
    #expect(directory.bound == count)
    let odd = stride(from: 1, to: count, by: 2).map { numbers[$0] }
    directory.remove(odd)
    #expect(directory.count == count / 2)
    newRows = []
    let again = try #require(try directory.numbers(of: keys(0..<count), newRows: &newRows))
    #expect(newRows == stride(from: 1, to: UInt32(count), by: 2).map { $0 })
    #expect(stride(from: 0, to: count, by: 2).allSatisfy { again[$0] == numbers[$0] })
    #expect(directory.bound == count)
    directory.remove(again)
    #expect(directory.count == 0)
  }

  @Test(
    "Memory stays where keys come and go",
    arguments: [ColumnType.text, .tuple([.integer, .text])])
  func bounded(keyType: ColumnType) throws {
    let form = try #require(ColumnForm(.tuple([keyType, .tuple([.list(.text), .text])])))
    let (directory, values) = (form.makeDirectory(), form.makeValues())
    var kept: [UInt32] = []
    var memory = 0
    for round in 0..<1000 {
      let texts = text((0..<100).map { "a key that is long, \(round * 100 + $0)" })
      let keys =
        keyType == .text
        ? texts : .tuple([.integer(Buffer((0..<100).map { $0 })), texts], count: 100)
      var newRows: [UInt32] = []
      let numbers = try #require(try directory.numbers(of: ColumnBatch(keys), newRows: &newRows))
      #expect(newRows.count == 100)
      let lists = Column.list(ListColumn(offsets: (0...100).map { $0 }, items: texts))
      try values.set(numbers, to: ColumnBatch(.tuple([lists, texts], count: 100)))
      if !kept.isEmpty {
        directory.remove(kept)
        values.clear(kept)
      }
      kept = numbers
      if round == 100 { memory = directory.byteCount + values.byteCount }
    }
    #expect(directory.bound <= 200)
    #expect(directory.byteCount + values.byteCount <= 2 * memory)
  }
}
