import SwiftwaterCore

/// Keys with a value each, in the order in which they were put there, changed where they are: what states
/// and running windows are kept in.
///
/// A key has a number while somebody uses it (``retain(_:)``): also one that has no value now. What is
/// changed costs with the keys that are changed, and a look at some pairs with those that are looked at.
///
/// Used by one task at a time.
public final class OrderedTable {
  public let form: any PairForm
  private let directory: any KeyDirectory
  private let values: any ValueArray
  /// The order of the keys that have a value, and their users.
  private var keys = KeyOrder()

  public static let absent = UInt32.max

  public init(form: any PairForm) {
    self.form = form
    directory = form.makeDirectory()
    values = form.makeValues()
  }

  /// For one that goes over to another form: the same keys with the same numbers, in their order.
  private init(
    form: any PairForm, directory: any KeyDirectory, values: any ValueArray,
    like other: OrderedTable
  ) {
    self.form = form
    self.directory = directory
    self.values = values
    keys = other.keys
  }

  /// How many keys have a value.
  public var count: Int { keys.count }

  /// About how many bytes are held.
  public var byteCount: Int {
    directory.byteCount + values.byteCount + keys.byteCount
  }

  /// All numbers are below.
  public var bound: Int { directory.bound }

  public func hasValue(_ number: UInt32) -> Bool { keys.contains(number) }

  /// The number of each key. Those that are new have no value and no user yet: whoever asks gives them
  /// one, or gives them up (``releaseUnused(_:)``).
  ///
  /// - Returns: the numbers, and those of keys that were not there; nil for keys of another form.
  /// - Throws: what comparing keys raises; nothing has changed then.
  public func numbers(
    of keys: any RecordBatch
  ) throws -> (numbers: [UInt32], new: [UInt32])? {
    var newRows: [UInt32] = []
    guard let numbers = try directory.numbers(of: keys, newRows: &newRows) else { return nil }
    return (numbers, newRows.map { numbers[Int($0)] })
  }

  public func keys(_ numbers: [UInt32]) throws -> any RecordBatch { try directory.keys(numbers) }

  /// - Precondition: the keys have a value.
  public func values(_ numbers: [UInt32]) throws -> any RecordBatch {
    try values.gathered(numbers)
  }

  /// Gives keys a value, or another one. Those that have none are put behind all others, in this order.
  public func set(_ numbers: [UInt32], to vector: any RecordBatch) throws {
    try values.set(numbers, to: vector)
    keys.append(numbers)
  }

  /// Takes away the values of keys that have one.
  public func clear(_ numbers: [UInt32]) {
    keys.remove(numbers)
    values.clear(numbers)
    releaseUnused(numbers)
  }

  /// The numbers of these keys stay theirs, with a value or without.
  public func retain(_ numbers: [UInt32]) {
    keys.retain(numbers)
  }

  /// One user less.
  public func release(_ numbers: [UInt32]) {
    keys.release(numbers)
    releaseUnused(numbers)
  }

  /// Gives up those keys that have no value and no user.
  public func releaseUnused(_ numbers: [UInt32]) {
    let unused = numbers.filter { !keys.contains($0) && !keys.hasUsers($0) }
    if !unused.isEmpty { directory.remove(unused) }
  }

  /// The numbers of all keys that have a value, in their order.
  public var allNumbers: [UInt32] { keys.all }

  /// Numbers of keys that have a value, in the order of the table.
  public func inOrder(_ numbers: [UInt32]) -> [UInt32] {
    numbers.sorted { keys.place(of: $0) < keys.place(of: $1) }
  }

  /// The next `count` numbers in their order, from a place on.
  ///
  /// - Parameter place: 0 at first; where to go on next. Good until the table changes.
  public func numbers(from place: inout Int, count: Int) -> [UInt32] {
    keys.numbers(from: &place, count: count)
  }

  /// The pairs of keys with their values.
  public func pairs(_ numbers: [UInt32]) throws -> any RecordBatch {
    try form.pairs(keys(numbers), values(numbers))
  }

  /// The same table in another form.
  ///
  /// - Parameters:
  ///   - directory: makes the directory of the same keys with the same numbers, which are given.
  ///   - vector: makes a vector of the other form.
  public func converted(
    to form: any PairForm,
    directory: (any KeyDirectory, _ numbers: [UInt32]) throws -> any KeyDirectory,
    vector: (any RecordBatch) throws -> any RecordBatch
  ) throws -> OrderedTable {
    let known = (0..<self.directory.bound).lazy.map { UInt32(truncatingIfNeeded: $0) }
      .filter { self.keys.contains($0) || self.keys.hasUsers($0) }
    let array = try values.converted(allNumbers, to: form.makeValues(), vector)
    return OrderedTable(
      form: form, directory: try directory(self.directory, Array(known)), values: array, like: self)
  }
}

/// Numbers in an order, and how often each is used beside.
///
/// While they are 0, 1, 2, ... in this order, nothing is kept but how many they are: keys that come and
/// stay.
private struct KeyOrder {
  private static let absent = OrderedTable.absent

  /// So many numbers in their natural order; nothing else is of use then.
  private var naturalCount: Int? = 0
  /// The numbers in their order, with holes.
  private var order: [UInt32] = []
  private var holes = 0
  /// By number: the place in `order`.
  private var places: [UInt32] = []
  /// By number; nothing where none was ever used.
  private var users: [UInt32] = []

  var count: Int { naturalCount ?? order.count - holes }

  var byteCount: Int { 4 * (order.capacity + places.capacity + users.capacity) }

  func contains(_ number: UInt32) -> Bool {
    if let naturalCount { return number < naturalCount }
    return Int(number) < places.count && places[Int(number)] != Self.absent
  }

  /// - Precondition: it is there.
  func place(of number: UInt32) -> UInt32 { naturalCount == nil ? places[Int(number)] : number }

  /// Puts those that are not there behind all others.
  mutating func append(_ numbers: [UInt32]) {
    for number in numbers where !contains(number) {
      if let count = naturalCount {
        if number == count {
          naturalCount = count + 1
          continue
        }
        leaveNaturalOrder(count)
      }
      if places.count <= number {
        places.append(
          contentsOf: repeatElement(Self.absent, count: Int(number) + 1 - places.count))
      }
      places[Int(number)] = UInt32(truncatingIfNeeded: order.count)
      order.append(number)
    }
  }

  private mutating func leaveNaturalOrder(_ count: Int) {
    naturalCount = nil
    order = (0..<count).map { UInt32(truncatingIfNeeded: $0) }
    places = order
  }

  /// - Precondition: they are there.
  mutating func remove(_ numbers: [UInt32]) {
    if numbers.isEmpty { return }
    if let naturalCount { leaveNaturalOrder(naturalCount) }
    for number in numbers {
      order[Int(places[Int(number)])] = Self.absent
      places[Int(number)] = Self.absent
    }
    holes += numbers.count
    if holes > 1024, holes > order.count / 2 { tidy() }
  }

  private mutating func tidy() {
    order.removeAll { $0 == Self.absent }
    holes = 0
    for (place, number) in order.enumerated() {
      places[Int(number)] = UInt32(truncatingIfNeeded: place)
    }
  }

  var all: [UInt32] {
    if let naturalCount { return (0..<naturalCount).map { UInt32(truncatingIfNeeded: $0) } }
    return order.filter { $0 != Self.absent }
  }

  func numbers(from place: inout Int, count: Int) -> [UInt32] {
    if let naturalCount {
      let end = min(place + count, naturalCount)
      defer { place = max(place, end) }
      return place < end ? (place..<end).map { UInt32(truncatingIfNeeded: $0) } : []
    }
    var numbers: [UInt32] = []
    while place < order.count, numbers.count < count {
      let number = order[place]
      if number != Self.absent { numbers.append(number) }
      place += 1
    }
    return numbers
  }

  mutating func retain(_ numbers: [UInt32]) {
    for number in numbers {
      if users.count <= number {
        users.append(contentsOf: repeatElement(0, count: Int(number) + 1 - users.count))
      }
      users[Int(number)] += 1
    }
  }

  mutating func release(_ numbers: [UInt32]) {
    for number in numbers { users[Int(number)] -= 1 }
  }

  func hasUsers(_ number: UInt32) -> Bool { Int(number) < users.count && users[Int(number)] > 0 }
}
