import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels

/// Python's objects by place.
///
/// SAFETY: changed only while the interpreter is held. The array owns a reference to each value. The end
/// of a value may run Python code: it is released when everything is in its place.
final class PythonValues: ValueArray {
  private var values = GrowingMemory<PyPointer?>()
  /// So many objects are looked for together.
  private static let window = 32

  deinit {
    for place in 0..<values.count {
      if let value = values.base[place] { PythonObject.release(value) }
    }
  }

  /// Without the objects, whose size nobody knows.
  var byteCount: Int { values.byteCount }

  func gathered(_ places: [UInt32]) throws -> any RecordBatch {
    try Interpreter.attach { py in
      var objects = OwnedObjects()
      objects.reserve(places.count)
      for start in stride(from: 0, to: places.count, by: Self.window) {
        let some = places[start..<min(start + Self.window, places.count)]
        lookAhead(some)
        for place in some {
          guard let value = values.base[Int(place)] else {
            preconditionFailure("nothing was put into place \(place)")
          }
          try objects.append(Py.retained(value), py)
        }
      }
      return try newBatch(objects, py)
    }
  }

  /// Begins to fetch the objects in places, which lie anywhere: each is touched when it is handed out.
  private func lookAhead(_ places: ArraySlice<UInt32>) {
    precondition(places.allSatisfy { $0 < values.count })
    for place in places { Py.prefetch(values.base + Int(place)) }
    for place in places { if let value = values.base[Int(place)] { Py.prefetch(value) } }
  }

  func set(_ places: [UInt32], to values: any RecordBatch) throws {
    precondition(places.count == values.recordCount)
    try Interpreter.attach { py in
      var new = try objects(of: values, py)
      if let largest = places.max() { self.values.extend(to: Int(largest) + 1) }
      let taken = new.take()
      replace(places) { taken[$0] }
    }
  }

  func clear(_ places: [UInt32]) {
    Interpreter.attach { _ in
      precondition(places.allSatisfy { $0 < values.count })
      replace(places) { _ in nil }
    }
  }

  /// Takes over the new references.
  private func replace(_ places: [UInt32], by value: (_ row: Int) -> PyPointer?) {
    var old: [PyPointer] = []
    old.reserveCapacity(places.count)
    for (row, place) in places.enumerated() {
      if let before = values.base[Int(place)] { old.append(before) }
      values.base[Int(place)] = value(row)
    }
    for object in old { Py.release(object) }
  }
}
