import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterStore

/// Numbers for Python's objects, with the rules of a `dict`: keys are the same when they have one hash,
/// and are identical or `==`. A key stays the object that came first.
///
/// Where memory is short, new keys of built-in types go to disk; what comes from there is a copy.
///
/// SAFETY: changed only while the interpreter is held. The directory owns a reference to each key. A
/// key's `__eq__` may run Python code, which cannot reach the directory; so may the end of a key, for
/// which it is released when everything is whole again.
final class PythonDirectory: KeyDirectory {
  private struct Entry {
    var hash: Int
    /// Nil where the number is not in use, and for a key on disk.
    var key: PyPointer?
  }

  private(set) var count = 0
  private(set) var bound = 0
  private var entries = GrowingMemory<Entry>()
  private let slots = KeySlots()
  /// Numbers of keys that are gone.
  private var unused: [UInt32] = []
  private var disk = StoredPlaces()
  private let place: OperatorPlace?

  /// Enough to hide the way to memory, few enough to stay in the nearest cache.
  private static let window = 32

  init(at place: OperatorPlace?) { self.place = place }

  deinit {
    for number in 0..<bound {
      if let key = entries.base[number].key { PythonObject.release(key) }
    }
  }

  /// Without the objects, whose size nobody knows.
  var byteCount: Int {
    slots.byteCount + entries.byteCount + unused.capacity * MemoryLayout<UInt32>.stride
      + disk.byteCount
  }

  func numbers(of keys: any RecordBatch, newRows: inout [UInt32]) throws -> [UInt32]? {
    guard let keys = keys as? PythonBatch else { return nil }
    return try Interpreter.attach { py in
      let keys = try objects(of: keys, py)
      let hashes = try keys.pointers.map { key in
        let hash = Py.hash(key)
        if hash == -1 { throw error(at: place, key, py) }
        return hash
      }
      let before = (newRows: newRows.count, bound: bound)
      var numbers: [UInt32] = []
      numbers.reserveCapacity(hashes.count)
      do {
        for start in stride(from: 0, to: hashes.count, by: Self.window) {
          let rows = start..<min(start + Self.window, hashes.count)
          lookAhead(hashes[rows])
          for row in rows {
            numbers.append(try number(of: keys.pointers[row], hashes[row], row, &newRows, py))
          }
        }
        try moveToDiskIfShort(newRows[before.newRows...].map { numbers[Int($0)] }, py)
      } catch {
        for row in newRows[before.newRows...].reversed() {
          takeBack(numbers[Int(row)], isReused: numbers[Int(row)] < before.bound)
        }
        newRows.removeLast(newRows.count - before.newRows)
        throw error
      }
      return numbers
    }
  }

  /// Begins to fetch what is looked at for keys with these hashes.
  private func lookAhead(_ hashes: ArraySlice<Int>) {
    var searches = hashes.map { hash in
      let search = KeySearch(row: 0, hash: KeyHash.spread(hash), growths: slots.growths)
      slots.prefetch(search.tag)
      return search
    }
    for index in searches.indices where slots.advance(&searches[index]) {
      Py.prefetch(entries.base + Int(searches[index].number))
    }
    for search in searches where search.steps > 0 {
      if let key = entries.base[Int(search.number)].key { Py.prefetch(key) }
    }
  }

  /// The number of a key, which is put there where it is new.
  private func number(
    of key: PyPointer, _ hash: Int, _ row: Int, _ newRows: inout [UInt32], _ py: borrowing Python
  ) throws -> UInt32 {
    var search = KeySearch(row: row, hash: KeyHash.spread(hash), growths: slots.growths)
    while slots.advance(&search) {
      let entry = entries.base[Int(search.number)]
      if entry.hash != hash { continue }
      let same: Int32
      if let known = entry.key {
        same = Py.equal(known, key)
      } else {
        let known = try PythonRows.objects(of: disk.read([search.number]), py)
        same = Py.equal(known.pointers[0], key)
      }
      if same < 0 { throw error(at: place, key, py) }
      if same > 0 { return search.number }
    }
    let number = unused.popLast() ?? UInt32(bound)
    bound = max(bound, Int(number) + 1)
    entries.extend(to: bound)
    slots.insert(number, for: search)
    Py.retain(key)
    entries.base[Int(number)] = Entry(hash: hash, key: key)
    count += 1
    newRows.append(UInt32(row))
    return number
  }

  /// Puts new keys on disk where memory is short.
  ///
  /// - Throws: where they cannot be written; nothing has changed then.
  private func moveToDiskIfShort(_ numbers: [UInt32], _ py: borrowing Python) throws {
    guard !numbers.isEmpty, StoredPlaces.isAsked(adding: numbers.count) else { return }
    let moving = numbers.filter { number in
      entries.base[Int(number)].key.map { Isolation.isEqualToItsCopy($0) } ?? false
    }
    let (rows, indices) = try PythonRows.rows(of: moving.map { entries.base[Int($0)].key! }, py)
    let written = indices.map { moving[$0] }
    try disk.write(written, rows)
    for number in written {
      // A value of a built-in type: its end runs no code.
      if let key = entries.base[Int(number)].key { Py.release(key) }
      entries.base[Int(number)].key = nil
    }
  }

  /// Undoes that a key was put there; the batch has it still.
  private func takeBack(_ number: UInt32, isReused: Bool) {
    if let key = detach(number) { Py.release(key) }
    if isReused { unused.append(number) } else { bound -= 1 }
  }

  /// Takes a key out, whose reference is the caller's then; nil for a key on disk, which is still there.
  private func detach(_ number: UInt32) -> PyPointer? {
    let entry = entries.base[Int(number)]
    precondition(entry.key != nil || disk.holds(number), "no key has the number \(number)")
    slots.remove(number, hash: KeyHash.spread(entry.hash))
    entries.base[Int(number)].key = nil
    count -= 1
    return entry.key
  }

  func remove(_ numbers: [UInt32]) {
    Interpreter.attach { _ in
      let keys = numbers.map { number in
        precondition(number < bound)
        return detach(number)
      }
      unused += numbers
      disk.remove(numbers)
      for case let key? in keys { Py.release(key) }
    }
  }

  func keys(_ numbers: [UInt32]) throws -> any RecordBatch {
    try Interpreter.attach { py in
      let stored = disk.isEmpty ? [] : numbers.filter { disk.holds($0) }
      let loaded = try PythonRows.objects(of: disk.read(stored), py)
      var next = 0
      var keys = OwnedObjects()
      keys.reserve(numbers.count)
      for number in numbers {
        precondition(number < bound)
        if let key = entries.base[Int(number)].key {
          try keys.append(Py.retained(key), py)
        } else {
          precondition(next < stored.count, "no key has the number \(number)")
          try keys.append(Py.retained(loaded.pointers[next]), py)
          next += 1
        }
      }
      return try newBatch(keys, py)
    }
  }

  /// Takes the keys of a directory of columns over, whose numbers they keep.
  func add(from directory: ColumnDirectory) throws {
    let numbers = directory.numbers
    entries.extend(to: directory.bound)
    bound = directory.bound
    for start in stride(from: 0, to: numbers.count, by: rowsPerConversion) {
      let some = Array(numbers[start..<min(start + rowsPerConversion, numbers.count)])
      let column = ColumnBatch(column: try directory.keys(some)).column
      try Interpreter.attach { py in
        var keys = try OwnedObjects(of: column, py)
        let hashes = try keys.pointers.map { key in
          let hash = Py.hash(key)
          if hash == -1 { throw error(at: place, key, py) }
          return hash
        }
        for (index, key) in keys.take().enumerated() {
          // Keys of one column are different ones in Python too.
          let hash = KeyHash.spread(hashes[index])
          var search = KeySearch(row: index, hash: hash, growths: slots.growths)
          while slots.advance(&search) {}
          slots.insert(some[index], for: search)
          entries.base[Int(some[index])] = Entry(hash: hashes[index], key: key)
        }
        try moveToDiskIfShort(some, py)
      }
    }
    count = numbers.count
    unused = (0..<UInt32(bound)).filter { entries.base[Int($0)].key == nil && !disk.holds($0) }
  }
}
