import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterTesting

/// A form's directory and values on a random walk beside a Swift dictionary: keys come, are looked up,
/// go and come again, values are put in their places, gathered and let go of.
public struct TableWalk {
  /// What differs between the form and the dictionary.
  public struct Difference: Error, CustomStringConvertible {
    public let description: String
  }

  private struct Entry {
    let number: UInt32
    /// As it was first seen.
    let key: String
    var value: String
  }

  private var form: any PairForm
  private let makePairs: (inout SeededRandom, Int) throws -> any RecordBatch
  private let shown: (any RecordBatch) throws -> [String]
  private let identities: (any RecordBatch) throws -> [String]

  public private(set) var directory: any KeyDirectory
  public private(set) var values: any ValueArray
  private var random: SeededRandom
  private var entries: [String: Entry] = [:]
  private var mostKeys = 0

  /// - Parameters:
  ///   - makePairs: so many pairs, whose keys are from few.
  ///   - shown: all that can be seen of each record of a vector.
  ///   - identities: equal for keys that are one.
  public init(
    _ form: any PairForm, _ random: SeededRandom,
    makePairs: @escaping (inout SeededRandom, Int) throws -> any RecordBatch,
    shown: @escaping (any RecordBatch) throws -> [String],
    identities: @escaping (any RecordBatch) throws -> [String]
  ) {
    self.form = form
    self.random = random
    self.makePairs = makePairs
    self.shown = shown
    self.identities = identities
    directory = form.makeDirectory()
    values = form.makeValues()
  }

  /// - Parameter prepare: called before each step.
  /// - Throws: ``Difference``.
  public mutating func run(
    steps: Int, prepare: (inout SeededRandom) -> Void = { _ in }
  ) throws {
    for _ in 0..<steps {
      prepare(&random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0...2: try put()
      case 3: try remove(some(of: Array(entries.keys)))
      case 4: if Int.random(in: 0..<10, using: &random) == 0 { try remove(Array(entries.keys)) }
      case 5: try lookUp()
      case 6: try concatenate()
      default: break
      }
      try compare()
    }
  }

  /// Goes on in another form, with what should hold the same.
  public mutating func replace(
    form: any PairForm, directory: any KeyDirectory, values: any ValueArray
  ) {
    self.form = form
    self.directory = directory
    self.values = values
  }

  /// The numbers of all keys, in any order.
  public var numbers: [UInt32] { entries.values.map(\.number) }

  private mutating func put() throws {
    let pairs = try makePairs(&random, Int.random(in: 0...60, using: &random))
    guard let (keys, values) = try form.split(pairs) else { throw difference("no split") }
    let (identities, shownKeys, shownValues) = (
      try identities(keys), try shown(keys), try shown(values)
    )
    let expectedNew = identities.indices.filter { row in
      entries[identities[row]] == nil && identities.firstIndex(of: identities[row]) == row
    }
    var newRows: [UInt32] = [99]
    guard let numbers = try directory.numbers(of: keys, newRows: &newRows) else {
      throw difference("no numbers of \(shownKeys)")
    }
    try expect(newRows, [99] + expectedNew.map { UInt32($0) }, "rows of new keys")
    let taken = Set(entries.values.map(\.number))
    for row in expectedNew {
      try expect(taken.contains(numbers[row]), false, "a number that is taken")
      entries[identities[row]] = Entry(number: numbers[row], key: shownKeys[row], value: "")
    }
    for (row, identity) in identities.enumerated() {
      try expect(numbers[row], entries[identity]!.number, "the number of \(identity)")
      entries[identity]!.value = shownValues[row]
    }
    try self.values.set(numbers, to: values)
    mostKeys = max(mostKeys, entries.count)
    let again = try form.pairs(keys, values)
    try expect(again.recordCount, pairs.recordCount, "pairs")
    guard let (sameKeys, sameValues) = try form.split(again) else { throw difference("no split") }
    try expect(try shown(sameKeys), shownKeys, "keys of pairs")
    try expect(try shown(sameValues), shownValues, "values of pairs")
  }

  private mutating func remove(_ keys: [String]) throws {
    let numbers = keys.map { entries[$0]!.number }
    directory.remove(numbers)
    values.clear(numbers)
    for key in keys { entries[key] = nil }
  }

  /// Keys that are known, which change nothing.
  private mutating func lookUp() throws {
    let chosen = some(of: Array(entries.keys))
    let numbers = chosen.map { entries[$0]!.number }
    let keys = try directory.keys(numbers)
    var newRows: [UInt32] = []
    try expect(try directory.numbers(of: keys, newRows: &newRows), numbers, "numbers of known keys")
    try expect(newRows, [], "new keys")
  }

  private mutating func concatenate() throws {
    let parts = try (0..<Int.random(in: 0...3, using: &random)).map { _ in
      try values.gathered(some(of: Array(entries.values)).map(\.number))
    }
    let whole = try form.concatenated(parts)
    let all = try parts.flatMap { try shown($0) }
    try expect(try shown(whole), all, "vectors one behind the other")
    let rows = some(of: Array(all.indices).map { UInt32($0) })
    try expect(
      try shown(try form.gathered(whole, rows)), rows.map { all[Int($0)] }, "rows of a vector")
  }

  private mutating func compare() throws {
    try expect(directory.count, entries.count, "the number of keys")
    try expect(directory.bound, mostKeys, "the bound")
    // Some come twice.
    var all = Array(entries.values)
    all += some(of: all)
    all.shuffle(using: &random)
    let numbers = all.map(\.number)
    try expect(try shown(try directory.keys(numbers)), all.map(\.key), "keys")
    try expect(try shown(try values.gathered(numbers)), all.map(\.value), "values")
  }

  private mutating func some<T>(of items: [T]) -> [T] {
    let share = Double.random(in: 0...1, using: &random)
    return items.filter { _ in Double.random(in: 0...1, using: &random) < share }
  }

  private func expect<T: Equatable>(_ found: T, _ expected: T, _ what: String) throws {
    if found != expected { throw difference("\(what): \(found) is not \(expected)") }
  }

  private func difference(_ words: String) -> Difference {
    Difference(description: "seed \(random.seed): \(words)")
  }
}
