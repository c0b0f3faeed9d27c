import SwiftwaterCore

/// Pairs that are Swift values: the form of a `DStream<(Key, Value)>`.
public struct ValueForm<Key: Hashable & Sendable, Value: Sendable>: PairForm {
  public init() {}

  public func makeDirectory() -> any KeyDirectory { ValueKeyDirectory<Key>() }

  public func makeValues() -> any ValueArray { OptionalValueArray<Value>() }

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
      return ValueBatch(rows.map { values.elements[Int($0)] })
    }
    let keys = records(of: vector, Key.self)
    return ValueBatch(rows.map { keys[Int($0)] })
  }

  public func concatenated(_ vectors: [any RecordBatch]) throws -> any RecordBatch {
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

/// Values that may be missing, one behind the other.
private final class OptionalValueArray<Value: Sendable>: ValueArray {
  private var values: [Value?] = []

  var byteCount: Int { values.capacity * MemoryLayout<Value?>.stride }

  func gathered(_ places: [UInt32]) throws -> any RecordBatch {
    ValueBatch<Value>(
      places.map { place in
        guard let value = values[Int(place)] else { preconditionFailure("no value \(place)") }
        return value
      })
  }

  func set(_ places: [UInt32], to vector: any RecordBatch) throws {
    let vector = records(of: vector, Value.self)
    precondition(vector.count == places.count, "a value for each place")
    if let last = places.max(), Int(last) >= values.count {
      values += repeatElement(nil, count: Int(last) + 1 - values.count)
    }
    for (row, place) in places.enumerated() { values[Int(place)] = vector[row] }
  }

  func clear(_ places: [UInt32]) {
    for place in places where Int(place) < values.count { values[Int(place)] = nil }
  }
}
