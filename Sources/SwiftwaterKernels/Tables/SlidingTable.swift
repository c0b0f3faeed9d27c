import DequeModule
import SwiftwaterCore

/// The product of each key's values over a window of batches, for an associative function without
/// an inverse: one partition of `reduceByKeyAndWindow`.
///
/// A slide takes at most a few combinations of the entries of a batch, however long the window is,
/// and nothing in it costs with the number of batches or of entries. The function need not be
/// commutative: values are combined in the order in which they came.
///
/// All keys share one timeline of batches, on which this is DABA Lite with batches in the place of
/// elements, and a product for each key in the place of one. Source: Tangwongsan, Hirzel,
/// Schneider, "In-order sliding-window aggregation in worst-case constant time" (VLDB Journal 30,
/// 2021).
///
/// The batches are divided into sections (`Sections`). What an entry's value is depends on the
/// section in which its batch is. A key without entries in a section has no part in its product
/// there:
///
/// - from `f` to `l`, and from `a` to `b`: the product of the key's entries from this one to `b`;
/// - from `l` to `r`: that to `r`;
/// - from `r` to `a`, and from `b` to the end: the value itself.
///
/// Beside them each key has the product of its entries from `r` to `b` (of use while there are
/// batches from `l` to `r`), and of those from `b` to the end. So the product of a key over the
/// whole window is that of its first entry with one or both of these, whatever the section: what a
/// key has in the window it has behind its first entry.
///
/// Every call is atomic: where it throws, nothing has changed that can be seen, and it can be made
/// again. What moves sections on is due after a call and done in the next one, before anything
/// else: so each call changes one thing, when all has been computed that can fail.
///
/// Used by one task at a time.
public final class SlidingTable {
  /// The products of two vectors of equal length, record by record. It may throw what it likes.
  public typealias Combine = (
    _ left: any RecordBatch, _ right: any RecordBatch
  ) throws -> any RecordBatch

  public let form: any PairForm
  private let directory: any KeyDirectory
  private var keys = KeyEntries()
  /// The product of each key over the window, as of the last `refresh`.
  private var results: KeyProducts
  /// Those of the entries from `r` to `b`, and from `b` to the end.
  private var productsToB: KeyProducts
  private var productsToEnd: KeyProducts

  private var sections = Sections()
  /// From `sections.f` on; nil for batches without entries.
  private var segments: Deque<Segment?> = []
  /// The last batch with entries.
  private var lastSegment: Segment?
  /// True where sections must move on before anything else happens.
  private var isFixUpDue = false
  private var entryCount = 0
  /// Of the entries' numbers and of the places of the next ones.
  private var linkBytes = 0

  public init(form: any PairForm) {
    self.form = form
    directory = form.makeDirectory()
    results = KeyProducts(form.makeValues())
    productsToB = KeyProducts(form.makeValues())
    productsToEnd = KeyProducts(form.makeValues())
  }

  /// How many batches are in the window.
  public var batchCount: Int { segments.count }

  /// How many keys have entries in the window.
  public var count: Int { directory.count }

  /// About how many bytes are held.
  public var byteCount: Int {
    // Vectors do not say how large they are. Those of the entries are like that of the results.
    let valueBytes = directory.count == 0 ? 0 : results.byteCount / directory.count * entryCount
    return directory.byteCount + keys.byteCount + results.byteCount + productsToB.byteCount
      + productsToEnd.byteCount + segments.count * MemoryLayout<Segment?>.stride
      + linkBytes + valueBytes
  }

  // MARK: - The window's ends

  /// Adds a batch at the end of the window.
  ///
  /// - Parameter pairs: each key once. None, or nil, for an empty batch.
  /// - Returns: false for records that are not of the table's form; nothing has changed then.
  public func add(_ pairs: (any RecordBatch)?, combine: Combine) throws -> Bool {
    guard let pairs, pairs.recordCount > 0 else {
      try fixUp(combine)
      append(nil)
      return true
    }
    guard let (keys, values) = try form.split(pairs) else { return false }
    try fixUp(combine)
    var newRows: [UInt32] = []
    guard let numbers = try directory.numbers(of: keys, newRows: &newRows) else { return false }
    let segment: Segment
    do {
      segment = try Segment(numbers, values, keys: form.tellsEqualKeysApart ? keys : nil)
      productsToEnd.reserve(directory.bound)
      try productsToEnd.set(
        numbers, to: form.combined(productsToEnd, of: numbers, with: values, combine))
    } catch {
      directory.remove(newRows.map { numbers[Int($0)] })
      throw error
    }
    append(segment)
    return true
  }

  private func append(_ segment: Segment?) {
    let batch = sections.end
    segments.append(segment)
    sections.end += 1
    isFixUpDue = true
    guard let segment else { return }
    entryCount += segment.numbers.count
    keys.reserve(directory.bound)
    if let last = lastSegment, last.numbers == segment.numbers {
      // One array serves them all while batches have the same keys in the same order.
      segment.numbers = last.numbers
      last.next = .sameRow(batch)
      keys.enter(segment.numbers, batch: batch) { _, _ in }
    } else {
      // Places are made for a batch when the next one comes, not when one of its keys does: that
      // could be at once for the keys of many batches.
      if let last = lastSegment {
        last.next = .places(Array(repeating: .none, count: last.numbers.count))
        linkBytes += last.numbers.count * MemoryLayout<EntryPlace>.stride
      }
      linkBytes += segment.numbers.count * MemoryLayout<UInt32>.stride
      link(segment, batch)
    }
    lastSegment = segment
  }

  /// Tells the last entries of the keys so far where the next ones are.
  private func link(_ segment: Segment, _ batch: Int) {
    // A segment's places are taken out of it while they are the ones that are written to.
    var distance = -1
    var open: Segment?
    var places: [EntryPlace] = []
    keys.enter(segment.numbers, batch: batch) { from, to in
      let own = from.distance(from: sections.f)
      if own != distance {
        open?.next = .places(places)
        open = segments[own]
        distance = own
        places = open?.takePlaces() ?? []
      }
      places[from.row] = to
    }
    open?.next = .places(places)
  }

  /// Removes the oldest batch. There must be one.
  public func evict(combine: Combine) throws {
    precondition(!segments.isEmpty, "a batch can only leave a window that has one")
    try fixUp(combine)
    let segment = segments.removeFirst()
    sections.f += 1
    isFixUpDue = true
    guard let segment else { return }
    if lastSegment === segment { lastSegment = nil }
    entryCount -= segment.numbers.count
    let gone: [UInt32]
    switch segment.next {
    case .nothing:
      gone = keys.leave(segment.numbers) { _ in .none }
      linkBytes -= segment.numbers.count * MemoryLayout<UInt32>.stride
    case .sameRow(let batch):
      gone = keys.leave(segment.numbers) { row in EntryPlace(batch: batch, row: row) }
    case .places(let places):
      gone = keys.leave(segment.numbers) { row in places[row] }
      let entryBytes = MemoryLayout<UInt32>.stride + MemoryLayout<EntryPlace>.stride
      linkBytes -= segment.numbers.count * entryBytes
    }
    if gone.isEmpty { return }
    directory.remove(gone)
    results.clear(gone)
    productsToB.clear(gone)
    productsToEnd.clear(gone)
  }

  // MARK: - The sections

  /// Moves the sections on by what the last change of the window asks for.
  ///
  /// Invariant: afterwards `Sections.isBalanced`.
  private func fixUp(_ combine: Combine) throws {
    if !isFixUpDue { return }
    if sections.f == sections.b {
      sections.restart()
      productsToEnd.forget()
    } else {
      if sections.l == sections.b {
        sections.flip()
        swap(&productsToB, &productsToEnd)
        productsToEnd.forget()
      }
      if sections.l == sections.r {
        sections.shift()
      } else {
        try shrink(combine)
      }
    }
    isFixUpDue = false
    assert(sections.isBalanced)
  }

  /// Batch `l` and the one before `a` get products to `b`.
  private func shrink(_ combine: Combine) throws {
    let left = segments[sections.l - sections.f]
    let right = segments[sections.a - 1 - sections.f]
    let leftValues = try left.map { segment in
      try form.combined(
        segment.values.inMemory(), with: productsToB, of: segment.numbers, combine
      ).keptOnDiskIfShort()
    }
    let rightValues = try right.map { try joinedWithNext($0, combine).keptOnDiskIfShort() }
    if let leftValues { left?.values = leftValues }
    if let rightValues { right?.values = rightValues }
    sections.shrink()
  }

  /// The values of a segment with those of the same keys' next entries, where these come before
  /// `b`.
  private func joinedWithNext(
    _ segment: Segment, _ combine: Combine
  ) throws -> any RecordBatch {
    let bound = sections.b - sections.f
    switch segment.next {
    case .nothing: return segment.values
    case .sameRow(let batch):
      guard batch < sections.b, let next = segments[batch - sections.f] else {
        return segment.values
      }
      return try form.combined(segment.values.inMemory(), next.values.inMemory(), combine)
    case .places(let places):
      var rows: [UInt32] = []
      for (row, place) in places.enumerated()
      where place != .none && place.distance(from: sections.f) < bound {
        rows.append(UInt32(truncatingIfNeeded: row))
      }
      if rows.isEmpty { return segment.values }
      rows = sorted(rows, by: rows.map { places[Int($0)].rank(from: sections.f) })
      let next = try values(at: rows.map { places[Int($0)] })
      return try form.replaced(segment.values.inMemory(), rows, with: next, combine)
    }
  }

  /// The values of entries.
  ///
  /// - Parameter places: those of a batch side by side.
  private func values(at places: some RandomAccessCollection<EntryPlace>) throws -> any RecordBatch
  {
    try records(at: places) { $0.values }
  }

  /// Records beside entries, as ``values(at:)``.
  private func records(
    at places: some RandomAccessCollection<EntryPlace>,
    of vector: (Segment) -> (any RecordBatch)?
  ) throws -> any RecordBatch {
    var vectors: [any RecordBatch] = []
    var rest = places[...]
    while let distance = rest.first?.distance(from: sections.f) {
      let rows = rest.prefix { $0.distance(from: sections.f) == distance }
        .map { UInt32(truncatingIfNeeded: $0.row) }
      rest = rest.dropFirst(rows.count)
      guard let values = segments[distance].flatMap(vector) else {
        preconditionFailure("an entry is in a batch without entries")
      }
      vectors.append(try form.loaded(values, rows))
    }
    return try form.concatenatedIfNeeded(vectors)
  }

  // MARK: - Results

  /// True where the results are those of the window as it is.
  public var isUpToDate: Bool { !keys.hasTouched }

  /// Brings the results of those keys up to date that have got or lost entries since the last time.
  public func refresh(combine: Combine) throws {
    if !keys.hasTouched { return }
    let numbers = keys.touchedInOrder(from: sections.f)
    if !numbers.isEmpty {
      results.reserve(directory.bound)
      try results.set(numbers, to: products(of: numbers, combine))
    }
    keys.untouch()
  }

  /// The product of each key over the window.
  ///
  /// - Parameter numbers: in the order of the keys' first entries, and so of the sections.
  private func products(of numbers: [UInt32], _ combine: Combine) throws -> any RecordBatch {
    let places = numbers.map { keys.first[Int($0)] }
    var start = 0
    /// The rows of the keys whose first entries come before a batch, and that are not taken yet.
    func rows(before batch: Int) -> Range<Int> {
      var end = start
      while end < places.count, places[end].distance(from: sections.f) < batch - sections.f {
        end += 1
      }
      defer { start = end }
      return start..<end
    }
    let toL = rows(before: sections.l)
    let toR = rows(before: sections.r)
    let toA = rows(before: sections.a)
    let toB = rows(before: sections.b)
    let toEnd = rows(before: sections.end)

    var front: [any RecordBatch] = []
    if !toL.isEmpty { front.append(try values(at: places[toL])) }
    if !toR.isEmpty {
      front.append(
        try form.combined(
          values(at: places[toR]), with: productsToB, of: Array(numbers[toR]), combine))
    }
    if !toA.isEmpty { front.append(try productsToB.gathered(Array(numbers[toA]))) }
    if !toB.isEmpty { front.append(try values(at: places[toB])) }

    var all: [any RecordBatch] = []
    if !front.isEmpty {
      all.append(
        try form.combined(
          form.concatenatedIfNeeded(front), with: productsToEnd,
          of: Array(numbers[..<toB.upperBound]), combine))
    }
    if !toEnd.isEmpty { all.append(try productsToEnd.gathered(Array(numbers[toEnd]))) }
    return try form.concatenatedIfNeeded(all)
  }

  /// The numbers of the keys, by their first entries in the window: the order in which they are
  /// first seen where its batches come one behind the other.
  ///
  /// - Complexity: Of the keys, not of their entries.
  public func order() -> [UInt32] { keys.order(from: sections.f) }

  /// Keys and their products as of the last `refresh`, which must have come after the last change.
  ///
  /// A key is what it is in its first entry in the window.
  ///
  /// - Parameter numbers: some of ``order()``, in that order.
  public func results(
    _ numbers: [UInt32]
  ) throws -> (keys: any RecordBatch, values: any RecordBatch) {
    precondition(!keys.hasTouched, "results are asked for when they are up to date")
    let values = try results.gathered(numbers)
    guard form.tellsEqualKeysApart, !numbers.isEmpty else {
      return (try directory.keys(numbers), values)
    }
    return (try records(at: numbers.map { keys.first[Int($0)] }) { $0.keys }, values)
  }

  // MARK: - Another form

  private init(
    like other: SlidingTable, form: any PairForm, directory: any KeyDirectory,
    vector: (any RecordBatch) throws -> any RecordBatch
  ) throws {
    self.form = form
    self.directory = directory
    results = try other.results.converted(form.makeValues(), vector)
    productsToB = try other.productsToB.converted(form.makeValues(), vector)
    productsToEnd = try other.productsToEnd.converted(form.makeValues(), vector)
    for segment in other.segments {
      let new = try segment.map { segment in
        let keys =
          form.tellsEqualKeysApart
          ? try vector(segment.keys?.inMemory() ?? other.directory.keys(segment.numbers)) : nil
        return try Segment(
          segment.numbers, vector(segment.values.inMemory()), keys: keys, next: segment.next)
      }
      segments.append(new)
      if let segment, segment === other.lastSegment { lastSegment = new }
    }
    keys = other.keys
    sections = other.sections
    isFixUpDue = other.isFixUpDue
    entryCount = other.entryCount
    linkBytes = other.linkBytes
  }

  /// The same window in another form; this one stays as it is.
  ///
  /// - Parameters:
  ///   - directory: makes the directory of the same keys with the same numbers, which are given.
  ///   - vector: makes a vector of the other form.
  /// - Complexity: Of all entries.
  public func converted(
    to form: any PairForm,
    directory: (any KeyDirectory, _ numbers: [UInt32]) throws -> any KeyDirectory,
    vector: (any RecordBatch) throws -> any RecordBatch
  ) throws -> SlidingTable {
    try SlidingTable(
      like: self, form: form, directory: directory(self.directory, keys.order(from: sections.f)),
      vector: vector)
  }
}
