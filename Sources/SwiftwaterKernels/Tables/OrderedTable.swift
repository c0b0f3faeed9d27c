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
  /// The numbers of the keys that have a value, in their order, with holes.
  private var order: [UInt32] = []
  private var holes = 0
  /// By number: the place in `order`; ``absent`` for a key without a value.
  private var places: [UInt32] = []
  /// By number: how many users a key has beside its value.
  private var users: [UInt32] = []

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
    order = other.order
    holes = other.holes
    places = other.places
    users = other.users
  }

  /// How many keys have a value.
  public var count: Int { order.count - holes }

  /// About how many bytes are held.
  public var byteCount: Int {
    directory.byteCount + values.byteCount + 4 * (order.capacity + places.capacity + users.capacity)
  }

  /// All numbers are below.
  public var bound: Int { directory.bound }

  public func hasValue(_ number: UInt32) -> Bool { places[Int(number)] != Self.absent }

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
    let missing = directory.bound - places.count
    if missing > 0 {
      places.append(contentsOf: repeatElement(Self.absent, count: missing))
      users.append(contentsOf: repeatElement(0, count: missing))
    }
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
    for number in numbers where places[Int(number)] == Self.absent {
      places[Int(number)] = UInt32(truncatingIfNeeded: order.count)
      order.append(number)
    }
  }

  /// Takes away the values of keys that have one.
  public func clear(_ numbers: [UInt32]) {
    for number in numbers {
      order[Int(places[Int(number)])] = Self.absent
      places[Int(number)] = Self.absent
    }
    holes += numbers.count
    values.clear(numbers)
    if holes > 1024, holes > order.count / 2 { tidy() }
    releaseUnused(numbers)
  }

  private func tidy() {
    order.removeAll { $0 == Self.absent }
    holes = 0
    for (place, number) in order.enumerated() {
      places[Int(number)] = UInt32(truncatingIfNeeded: place)
    }
  }

  /// The numbers of these keys stay theirs, with a value or without.
  public func retain(_ numbers: [UInt32]) {
    for number in numbers { users[Int(number)] += 1 }
  }

  /// One user less.
  public func release(_ numbers: [UInt32]) {
    for number in numbers { users[Int(number)] -= 1 }
    releaseUnused(numbers)
  }

  /// Gives up those keys that have no value and no user.
  public func releaseUnused(_ numbers: [UInt32]) {
    let unused = numbers.filter { places[Int($0)] == Self.absent && users[Int($0)] == 0 }
    if !unused.isEmpty { directory.remove(unused) }
  }

  /// The numbers of all keys that have a value, in their order.
  public var allNumbers: [UInt32] { order.filter { $0 != Self.absent } }

  /// Numbers of keys that have a value, in the order of the table.
  public func inOrder(_ numbers: [UInt32]) -> [UInt32] {
    numbers.sorted { places[Int($0)] < places[Int($1)] }
  }

  /// The next `count` numbers in their order, from a place on.
  ///
  /// - Parameter place: 0 at first; where to go on next. Good until the table changes.
  public func numbers(from place: inout Int, count: Int) -> [UInt32] {
    var numbers: [UInt32] = []
    while place < order.count, numbers.count < count {
      let number = order[place]
      if number != Self.absent { numbers.append(number) }
      place += 1
    }
    return numbers
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
    let known = places.indices.lazy.map { UInt32(truncatingIfNeeded: $0) }
      .filter { self.places[Int($0)] != Self.absent || self.users[Int($0)] > 0 }
    let array = form.makeValues()
    let valued = allNumbers
    if !valued.isEmpty { try array.set(valued, to: vector(values.gathered(valued))) }
    return OrderedTable(
      form: form, directory: try directory(self.directory, Array(known)), values: array, like: self)
  }
}
