/// Where an entry of a window is: its batch, and its row there.
///
/// Batches are counted without end, and 32 bits of their number are kept. A place is compared with
/// others by its distance from the window's first batch, which stays right when these bits begin
/// anew: a window has fewer than 2^31 batches.
struct EntryPlace: Equatable {
  private let bits: UInt64

  /// No entry: a batch has fewer than 2^32 - 1.
  static let none = EntryPlace(bits: .max)

  private init(bits: UInt64) {
    self.bits = bits
  }

  init(batch: Int, row: Int) {
    bits = UInt64(UInt32(truncatingIfNeeded: batch)) << 32 | UInt64(UInt32(truncatingIfNeeded: row))
  }

  var row: Int { Int(bits & 0xFFFF_FFFF) }

  /// How many batches it is behind this one.
  func distance(from first: Int) -> Int {
    Int(UInt32(truncatingIfNeeded: bits >> 32) &- UInt32(truncatingIfNeeded: first))
  }

  /// Smaller for entries that come earlier.
  func rank(from first: Int) -> UInt64 {
    bits &- UInt64(UInt32(truncatingIfNeeded: first)) << 32
  }
}

/// What is known of each key of a window, by its number: its first and its last entry, and what has
/// changed since somebody asked.
struct KeyEntries {
  /// `.none` for numbers that no key has.
  private(set) var first: [EntryPlace] = []
  private var last: [EntryPlace] = []
  private var flags: [UInt8] = []
  /// Keys whose product is another one than at the last `takeTouched`, each once; some may be gone.
  private var touched: [UInt32] = []
  /// Keys whose first entry is another one than at the last `order`, each once; some may be gone.
  private var moved: [UInt32] = []
  /// As of the last `order`.
  private var ordered: [UInt32] = []

  private static let isTouched: UInt8 = 1
  private static let isMoved: UInt8 = 2

  var byteCount: Int {
    (first.capacity + last.capacity) * 8 + flags.capacity
      + (touched.capacity + moved.capacity + ordered.capacity) * 4
  }

  var hasTouched: Bool { !touched.isEmpty }

  /// Makes room for numbers below.
  mutating func reserve(_ bound: Int) {
    guard bound > first.count else { return }
    let missing = bound - first.count
    first += repeatElement(.none, count: missing)
    last += repeatElement(.none, count: missing)
    flags += repeatElement(0, count: missing)
  }

  private mutating func touch(_ number: UInt32) {
    if flags[Int(number)] & Self.isTouched != 0 { return }
    flags[Int(number)] |= Self.isTouched
    touched.append(number)
  }

  private mutating func move(_ number: UInt32) {
    if flags[Int(number)] & Self.isMoved != 0 { return }
    flags[Int(number)] |= Self.isMoved
    moved.append(number)
  }

  /// Notes the entries of a batch, which is the last one.
  ///
  /// - Parameter link: gets the place of each key's last entry so far, and that of its new one.
  mutating func enter(
    _ numbers: [UInt32], batch: Int, link: (_ from: EntryPlace, _ to: EntryPlace) -> Void
  ) {
    for (row, number) in numbers.enumerated() {
      let place = EntryPlace(batch: batch, row: row)
      let earlier = last[Int(number)]
      if earlier == .none {
        first[Int(number)] = place
        move(number)
      } else {
        precondition(earlier.distance(from: batch) != 0, "a key is in a batch once")
        link(earlier, place)
      }
      last[Int(number)] = place
      touch(number)
    }
  }

  /// The first entries of these keys are gone.
  ///
  /// - Parameter next: the place of each key's next entry, or `.none`.
  /// - Returns: the numbers of keys that have no more entries.
  mutating func leave(_ numbers: [UInt32], next: (_ row: Int) -> EntryPlace) -> [UInt32] {
    var gone: [UInt32] = []
    for (row, number) in numbers.enumerated() {
      let place = next(row)
      first[Int(number)] = place
      if place == .none {
        last[Int(number)] = .none
        gone.append(number)
      }
      touch(number)
      move(number)
    }
    return gone
  }

  /// The keys whose product may be another one than at the last time, in the order of their first
  /// entries. They count as touched until `untouch`.
  ///
  /// - Parameter start: the window's first batch.
  func touchedInOrder(from start: Int) -> [UInt32] {
    inOrder(touched.filter { first[Int($0)] != .none }, from: start)
  }

  /// Whoever asked for the touched keys has done with them what was to be done.
  mutating func untouch() {
    for number in touched { flags[Int(number)] &= ~Self.isTouched }
    touched.removeAll(keepingCapacity: true)
  }

  /// All keys in the order of their first entries.
  ///
  /// - Parameter start: the window's first batch.
  /// - Complexity: Of the keys, not of their entries.
  mutating func order(from start: Int) -> [UInt32] {
    if moved.isEmpty { return ordered }
    let changed = inOrder(moved.filter { first[Int($0)] != .none }, from: start)
    let kept = ordered.filter { flags[Int($0)] & Self.isMoved == 0 }
    for number in moved { flags[Int(number)] &= ~Self.isMoved }
    moved.removeAll(keepingCapacity: true)
    ordered = kept.isEmpty ? changed : merged(kept, changed, from: start)
    return ordered
  }

  private func merged(_ a: [UInt32], _ b: [UInt32], from start: Int) -> [UInt32] {
    var result: [UInt32] = []
    result.reserveCapacity(a.count + b.count)
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      let left = first[Int(a[i])].rank(from: start)
      if left < first[Int(b[j])].rank(from: start) {
        result.append(a[i])
        i += 1
      } else {
        result.append(b[j])
        j += 1
      }
    }
    return result + a[i...] + b[j...]
  }

  private func inOrder(_ numbers: [UInt32], from start: Int) -> [UInt32] {
    sorted(numbers, by: numbers.map { first[Int($0)].rank(from: start) })
  }
}

/// Values in the rising order of their ranks, as `EntryPlace` gives them.
///
/// A radix sort of as many bits as tell the ranks apart: places are mostly few batches and few
/// rows.
func sorted(_ values: [UInt32], by ranks: [UInt64]) -> [UInt32] {
  var isSorted = true
  var (rows, batches): (UInt64, UInt64) = (0, 0)
  for (index, rank) in ranks.enumerated() {
    if index > 0, rank < ranks[index - 1] { isSorted = false }
    rows |= rank & 0xFFFF_FFFF
    batches |= rank >> 32
  }
  if isSorted { return values }
  let rowBits = UInt64(64 - rows.leadingZeroBitCount)
  let bits = Int(rowBits) + 64 - batches.leadingZeroBitCount
  var keys = ranks.map { ($0 >> 32) << rowBits | $0 & 0xFFFF_FFFF }
  var values = values
  var (otherKeys, otherValues) = (keys, values)
  for shift in stride(from: UInt64(0), to: UInt64(bits), by: 8) {
    var ends = [Int](repeating: 0, count: 257)
    for key in keys { ends[Int(key >> shift & 0xFF) + 1] += 1 }
    for digit in 1...256 { ends[digit] += ends[digit - 1] }
    for (index, key) in keys.enumerated() {
      let digit = Int(key >> shift & 0xFF)
      otherKeys[ends[digit]] = key
      otherValues[ends[digit]] = values[index]
      ends[digit] += 1
    }
    swap(&keys, &otherKeys)
    swap(&values, &otherValues)
  }
  return values
}
