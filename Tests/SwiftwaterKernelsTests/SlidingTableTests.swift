import SwiftwaterCore
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterKernels

@Suite struct SlidingTableTests {
  @Test("Every slide over every window gives what its records give, in their order")
  func windows() throws {
    var random = SeededRandom()
    for window in 1...20 {
      for slide in 1...20 {
        let evictsFirst = Bool.random(using: &random)
        var run = WindowRun(ValueForm<Int, String>(), joined, seed: random.seed)
        let script = BatchScript(using: &random)
        for batch in 0..<(4 * window + 3 * slide) {
          let pairs = script.batch(batch, using: &random).map { ($0, "\($0).\(batch) ") }
          if evictsFirst, run.batches.count == window { try run.evict() }
          try run.add(pairs)
          if !evictsFirst, run.batches.count > window { try run.evict() }
          if batch % slide == slide - 1 { try run.check() }
        }
      }
    }
  }

  @Test("Whatever comes and goes: windows that grow, shrink and run empty, read now and then")
  func anySteps() throws {
    for _ in 0..<300 {
      var random = SeededRandom()
      var run = WindowRun(ValueForm<Int, String>(), joined, seed: random.seed)
      var script = BatchScript(using: &random)
      var growth = 0.5
      for batch in 0..<Int.random(in: 1...150, using: &random) {
        if Int.random(in: 0..<20, using: &random) == 0 {
          script = BatchScript(using: &random)
          growth = .random(in: 0.2...0.8, using: &random)
        }
        if Double.random(in: 0..<1, using: &random) < growth || run.batches.isEmpty {
          try run.add(script.batch(batch, using: &random).map { ($0, "\($0).\(batch) ") })
        } else {
          try run.evict()
        }
        if Bool.random(using: &random) { try run.check() }
      }
      try run.check()
      while !run.batches.isEmpty {
        try run.evict()
        if Bool.random(using: &random) { try run.check() }
      }
      try run.check()
      #expect(run.table.count == 0, "seed \(random.seed)")
    }
  }

  @Test("Lists are put one behind the other, also where a key comes once in a window")
  func lists() throws {
    var random = SeededRandom()
    var run = WindowRun<[Int]>(
      ValueForm<Int, [Int]>(), { $0 + $1 }, seed: random.seed)
    for batch in 0..<400 {
      // Key 0 is in every batch, key n in every (n + 1)th one.
      let keys = (0..<40).filter { batch % ($0 + 1) == 0 }.shuffled(using: &random)
      try run.add(keys.map { ($0, [batch]) })
      if run.batches.count > 25 { try run.evict() }
      try run.check()
    }
  }

  @Test("What throws on the way has done nothing, and the call can be made again")
  func faults() throws {
    for _ in 0..<150 {
      var random = SeededRandom()
      let faults = Faults(seed: random.next())
      let form = FaultyForm(ValueForm<Int, String>(), faults)
      var run = WindowRun(
        form,
        {
          try faults.maybe()
          return joined($0, $1)
        }, seed: random.seed)
      run.repeatsFaults = true
      let script = BatchScript(using: &random)
      let window = Int.random(in: 1...12, using: &random)
      for batch in 0..<60 {
        faults.rate = Int.random(in: 0...2, using: &random) == 0 ? 0 : 3
        try run.add(script.batch(batch, using: &random).map { ($0, "\($0).\(batch) ") })
        if run.batches.count > window { try run.evict() }
        if Int.random(in: 0..<3, using: &random) > 0 { try run.check() }
      }
    }
  }

  @Test("Records of another form change nothing")
  func otherForms() throws {
    let table = SlidingTable(form: ValueForm<Int, String>())
    let combine: SlidingTable.Combine = { left, _ in left }
    #expect(try table.add(ValueBatch([(1, "a")]), combine: combine))
    #expect(try !table.add(ValueBatch([("1", "a")]), combine: combine))
    #expect(try !table.add(ValueBatch([1]), combine: combine))
    #expect(table.batchCount == 1 && table.count == 1)
    #expect(try table.add(ValueBatch<Never>([]), combine: combine))
    #expect(try table.add(nil, combine: combine))
    #expect(table.batchCount == 3)
  }

  @Test(
    "No slide combines more than a few times what is in a batch, however long the window is",
    arguments: [10, 60, 300, 3600])
  func worstSlide(window: Int) throws {
    for isSparse in [false, true] {
      var random = SeededRandom()
      let table = SlidingTable(form: ValueForm<Int, Int>())
      let keyCount = 6
      var (pairs, calls) = (0, 0)
      let combine: SlidingTable.Combine = { left, right in
        guard let left = left as? ValueBatch<Int>, let right = right as? ValueBatch<Int> else {
          preconditionFailure("vectors of numbers")
        }
        pairs += left.elements.count
        calls += 1
        return ValueBatch(zip(left.elements, right.elements).map { $0 &+ $1 })
      }
      func batch() -> any RecordBatch {
        if !isSparse { return ValueBatch((0..<keyCount).map { ($0, 1) }) }
        var keys: Set<Int> = []
        while keys.count < keyCount { keys.insert(.random(in: 0..<keyCount * 20, using: &random)) }
        return ValueBatch(keys.map { ($0, 1) })
      }
      for _ in 0..<window { #expect(try table.add(batch(), combine: combine)) }
      try table.refresh(combine: combine)
      var worst = (pairs: 0, calls: 0)
      for _ in 0..<10_000 {
        (pairs, calls) = (0, 0)
        try table.evict(combine: combine)
        #expect(try table.add(batch(), combine: combine))
        try table.refresh(combine: combine)
        worst = (max(worst.pairs, pairs), max(worst.calls, calls))
      }
      // With each of the two calls two batches move on, the new one is combined with what is behind
      // `b`, and keys that come or go are combined with one or two products.
      #expect(worst.pairs <= keyCount * (isSparse ? 9 : 6), "seed \(random.seed)")
      #expect(worst.calls <= 7, "seed \(random.seed)")
    }
  }

  @Test("A day of seconds in which nothing comes takes next to nothing")
  func emptyBatches() throws {
    let table = SlidingTable(form: ValueForm<Int, String>())
    let combine: SlidingTable.Combine = { left, _ in
      Issue.record("nothing is to be combined")
      return left
    }
    for _ in 0..<86_400 { #expect(try table.add(nil, combine: combine)) }
    for _ in 0..<86_400 {
      try table.evict(combine: combine)
      #expect(try table.add(nil, combine: combine))
    }
    #expect(table.batchCount == 86_400 && table.count == 0)
    #expect(table.order().isEmpty)
    #expect(table.byteCount < 2 << 20)
  }

  @Test("Keys that go are let go of, and so are the entries that leave")
  func memory() throws {
    let table = SlidingTable(form: ValueForm<Int, Int>())
    let combine: SlidingTable.Combine = { left, _ in left }
    func slide(_ keys: some Sequence<Int>) throws {
      #expect(try table.add(ValueBatch(keys.map { ($0, $0) }), combine: combine))
      if table.batchCount > 10 { try table.evict(combine: combine) }
      try table.refresh(combine: combine)
    }
    var held: [Int] = []
    for batch in 0..<300 {
      let first = batch * 100
      try slide(first..<(first + 100))
      if batch >= 20 { held.append(table.byteCount) }
    }
    #expect(table.count == 1000)
    #expect(Set(held).count <= 4)
    // The same keys in the same order have one array of numbers, in others they have their own.
    for _ in 0..<20 { try slide(0..<100) }
    let same = table.byteCount
    for batch in 0..<20 {
      if batch % 2 == 0 { try slide(0..<100) } else { try slide((0..<100).reversed()) }
    }
    #expect(table.byteCount >= same + 9 * 100 * 12)
    for _ in 0..<20 { try slide(0..<100) }
    #expect(table.byteCount == same)
  }

  @Test("Of a key that is gone nothing is held, nor of entries that have left")
  func release() throws {
    var random = SeededRandom()
    let alive = Alive()
    final class Alive: Sendable {
      let count = Mutex(0)
    }
    /// Counts itself.
    final class Token: Sendable {
      private let born: @Sendable (Int) -> Void

      init(_ born: @escaping @Sendable (Int) -> Void) {
        self.born = born
        born(1)
      }

      deinit { born(-1) }
    }
    let count: @Sendable (Int) -> Void = { by in alive.count.withLock { $0 += by } }
    let table = SlidingTable(form: ValueForm<Int, Token>())
    let combine: SlidingTable.Combine = { left, _ in
      ValueBatch((0..<left.recordCount).map { _ in Token(count) })
    }
    for _ in 0..<200 {
      let keys = (0..<12).filter { _ in Bool.random(using: &random) }
      #expect(try table.add(ValueBatch(keys.map { ($0, Token(count)) }), combine: combine))
      if table.batchCount > 7 { try table.evict(combine: combine) }
      try table.refresh(combine: combine)
      // Those of the entries, the results, and the products of two sections.
      #expect(alive.count.withLock { $0 } <= 12 * 7 + 3 * 12, "seed \(random.seed)")
    }
    for _ in 0..<7 {
      #expect(try table.add(nil, combine: combine))
      try table.evict(combine: combine)
    }
    try table.refresh(combine: combine)
    #expect(alive.count.withLock { $0 } == 0, "seed \(random.seed)")
  }

  @Test("A batch is in order by the numbers of batches when 32 bits of these have run over")
  func places() {
    let last = Int(UInt32.max)
    let places = [
      EntryPlace(batch: last - 1, row: 7), EntryPlace(batch: last, row: 0),
      EntryPlace(batch: last + 1, row: 3), EntryPlace(batch: last + 1, row: 5),
    ]
    #expect(places.map { $0.distance(from: last - 1) } == [0, 1, 2, 2])
    #expect(places.map(\.row) == [7, 0, 3, 5])
    let ranks = places.map { $0.rank(from: last - 1) }
    #expect(ranks == ranks.sorted())
  }

  @Test("Ranks are sorted by their batches, then by their rows")
  func sorting() {
    for _ in 0..<300 {
      var random = SeededRandom()
      let batches = 1 << Int.random(in: 0...17, using: &random)
      let rows = 1 << Int.random(in: 0...20, using: &random)
      let start = Int.random(in: 0...(1 << 40), using: &random)
      let ranks = (0..<Int.random(in: 0...80, using: &random)).map { _ in
        EntryPlace(
          batch: start + .random(in: 0..<batches, using: &random),
          row: .random(in: 0..<rows, using: &random)
        ).rank(from: start)
      }
      let found = sorted(ranks.indices.map { UInt32($0) }, by: ranks)
      #expect(found.map { ranks[Int($0)] } == ranks.sorted(), "seed \(random.seed)")
    }
  }
}

private func joined(_ left: String, _ right: String) -> String { left + right }

/// Which keys come in which batch: of one kind for some time.
private struct BatchScript {
  private enum Kind: CaseIterable {
    case same, shuffled, most, few, burst, changing, mixed
  }

  private let kind: Kind
  private let keyCount: Int
  /// One batch in so many has no records; 0 for none.
  private let gap: Int

  init(using random: inout SeededRandom) {
    kind = Kind.allCases.randomElement(using: &random) ?? .mixed
    keyCount = .random(in: 1...12, using: &random)
    gap = .random(in: 0...3, using: &random)
  }

  func batch(_ number: Int, using random: inout SeededRandom) -> [Int] {
    if gap > 0, Int.random(in: 0..<gap + 1, using: &random) == 0 { return [] }
    let all = Array(0..<keyCount)
    func some(of many: Int) -> [Int] {
      all.filter { _ in Int.random(in: 0..<many, using: &random) == 0 }
    }
    switch kind {
    case .same: return all
    case .shuffled: return all.shuffled(using: &random)
    case .most:
      let missing = all.randomElement(using: &random)
      return all.filter { $0 != missing }
    case .few: return some(of: 6).shuffled(using: &random)
    case .burst: return number % 9 < 2 ? (all + all.map { $0 + 100 }).shuffled(using: &random) : []
    case .changing: return all.map { $0 + number * keyCount / 3 }
    case .mixed: return some(of: .random(in: 1...4, using: &random)).shuffled(using: &random)
    }
  }
}

/// A table beside the batches that are in its window.
private struct WindowRun<Value: Sendable & Equatable> {
  let table: SlidingTable
  private(set) var batches: [[(Int, Value)]] = []
  /// Whether what throws is tried again.
  var repeatsFaults = false
  private let combine: SlidingTable.Combine
  private let function: (Value, Value) throws -> Value
  private let seed: UInt64

  init(
    _ form: any PairForm, _ function: @escaping (Value, Value) throws -> Value, seed: UInt64
  ) {
    table = SlidingTable(form: form)
    self.function = function
    self.seed = seed
    combine = { left, right in
      let left = try #require(left as? ValueBatch<Value>)
      let right = try #require(right as? ValueBatch<Value>)
      #expect(left.elements.count == right.elements.count && !left.elements.isEmpty)
      return ValueBatch(try zip(left.elements, right.elements).map { try function($0, $1) })
    }
  }

  /// Until it does not throw.
  private func attempt<Result>(_ body: () throws -> Result) throws -> Result {
    while true {
      do {
        return try body()
      } catch is Faults.Fault where repeatsFaults {
        #expect(table.batchCount == batches.count, "seed \(seed)")
        #expect(table.count == expected().count, "seed \(seed)")
        #expect(table.order().count == table.count, "seed \(seed)")
      }
    }
  }

  mutating func add(_ pairs: [(Int, Value)]) throws {
    let isAdded = try attempt { try table.add(ValueBatch(pairs), combine: combine) }
    #expect(isAdded)
    batches.append(pairs)
  }

  mutating func evict() throws {
    try attempt { try table.evict(combine: combine) }
    batches.removeFirst()
  }

  /// Each key's values in the order of their batches; keys as they are first seen.
  private func expected() -> [(key: Int, values: [Value])] {
    var result: [(key: Int, values: [Value])] = []
    var places: [Int: Int] = [:]
    for (key, value) in batches.joined() {
      if let place = places[key] {
        result[place].values.append(value)
      } else {
        places[key] = result.count
        result.append((key, [value]))
      }
    }
    return result
  }

  func check() throws {
    try attempt { try table.refresh(combine: combine) }
    let expected = expected()
    #expect(table.count == expected.count, "seed \(seed)")
    #expect(table.batchCount == batches.count, "seed \(seed)")
    let order = table.order()
    let found = try attempt { try table.results(order) }
    let keys = try #require(found.keys as? ValueBatch<Int>)
    let values = try #require(found.values as? ValueBatch<Value>)
    #expect(keys.elements == expected.map(\.key), "seed \(seed)")
    let products = try expected.map { key, values in
      try attempt { try values.dropFirst().reduce(values[0], function) }
    }
    #expect(values.elements == products, "seed \(seed)")
  }
}
