import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels

/// Python's objects by place.
///
/// SAFETY: changed only while the interpreter is held. The array owns a reference to each value. The end
/// of a value may run Python code: it is released when everything is in its place.
final class PythonValues: ValueArray {
  private var values = GrowingMemory<PyPointer?>()

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
      for place in places {
        precondition(place < values.count)
        guard let value = values.base[Int(place)] else {
          preconditionFailure("nothing was put into place \(place)")
        }
        try objects.append(Py.retained(value), py)
      }
      return try newBatch(objects, py)
    }
  }

  func set(_ places: [UInt32], to values: any RecordBatch) throws {
    precondition(places.count == values.recordCount)
    try Interpreter.attach { py in
      var new = try objects(of: values, py)
      if let largest = places.max() { self.values.extend(to: Int(largest) + 1) }
      replace(places, by: new.take())
    }
  }

  func clear(_ places: [UInt32]) {
    Interpreter.attach { _ in
      precondition(places.allSatisfy { $0 < values.count })
      replace(places, by: Array(repeating: nil, count: places.count))
    }
  }

  /// Takes over the new references.
  private func replace(_ places: [UInt32], by new: [PyPointer?]) {
    var old: [PyPointer] = []
    old.reserveCapacity(places.count)
    for (place, value) in zip(places, new) {
      if let before = values.base[Int(place)] { old.append(before) }
      values.base[Int(place)] = value
    }
    for object in old { Py.release(object) }
  }
}
