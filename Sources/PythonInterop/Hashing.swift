import CPython

extension Python {
  /// What decides how an object is hashed.
  public enum HashForm {
    case none
    /// Valid UTF-8, borrowed from the object.
    case text(UnsafeRawBufferPointer)
    /// A `str` with lone surrogates, which UTF-8 cannot hold: its code points.
    case codePoints([UInt32])
    /// Borrowed from the object.
    case bytes(UnsafeRawBufferPointer)
    case tuple(count: Int)
    /// A number: Python's own hash does not depend on the seed.
    case seedless
    case other
  }

  public func hashForm(of object: PyPointer) -> HashForm {
    if object == sw_none() { return .none }
    if sw_is_text(object) != 0 && sw_has_hash_of_text(object) != 0 { return textForm(of: object) }
    if sw_is_exact_int(object) != 0 || sw_is_exact_bool(object) != 0
      || sw_is_exact_float(object) != 0 || isNumber(object)
    {
      return .seedless
    }
    if sw_is_exact_bytes(object) != 0 {
      return .bytes(
        UnsafeRawBufferPointer(start: PyBytes_AsString(object), count: PyBytes_Size(object)))
    }
    if sw_is_tuple(object) != 0 { return .tuple(count: PyTuple_Size(object)) }
    return .other
  }

  private func textForm(of object: PyPointer) -> HashForm {
    var count = 0
    if let bytes = PyUnicode_AsUTF8AndSize(object, &count) {
      return .text(UnsafeRawBufferPointer(start: bytes, count: count))
    }
    PyErr_Clear()
    let length = PyUnicode_GetLength(object)
    var points = [UInt32](repeating: 0, count: length)
    guard PyUnicode_AsUCS4(object, &points, length, 0) != nil else {
      PyErr_Clear()
      return .other
    }
    return .codePoints(points)
  }

  /// True for what is registered as `numbers.Number` (`Decimal`, `Fraction`, numpy's scalars): equal
  /// numbers have equal hashes in Python, whatever their type, so no seed can be in them.
  private func isNumber(_ object: PyPointer) -> Bool {
    guard let number = attempt({ try importing("Number", from: "numbers") }) else {
      PyErr_Clear()
      return false
    }
    let answer = PyObject_IsInstance(object, number.pointer)
    if answer < 0 { dropException() }
    return answer == 1
  }

  /// `hash(object)`; nil with an exception set.
  public func hash(of object: PyPointer) -> Int? {
    let hash = PyObject_Hash(object)
    return hash == -1 && PyErr_Occurred() != nil ? nil : hash
  }

  /// What processes agree on that find the same hashes of text.
  public var hashMark: String {
    guard let text = newText("swiftwater") else { return "" }
    defer { sw_release(text) }
    return "\(PyObject_Hash(text))"
  }

  /// `number % divisor`, for an `int` of any size; nil with an exception set.
  public func remainder(of number: PyPointer, by divisor: Int) -> Int? {
    guard let divisor = PyLong_FromSsize_t(divisor) else { return nil }
    defer { sw_release(divisor) }
    guard let result = PyNumber_Remainder(number, divisor) else { return nil }
    defer { sw_release(result) }
    let value = PyNumber_AsSsize_t(result, sw_exception_value_error())
    return value == -1 && PyErr_Occurred() != nil ? nil : value
  }

  /// True when `hash("...")` gives what `PYTHONHASHSEED=0` gives.
  public var hasFixedHashSeed: Bool {
    guard let text = newText("swiftwater") else { return false }
    defer { sw_release(text) }
    return PyObject_Hash(text) == Self.hashUnderSeedZero
  }

  /// `PYTHONHASHSEED=0 python3 -c 'print(hash("swiftwater"))'`, CPython 3.11 and later.
  private static let hashUnderSeedZero = 8911066393178911724
}
