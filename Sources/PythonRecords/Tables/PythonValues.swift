import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterStore

/// Python's objects by place: in memory while there is room. Where it is short, what is set goes to disk,
/// but for objects of which no bytes can be made; what comes from there is a copy.
///
/// SAFETY: changed only while the interpreter is held. The array owns a reference to each value. The end
/// of a value may run Python code: it is released when everything is in its place.
final class PythonValues: ValueArray {
  private var values = GrowingMemory<PyPointer?>()
  private var disk = StoredPlaces()
  /// So many objects are looked for together.
  private static let window = 32

  deinit {
    for place in 0..<values.count {
      if let value = values.base[place] { PythonObject.release(value) }
    }
  }

  /// Without the objects, whose size nobody knows.
  var byteCount: Int { values.byteCount + disk.byteCount }

  func gathered(_ places: [UInt32]) throws -> any RecordBatch {
    try Interpreter.attach { py in
      var objects = OwnedObjects()
      objects.reserve(places.count)
      let stored = disk.isEmpty ? [] : places.filter { disk.holds($0) }
      if stored.isEmpty {
        for start in stride(from: 0, to: places.count, by: Self.window) {
          let some = places[start..<min(start + Self.window, places.count)]
          lookAhead(some)
          for place in some { try objects.append(Py.retained(value(in: place)), py) }
        }
        return try newBatch(objects, py)
      }
      let loaded = try PythonRows.objects(of: disk.read(stored), py)
      var next = 0
      for place in places {
        if disk.holds(place) {
          try objects.append(Py.retained(loaded.pointers[next]), py)
          next += 1
        } else {
          try objects.append(Py.retained(value(in: place)), py)
        }
      }
      return try newBatch(objects, py)
    }
  }

  /// A value that is in memory, which stays the array's.
  private func value(in place: UInt32) -> PyPointer {
    precondition(place < values.count)
    guard let value = values.base[Int(place)] else {
      preconditionFailure("nothing was put into place \(place)")
    }
    return value
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
      if StoredPlaces.isAsked(adding: places.count) { return try setOnDisk(places, new, py) }
      let taken = new.take()
      setInMemory(places) { taken[$0] }
    }
  }

  /// Takes over the new references.
  private func setInMemory(_ places: [UInt32], to value: (_ row: Int) -> PyPointer?) {
    if let largest = places.max() { values.extend(to: Int(largest) + 1) }
    replace(places, by: value)
    disk.remove(places)
  }

  private func setOnDisk(
    _ places: [UInt32], _ new: borrowing OwnedObjects, _ py: borrowing Python
  ) throws {
    // Of a place that comes twice the last value stays.
    var lastRows: [UInt32: Int] = [:]
    for (row, place) in places.enumerated() { lastRows[place] = row }
    let kept = places.indices.filter { lastRows[places[$0]] == $0 }
    let (rows, indices) = try PythonRows.rows(of: kept.map { new.pointers[$0] }, py)
    let written = indices.map { places[kept[$0]] }
    try disk.write(written, rows)
    replace(written.filter { $0 < values.count }) { _ in nil }
    if indices.count == kept.count { return }
    let isWritten = Set(indices)
    let others = kept.indices.filter { !isWritten.contains($0) }.map { kept[$0] }
    let objects = others.map { new.pointers[$0] }
    setInMemory(others.map { places[$0] }) { Py.retained(objects[$0]) }
  }

  func clear(_ places: [UInt32]) {
    Interpreter.attach { _ in
      let here = places.filter { !disk.holds($0) }
      precondition(here.allSatisfy { $0 < values.count })
      replace(here) { _ in nil }
      disk.remove(places)
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
