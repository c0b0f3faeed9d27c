import SwiftwaterCore

/// Pairs that are Swift values: the form of a `DStream<(Key, Value)>`.
public struct ValueForm<Key: Hashable & Sendable, Value: Sendable>: PairForm {
  public init() {}

  public func makeDirectory() -> any KeyDirectory { ValueKeyDirectory<Key>() }

  public func makeValues() -> any ValueArray { ValuePlaces<Value>() }

  public func split(
    _ pairs: any RecordBatch
  ) throws -> (keys: any RecordBatch, values: any RecordBatch)? {
    guard let pairs = pairs as? ValueBatch<(Key, Value)> else { return nil }
    return (ValueBatch(pairs.elements.map(\.0)), ValueBatch(pairs.elements.map(\.1)))
  }

  public func pairs(
    _ keys: any RecordBatch, _ values: any RecordBatch
  ) throws -> any RecordBatch {
    ValueBatch(Array(zip(records(of: keys, Key.self), records(of: values, Value.self))))
  }

  public func gathered(_ vector: any RecordBatch, _ rows: [UInt32]) throws -> any RecordBatch {
    if let values = vector as? ValueBatch<Value> {
      return ValueBatch(picked(values.elements, rows))
    }
    return ValueBatch(picked(records(of: vector, Key.self), rows))
  }

  public func concatenated(_ vectors: [any RecordBatch]) throws -> any RecordBatch {
    if vectors.count == 1 { return vectors[0] }
    if let first = vectors.first, !(first is ValueBatch<Value>) {
      return concatenated(vectors, Key.self)
    }
    return concatenated(vectors, Value.self)
  }

  private func concatenated<Element: Sendable>(
    _ vectors: [any RecordBatch], _: Element.Type
  ) -> ValueBatch<Element> {
    var elements: [Element] = []
    elements.reserveCapacity(vectors.reduce(0) { $0 + $1.recordCount })
    for vector in vectors { elements += records(of: vector, Element.self) }
    return ValueBatch(elements)
  }
}

/// Invariant: the vectors of a form are of its own types, whoever combines them.
private func records<Element: Sendable>(
  of vector: any RecordBatch, _: Element.Type
) -> [Element] {
  guard let vector = vector as? ValueBatch<Element> else {
    preconditionFailure("a vector of \(Element.self) is a \(type(of: vector))")
  }
  return vector.elements
}

/// The elements in these rows.
///
/// The code of a form is one for all types: where elements are copied in their places, no element
/// is handed from function to function.
private func picked<Element>(_ elements: [Element], _ rows: [UInt32]) -> [Element] {
  elements.withUnsafeBufferPointer { elements in
    [Element](unsafeUninitializedCapacity: rows.count) { memory, count in
      // SAFETY: there is room for `rows.count` elements, of which `count` are initialised at any
      // time; with a row that is below `elements.count` there is an address, and the element is
      // initialised.
      guard let source = elements.baseAddress, let target = memory.baseAddress else {
        return precondition(rows.isEmpty, "rows of a vector that has none")
      }
      for row in rows {
        precondition(Int(row) < elements.count, "a row of the vector")
        (target + count).initialize(from: source + Int(row), count: 1)
        count += 1
      }
    }
  }
}

/// Keys in Swift's own dictionary.
private final class ValueKeyDirectory<Key: Hashable & Sendable>: KeyDirectory {
  private var numbers: [Key: UInt32] = [:]
  /// By number; nil where it is free.
  private var keys: [Key?] = []
  private var free: [UInt32] = []

  var count: Int { numbers.count }

  var bound: Int { keys.count }

  var byteCount: Int {
    numbers.capacity * (MemoryLayout<Key>.stride + 5) + keys.capacity * MemoryLayout<Key?>.stride
      + free.capacity * 4
  }

  func numbers(of vector: any RecordBatch, newRows: inout [UInt32]) throws -> [UInt32]? {
    guard let vector = vector as? ValueBatch<Key> else { return nil }
    var result: [UInt32] = []
    result.reserveCapacity(vector.recordCount)
    for (row, key) in vector.elements.enumerated() {
      if let number = numbers[key] {
        result.append(number)
        continue
      }
      let number: UInt32
      if let last = free.popLast() {
        number = last
        keys[Int(number)] = key
      } else {
        number = UInt32(keys.count)
        keys.append(key)
      }
      numbers[key] = number
      newRows.append(UInt32(row))
      result.append(number)
    }
    return result
  }

  func remove(_ removed: [UInt32]) {
    for number in removed {
      guard let key = keys[Int(number)] else { continue }
      numbers[key] = nil
      keys[Int(number)] = nil
      free.append(number)
    }
  }

  func keys(_ wanted: [UInt32]) throws -> any RecordBatch {
    ValueBatch<Key>(
      wanted.map { number in
        guard let key = keys[Int(number)] else { preconditionFailure("no key \(number)") }
        return key
      })
  }
}

/// Values in memory of which some places are empty.
///
/// SAFETY: there is room for `isSet.count` values at `base`, and those are initialised whose place
/// is set; nobody but this class, which one task uses at a time, has the address.
private final class ValuePlaces<Value: Sendable>: ValueArray {
  private var base: UnsafeMutablePointer<Value>?
  private var isSet: [Bool] = []

  deinit {
    if let base { empty(base) }
    base?.deallocate()
  }

  private func empty(_ base: UnsafeMutablePointer<Value>) {
    for place in isSet.indices where isSet[place] { (base + place).deinitialize(count: 1) }
  }

  var byteCount: Int { isSet.count * (MemoryLayout<Value>.stride + 1) }

  func gathered(_ places: [UInt32]) throws -> any RecordBatch {
    ValueBatch(
      [Value](unsafeUninitializedCapacity: places.count) { memory, count in
        // SAFETY: there is room for `places.count` values, of which `count` are initialised at any
        // time.
        guard let base, let target = memory.baseAddress else {
          return precondition(places.isEmpty, "places of an array that has none")
        }
        for place in places {
          precondition(isSet[Int(place)], "a place that was set")
          (target + count).initialize(from: base + Int(place), count: 1)
          count += 1
        }
      })
  }

  func set(_ places: [UInt32], to vector: any RecordBatch) throws {
    let values = records(of: vector, Value.self)
    precondition(values.count == places.count, "a value for each place")
    guard let last = places.max() else { return }
    let base = room(for: Int(last) + 1)
    values.withUnsafeBufferPointer { values in
      guard let source = values.baseAddress else { return }
      for (row, place) in places.enumerated() {
        // SAFETY: the room is for all places; rows are below `values.count`.
        let (from, to) = (source + row, base + Int(place))
        if isSet[Int(place)] {
          to.update(from: from, count: 1)
        } else {
          to.initialize(from: from, count: 1)
          isSet[Int(place)] = true
        }
      }
    }
  }

  private func room(for count: Int) -> UnsafeMutablePointer<Value> {
    if let base, count <= isSet.count { return base }
    let capacity = max(count, isSet.count * 2)
    let larger = UnsafeMutablePointer<Value>.allocate(capacity: capacity)
    if let base {
      for place in isSet.indices where isSet[place] {
        (larger + place).moveInitialize(from: base + place, count: 1)
      }
      base.deallocate()
    }
    base = larger
    isSet += repeatElement(false, count: capacity - isSet.count)
    return larger
  }

  func clear(_ places: [UInt32]) {
    for place in places where Int(place) < isSet.count && isSet[Int(place)] {
      isSet[Int(place)] = false
      if let base { (base + Int(place)).deinitialize(count: 1) }
    }
  }
}
