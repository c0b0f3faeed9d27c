import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels

// Columns to Python objects and back, column by column: the edges of native stages.

/// The rows of a column as Python objects, new references.
///
/// - Throws: ``PythonError`` when an object cannot be made.
package func newObjects(
  of column: Column, _ range: Range<Int>, _ py: borrowing Python
) throws -> [PyPointer] {
  // Nothing that is made here is garbage: looking for some between the objects takes longer than
  // making them.
  try py.withoutGarbageCollection { try newParts(of: column, range, py) }
}

private func newParts(
  of column: Column, _ range: Range<Int>, _ py: borrowing Python
) throws -> [PyPointer] {
  var objects = OwnedObjects()
  try fill(&objects, column, range, py)
  return objects.take()
}

/// References that are given up unless they are taken.
struct OwnedObjects: ~Copyable {
  private(set) var pointers: [PyPointer] = []

  init() {}

  /// Takes the references over.
  init(owning pointers: [PyPointer]) { self.pointers = pointers }

  deinit { for pointer in pointers { Py.release(pointer) } }

  mutating func reserve(_ count: Int) { pointers.reserveCapacity(pointers.count + count) }

  @inline(__always)
  mutating func append(_ pointer: PyPointer?, _ py: borrowing Python) throws {
    guard let pointer else { throw PythonError.fetch(py) }
    pointers.append(pointer)
  }

  mutating func take() -> [PyPointer] {
    defer { pointers = [] }
    return pointers
  }
}

private func fill(
  _ objects: inout OwnedObjects, _ column: Column, _ range: Range<Int>, _ py: borrowing Python
) throws {
  objects.reserve(range.count)
  switch column {
  case .none: for _ in range { try objects.append(Py.none(), py) }
  case .bool(let bits): for row in range { try objects.append(Py.bool(bits[row]), py) }
  case .integer(let values):
    try values.withUnsafeBufferPointer { values in
      for row in range { try objects.append(Py.newInteger(values[row]), py) }
    }
  case .double(let values):
    try values.withUnsafeBufferPointer { values in
      for row in range { try objects.append(Py.newDouble(values[row]), py) }
    }
  case .text(let texts):
    try texts.withRows { rows in
      for row in range {
        let bytes = rows[row]
        // SAFETY: the bytes of text columns are valid UTF-8.
        try objects.append(Py.newText(utf8: bytes.baseAddress!, count: bytes.count), py)
      }
    }
  case .tuple(let items, _):
    var parts: [[PyPointer]] = []
    do {
      for item in items { parts.append(try newParts(of: item, range, py)) }
    } catch {
      for object in parts.joined() { Py.release(object) }
      throw error
    }
    let isTracked = !items.allSatisfy(\.type.isAtomic)
    for row in 0..<range.count {
      guard let tuple = Py.newTuple(count: parts.count) else {
        for part in parts { for rest in part[row...] { Py.release(rest) } }
        throw PythonError.fetch(py)
      }
      for (index, part) in parts.enumerated() { Py.setItem(part[row], of: tuple, at: index) }
      if !isTracked { Py.untrack(tuple) }
      try objects.append(tuple, py)
    }
  case .list(let lists):
    for row in range {
      let places = Int(lists.offsets[row])..<Int(lists.offsets[row + 1])
      var items = OwnedObjects()
      try fill(&items, lists.items, places, py)
      try objects.append(py.newList(items.take()), py)
    }
  case .optional(let validity, let values):
    var inner = OwnedObjects()
    try fill(&inner, values, range, py)
    for (index, object) in inner.take().enumerated() {
      if validity[range.lowerBound + index] {
        try objects.append(object, py)
      } else {
        Py.release(object)
        try objects.append(Py.none(), py)
      }
    }
  case .repeated(let value, _):
    // What has a hash cannot be changed, and is shared.
    if value.type.isHashable {
      var single = OwnedObjects()
      try fill(&single, value, 0..<1, py)
      for _ in range { try objects.append(Py.retained(single.pointers[0]), py) }
    } else {
      for _ in range { try fill(&objects, value, 0..<1, py) }
    }
  }
}

extension ColumnType {
  /// True where Python's garbage collector has nothing to do with the objects, nor with tuples of
  /// them: what it would find out when it comes across one.
  fileprivate var isAtomic: Bool {
    switch self {
    case .none, .bool, .integer, .double, .text: true
    case .optional(let type): type.isAtomic
    case .tuple(let items): items.allSatisfy(\.isAtomic)
    case .list: false
    }
  }
}

/// Deeper tuples stay Python objects.
private let deepestTuple = 8

/// The objects of a Python list as a column; nil where they have no common type among columns'.
package func column(ofList list: PyPointer) -> Column? {
  let count = Py.listCount(list)
  guard count > 0 else { return nil }
  var objects: [PyPointer] = []
  objects.reserveCapacity(count)
  for index in 0..<count { objects.append(Py.listItem(list, index)) }
  guard let type = commonType(of: objects, depth: 0) else { return nil }
  return makeColumn(of: objects, type)
}

private func commonType(of objects: [PyPointer], depth: Int) -> ColumnType? {
  guard let first = objects.first, var result = type(of: first, depth: depth) else { return nil }
  for object in objects.dropFirst() {
    guard let type = type(of: object, depth: depth) else { return nil }
    if type == result { continue }
    guard let union = ColumnType.union(result, type) else { return nil }
    result = union
  }
  return result
}

/// The type of an object of exactly one of the types that columns have.
private func type(of object: PyPointer, depth: Int) -> ColumnType? {
  if Py.isExactText(object) { return .text }
  if Py.isExactInteger(object) { return Py.integer(object) == nil ? nil : .integer }
  // A dict finds a NaN by its identity, which a column does not keep.
  if Py.isExactDouble(object) { return Py.double(object).isNaN ? nil : .double }
  if Py.isNone(object) { return ColumnType.none }
  if Py.isExactBool(object) { return .bool }
  guard Py.isExactTuple(object), depth < deepestTuple else { return nil }
  var items: [ColumnType] = []
  for index in 0..<Py.tupleCount(object) {
    guard let item = type(of: Py.tupleItem(object, index), depth: depth + 1) else { return nil }
    items.append(item)
  }
  return .tuple(items)
}

/// A column of objects of a type, or of None where it is optional; nil for text that UTF-8 cannot
/// hold.
private func makeColumn(of objects: [PyPointer], _ type: ColumnType) -> Column? {
  switch type {
  case .none: return Column.none(count: objects.count)
  case .bool: return .bool(Bitmap(count: objects.count) { Py.truth(objects[$0]) == 1 })
  case .integer: return .integer(Buffer(objects.map { Py.integer($0) ?? 0 }))
  case .double: return .double(Buffer(objects.map { Py.double($0) }))
  case .text:
    var builder = TextBuilder(rows: objects.count)
    for object in objects {
      guard let bytes = Py.utf8(of: object) else { return nil }
      builder.append(bytes, isASCII: isASCII(bytes))
    }
    return .text(builder.finish())
  case .tuple(let types):
    var items: [Column] = []
    for (index, type) in types.enumerated() {
      guard let item = makeColumn(of: objects.map { Py.tupleItem($0, index) }, type) else {
        return nil
      }
      items.append(item)
    }
    return .tuple(items, count: objects.count)
  case .list: return nil
  case .optional(let type):
    let validity = Bitmap(count: objects.count) { !Py.isNone(objects[$0]) }
    let present = objects.filter { !Py.isNone($0) }
    guard let values = makeColumn(of: present, type) else { return nil }
    let blank = Column.blank(type)
    return .optional(
      validity: validity,
      .merged(validity, values, .repeated(blank, count: objects.count - present.count)))
  }
}
