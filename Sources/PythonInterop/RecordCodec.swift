import CPython

// Python values as bytes, in a format that depends neither on pickle nor on a version of Python,
// but for objects of types that are not built in. docs/checkpoints.md describes it.

private enum Tag {
  static let none = UInt8(ascii: "N")
  static let yes = UInt8(ascii: "T")
  static let no = UInt8(ascii: "F")
  /// A zigzag varint.
  static let integer = UInt8(ascii: "i")
  /// Length and hexadecimal digits.
  static let largeInteger = UInt8(ascii: "I")
  /// Eight bytes, IEEE 754, little-endian.
  static let float = UInt8(ascii: "d")
  static let complex = UInt8(ascii: "c")
  /// Length and UTF-8 (lone surrogates as three bytes).
  static let text = UInt8(ascii: "s")
  static let bytes = UInt8(ascii: "b")
  /// Count and items.
  static let tuple = UInt8(ascii: "t")
  static let list = UInt8(ascii: "l")
  static let set = UInt8(ascii: "S")
  static let frozenSet = UInt8(ascii: "Z")
  /// Count, then keys and values in turn.
  static let dict = UInt8(ascii: "D")
  /// Length and what pickle makes of it.
  static let pickled = UInt8(ascii: "P")
}

/// Writes values one behind the other.
///
/// SAFETY: used by threads that hold the interpreter. A value is held while it is written, and so is
/// each part of a list, a dict or a set, which Python's code may change meanwhile; those of a tuple
/// are held by it.
public struct RecordEncoder {
  /// Deeper values are pickled as a whole.
  private static let deepest = 1000

  public private(set) var bytes: [UInt8] = []

  public init() {}

  /// False with an exception set: pickle cannot write an object in the value. Nothing of the value
  /// is left behind then.
  public mutating func append(_ value: PyPointer) -> Bool {
    // Pickling runs Python's code: the value may be gone where it came from.
    sw_retain(value)
    defer { sw_release(value) }
    let start = bytes.count
    if encode(value, depth: 0) { return true }
    let isPickleError = PyErr_Occurred() != nil
    bytes.removeSubrange(start...)
    return isPickleError ? false : pickle(value)
  }

  /// Takes what was written last back.
  ///
  /// - Parameter start: how many bytes there were before.
  public mutating func removeLast(from start: Int) { bytes.removeSubrange(start...) }

  /// Text that is at hand as UTF-8.
  public mutating func append(utf8: UnsafeRawBufferPointer) {
    bytes.append(Tag.text)
    append(count: utf8.count)
    bytes.append(contentsOf: utf8)
  }

  /// A number from 0 on, seven bits a byte, the lowest first.
  public mutating func append(count: Int) {
    append(varint: UInt64(count))
  }

  public mutating func append(raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }

  private mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func append(float value: Double) {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// False: too deep, or an exception is set.
  private mutating func encode(_ value: PyPointer, depth: Int) -> Bool {
    if depth > Self.deepest { return false }
    if sw_is_exact_text(value) != 0 { return encodeText(value) }
    if sw_is_exact_int(value) != 0 { return encodeInteger(value) }
    if value == sw_none() { return one(Tag.none) }
    if value == sw_true() { return one(Tag.yes) }
    if value == sw_false() { return one(Tag.no) }
    if sw_is_exact_float(value) != 0 {
      bytes.append(Tag.float)
      append(float: PyFloat_AsDouble(value))
      return true
    }
    if sw_is_exact_tuple(value) != 0 {
      bytes.append(Tag.tuple)
      let count = PyTuple_Size(value)
      append(count: count)
      for index in 0..<count
      where !encode(PyTuple_GetItem(value, index)!, depth: depth + 1) { return false }
      return true
    }
    if sw_is_exact_list(value) != 0 {
      bytes.append(Tag.list)
      let count = PyList_Size(value)
      append(count: count)
      for index in 0..<count {
        // Pickling an item may run code that changes the list.
        guard index < PyList_Size(value) else { return changed() }
        let item = PyList_GetItem(value, index)!
        sw_retain(item)
        defer { sw_release(item) }
        if !encode(item, depth: depth + 1) { return false }
      }
      return PyList_Size(value) == count || changed()
    }
    if sw_is_exact_dict(value) != 0 { return encodeDict(value, depth: depth) }
    if sw_is_exact_bytes(value) != 0 {
      return encodeBytes(value, Tag.bytes)
    }
    if sw_is_exact_set(value) != 0 { return encodeSet(value, Tag.set, depth: depth) }
    if sw_is_exact_frozenset(value) != 0 { return encodeSet(value, Tag.frozenSet, depth: depth) }
    if sw_is_exact_complex(value) != 0 {
      bytes.append(Tag.complex)
      append(float: PyComplex_RealAsDouble(value))
      append(float: PyComplex_ImagAsDouble(value))
      return true
    }
    return pickle(value)
  }

  private mutating func one(_ tag: UInt8) -> Bool {
    bytes.append(tag)
    return true
  }

  private mutating func encodeText(_ value: PyPointer) -> Bool {
    if sw_is_ascii(value) != 0 {
      var count = 0
      guard let start = PyUnicode_AsUTF8AndSize(value, &count) else { return false }
      append(utf8: UnsafeRawBufferPointer(start: start, count: count))
      return true
    }
    // Not with the function above: it would leave a copy in the object for as long as that lives.
    guard let encoded = PyUnicode_AsEncodedString(value, "utf-8", "surrogatepass") else {
      return false
    }
    defer { sw_release(encoded) }
    return encodeBytes(encoded, Tag.text)
  }

  private mutating func encodeInteger(_ value: PyPointer) -> Bool {
    let number = PyLong_AsLongLong(value)
    if number == -1, PyErr_Occurred() != nil {
      PyErr_Clear()
      guard let digits = PyNumber_ToBase(value, 16) else { return false }
      defer { sw_release(digits) }
      var count = 0
      guard let start = PyUnicode_AsUTF8AndSize(digits, &count) else { return false }
      bytes.append(Tag.largeInteger)
      append(count: count)
      append(raw: UnsafeRawBufferPointer(start: start, count: count))
      return true
    }
    bytes.append(Tag.integer)
    append(varint: UInt64(bitPattern: (number << 1) ^ (number >> 63)))
    return true
  }

  private mutating func encodeBytes(_ value: PyPointer, _ tag: UInt8) -> Bool {
    bytes.append(tag)
    let count = PyBytes_Size(value)
    append(count: count)
    append(raw: UnsafeRawBufferPointer(start: PyBytes_AsString(value), count: count))
    return true
  }

  private mutating func encodeDict(_ dict: PyPointer, depth: Int) -> Bool {
    bytes.append(Tag.dict)
    let count = PyDict_Size(dict)
    append(count: count)
    var position = 0
    var key: PyPointer?
    var value: PyPointer?
    var written = 0
    while PyDict_Next(dict, &position, &key, &value) != 0 {
      guard let key, let value, written < count else { return changed() }
      sw_retain(key)
      sw_retain(value)
      defer {
        sw_release(key)
        sw_release(value)
      }
      guard encode(key, depth: depth + 1), encode(value, depth: depth + 1) else { return false }
      if PyDict_Size(dict) != count { return changed() }
      written += 1
    }
    return written == count || changed()
  }

  private func changed() -> Bool {
    Py.raise(.runtimeError, "a container changed its size while it was written")
    return false
  }

  private mutating func encodeSet(_ set: PyPointer, _ tag: UInt8, depth: Int) -> Bool {
    bytes.append(tag)
    let count = PySet_Size(set)
    append(count: count)
    guard let iterator = PyObject_GetIter(set) else { return false }
    defer { sw_release(iterator) }
    var written = 0
    while let item = PyIter_Next(iterator) {
      defer { sw_release(item) }
      if written == count { return changed() }
      if !encode(item, depth: depth + 1) { return false }
      written += 1
    }
    if PyErr_Occurred() != nil { return false }
    return written == count || changed()
  }

  private mutating func pickle(_ value: PyPointer) -> Bool {
    guard let dumps = imported("dumps") else { return false }
    defer { sw_release(dumps) }
    guard let protocolNumber = PyLong_FromSsize_t(4) else { return false }
    defer { sw_release(protocolNumber) }
    guard let data = sw_call2(dumps, value, protocolNumber) else { return false }
    defer { sw_release(data) }
    return encodeBytes(data, Tag.pickled)
  }
}

/// Reads values one after the other.
///
/// SAFETY: used by threads that hold the interpreter. Nothing is read behind the end of the bytes,
/// whatever they say.
public struct RecordDecoder {
  private static let deepest = 1000

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  /// - Parameter bytes: must outlive the decoder.
  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  public var isAtEnd: Bool { position == bytes.count }

  /// A list of the first `count` values.
  ///
  /// - Throws: ``PythonError`` where the bytes are not in the format.
  public static func list(
    in data: [UInt8], count: Int, _ py: borrowing Python
  ) throws -> PythonObject {
    try data.withUnsafeBytes { bytes in
      var decoder = RecordDecoder(bytes)
      guard let list = Py.newList() else { throw PythonError.fetch(py) }
      let owner = PythonObject(owning: list)
      for _ in 0..<count {
        guard let value = decoder.next() else { throw PythonError.fetch(py) }
        defer { sw_release(value) }
        guard PyList_Append(list, value) == 0 else { throw PythonError.fetch(py) }
      }
      return owner
    }
  }

  /// The next value as a new reference; nil with an exception set.
  public mutating func next() -> PyPointer? { decode(depth: 0) }

  /// A count as ``RecordEncoder/append(count:)`` writes it; nil where there is none.
  public mutating func count() -> Int? {
    varint().flatMap { Int(exactly: $0) }
  }

  private mutating func decode(depth: Int) -> PyPointer? {
    guard depth <= Self.deepest, let tag = byte() else { return wrong() }
    switch tag {
    case Tag.none: return Py.none()
    case Tag.yes: return Py.retained(sw_true())
    case Tag.no: return Py.retained(sw_false())
    case Tag.integer:
      guard let coded = varint() else { return wrong() }
      return PyLong_FromLongLong(Int64(bitPattern: coded >> 1) ^ -Int64(bitPattern: coded & 1))
    case Tag.float: return double().map { PyFloat_FromDouble($0) } ?? wrong()
    case Tag.complex:
      guard let real = double(), let imaginary = double() else { return wrong() }
      return PyComplex_FromDoubles(real, imaginary)
    case Tag.text, Tag.bytes, Tag.largeInteger, Tag.pickled: return decodeRun(tag)
    case Tag.tuple, Tag.list: return decodeSequence(tag, depth: depth)
    case Tag.dict: return decodeDict(depth: depth)
    case Tag.set, Tag.frozenSet:
      guard let list = decodeSequence(Tag.list, depth: depth) else { return nil }
      defer { sw_release(list) }
      return tag == Tag.set ? PySet_New(list) : PyFrozenSet_New(list)
    default: return wrong()
    }
  }

  private mutating func decodeRun(_ tag: UInt8) -> PyPointer? {
    guard let length = count(), length <= bytes.count - position else { return wrong() }
    let run = UnsafeRawBufferPointer(rebasing: bytes[position..<(position + length)])
    position += length
    let characters = run.baseAddress?.assumingMemoryBound(to: CChar.self)
    switch tag {
    case Tag.text: return PyUnicode_DecodeUTF8(characters, length, "surrogatepass")
    case Tag.bytes: return PyBytes_FromStringAndSize(characters, length)
    case Tag.largeInteger:
      let digits = String(decoding: run, as: UTF8.self)
      return PyLong_FromString(digits, nil, 16)
    default:
      guard let data = PyBytes_FromStringAndSize(characters, length) else { return nil }
      defer { sw_release(data) }
      guard let loads = imported("loads") else { return nil }
      defer { sw_release(loads) }
      return sw_call1(loads, data)
    }
  }

  private mutating func decodeSequence(_ tag: UInt8, depth: Int) -> PyPointer? {
    // Each item takes a byte at least: a wrong count cannot ask for much memory.
    guard let count = count(), count <= bytes.count - position else { return wrong() }
    if count > Self.longestReserved { return decodeLongSequence(tag, count, depth: depth) }
    guard let new = tag == Tag.tuple ? PyTuple_New(count) : PyList_New(count) else { return nil }
    for index in 0..<count {
      guard let item = decode(depth: depth + 1) else {
        sw_release(new)
        return nil
      }
      if tag == Tag.tuple {
        PyTuple_SetItem(new, index, item)
      } else {
        PyList_SetItem(new, index, item)
      }
    }
    return new
  }

  /// Room for this many items is made at once; for more, as they come.
  private static let longestReserved = 4096

  private mutating func decodeLongSequence(
    _ tag: UInt8, _ count: Int, depth: Int
  ) -> PyPointer? {
    guard let list = PyList_New(0) else { return nil }
    for _ in 0..<count {
      guard let item = decode(depth: depth + 1) else {
        sw_release(list)
        return nil
      }
      defer { sw_release(item) }
      if PyList_Append(list, item) != 0 {
        sw_release(list)
        return nil
      }
    }
    if tag == Tag.list { return list }
    defer { sw_release(list) }
    return PyList_AsTuple(list)
  }

  private mutating func decodeDict(depth: Int) -> PyPointer? {
    guard let count = count(), count <= bytes.count - position else { return wrong() }
    guard let new = PyDict_New() else { return nil }
    for _ in 0..<count {
      guard let key = decode(depth: depth + 1) else {
        sw_release(new)
        return nil
      }
      defer { sw_release(key) }
      guard let value = decode(depth: depth + 1) else {
        sw_release(new)
        return nil
      }
      defer { sw_release(value) }
      if PyDict_SetItem(new, key, value) != 0 {
        sw_release(new)
        return nil
      }
    }
    return new
  }

  private mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let next = byte() {
      if shift > 63 { return nil }
      value |= UInt64(next & 0x7F) << shift
      if next & 0x80 == 0 { return value }
      shift += 7
    }
    return nil
  }

  private mutating func double() -> Double? {
    guard bytes.count - position >= 8 else { return nil }
    defer { position += 8 }
    return Double(
      bitPattern: UInt64(
        littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    )
  }

  private func wrong() -> PyPointer? {
    Py.raise(.valueError, "the stored records are damaged, or not in this version's format")
    return nil
  }
}

private func imported(_ function: String) -> PyPointer? {
  guard let module = PyImport_ImportModule("pickle") else { return nil }
  defer { sw_release(module) }
  return PyObject_GetAttrString(module, function)
}
