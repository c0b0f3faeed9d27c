import CPython

/// Copies of Python values that share nothing changeable with the original.
///
/// A value in which nothing can be changed is its own copy. Lists, dicts, sets and tuples are
/// copied here; for objects of other types the whole value goes through `pickle`, as in Spark,
/// where that fails through `copy.deepcopy`, and where that fails too it is shared: there are
/// objects, such as connections, of which no copy can be made.
///
/// SAFETY: all functions are called by threads that hold the interpreter.
public enum Isolation {
  /// What instances of a type are.
  public enum Kind: Int {
    case changeable = 0
    case immutable = 1
    /// A tuple without attributes of its own.
    case tuple = 2
  }

  // SAFETY (nonisolated(unsafe)): both are read and written by threads that hold the interpreter.
  /// Says what instances of a type are that this file does not know. Set once.
  nonisolated(unsafe) public static var classify: (PyPointer) -> Kind = { _ in .changeable }
  nonisolated(unsafe) private static var kinds: [PyPointer: Kind] = [:]

  private static let deepest = 1000
  private static let mostTypes = 2048
  /// Tuples and sets that one look goes through. Parts that are shared many times over count each
  /// time; a value with more of them counts as changeable, and its copy shares them again.
  private static let mostParts = 1 << 20
  // SAFETY (nonisolated(unsafe)): as `kinds`. A look that another thread cuts short begins anew.
  nonisolated(unsafe) private static var partsLeft = mostParts

  /// True where nothing in the value can be changed.
  public static func isImmutable(_ object: PyPointer) -> Bool {
    if sw_is_plain(object) != 0 { return true }
    partsLeft = mostParts
    return isImmutable(object, depth: 0)
  }

  /// A copy; the value itself where it is immutable. Nil with an exception set, which is none that
  /// copying raised but what came from outside (an interrupt).
  public static func copy(of object: PyPointer) -> PyPointer? {
    if isImmutable(object) { return Py.retained(object) }
    var copier = Copier()
    if let copy = copier.copy(object, depth: 0) { return copy }
    if PyErr_Occurred() != nil { return nil }
    return copyAsWhole(object)
  }

  private static func isImmutable(_ object: PyPointer, depth: Int) -> Bool {
    if sw_is_plain(object) != 0 { return true }
    partsLeft -= 1
    if depth > deepest || partsLeft < 0 { return false }
    if sw_is_exact_tuple(object) != 0 { return allItemsImmutable(of: object, depth: depth) }
    if sw_is_exact_list(object) != 0 || sw_is_exact_dict(object) != 0 { return false }
    if sw_is_exact_frozenset(object) != 0 { return allItemsImmutable(ofSet: object, depth: depth) }
    switch kind(of: object) {
    case .changeable: return false
    case .immutable: return true
    case .tuple: return allItemsImmutable(of: object, depth: depth)
    }
  }

  private static func allItemsImmutable(of tuple: PyPointer, depth: Int) -> Bool {
    for index in 0..<PyTuple_Size(tuple)
    where !isImmutable(PyTuple_GetItem(tuple, index)!, depth: depth + 1) {
      return false
    }
    return true
  }

  private static func allItemsImmutable(ofSet set: PyPointer, depth: Int) -> Bool {
    guard let iterator = PyObject_GetIter(set) else {
      PyErr_Clear()
      return false
    }
    defer { sw_release(iterator) }
    while let item = PyIter_Next(iterator) {
      defer { sw_release(item) }
      if !isImmutable(item, depth: depth + 1) { return false }
    }
    if PyErr_Occurred() == nil { return true }
    PyErr_Clear()
    return false
  }

  private static func kind(of object: PyPointer) -> Kind {
    let type = sw_type(object)!
    if let kind = kinds[type] { return kind }
    if kinds.count >= mostTypes {
      // Types that a job makes in every batch would stay for ever.
      let old = kinds
      kinds = [:]
      for type in old.keys { sw_release(type) }
    }
    let kind = classify(type)
    // The key must not become another type's address.
    sw_retain(type)
    kinds[type] = kind
    return kind
  }

  /// Containers of one value, each copied once, however often the value refers to it.
  private struct Copier {
    private var copies: [PyPointer: PyPointer] = [:]

    /// A new reference; nil where the value has to be copied as a whole, or with an exception set.
    mutating func copy(_ object: PyPointer, depth: Int) -> PyPointer? {
      if sw_is_plain(object) != 0 { return Py.retained(object) }
      if depth > deepest { return nil }
      if let known = copies[object] { return Py.retained(known) }
      if sw_is_exact_list(object) != 0 { return copyList(object, depth: depth) }
      if sw_is_exact_dict(object) != 0 { return copyDict(object, depth: depth) }
      if sw_is_exact_tuple(object) != 0 { return copyTuple(object, depth: depth) }
      if sw_is_exact_set(object) != 0 { return copySet(object, depth: depth) }
      return isImmutable(object) ? Py.retained(object) : nil
    }

    private mutating func copySet(_ set: PyPointer, depth: Int) -> PyPointer? {
      guard allItemsImmutable(ofSet: set, depth: depth), let new = PySet_New(set) else {
        return nil
      }
      copies[set] = new
      return new
    }

    private mutating func copyList(_ list: PyPointer, depth: Int) -> PyPointer? {
      let count = PyList_Size(list)
      guard let new = PyList_New(count) else { return nil }
      copies[list] = new
      for index in 0..<count {
        // Another thread may have made it shorter.
        guard index < PyList_Size(list),
          let item = copy(PyList_GetItem(list, index)!, depth: depth + 1)
        else {
          sw_release(new)
          return nil
        }
        PyList_SetItem(new, index, item)
      }
      return new
    }

    private mutating func copyDict(_ dict: PyPointer, depth: Int) -> PyPointer? {
      guard let new = PyDict_New() else { return nil }
      copies[dict] = new
      var position = 0
      var key: PyPointer?
      var value: PyPointer?
      while PyDict_Next(dict, &position, &key, &value) != 0 {
        guard isImmutable(key!), let copied = copy(value!, depth: depth + 1) else {
          sw_release(new)
          return nil
        }
        defer { sw_release(copied) }
        guard PyDict_SetItem(new, key!, copied) == 0 else {
          sw_release(new)
          return nil
        }
      }
      return new
    }

    private mutating func copyTuple(_ tuple: PyPointer, depth: Int) -> PyPointer? {
      let count = PyTuple_Size(tuple)
      guard let new = PyTuple_New(count) else { return nil }
      var isSame = true
      for index in 0..<count {
        guard let item = copy(PyTuple_GetItem(tuple, index)!, depth: depth + 1) else {
          sw_release(new)
          return nil
        }
        isSame = isSame && item == PyTuple_GetItem(tuple, index)
        PyTuple_SetItem(new, index, item)
      }
      if isSame {
        sw_release(new)
        copies[tuple] = tuple
        return Py.retained(tuple)
      }
      copies[tuple] = new
      return new
    }
  }

  private static func copyAsWhole(_ object: PyPointer) -> PyPointer? {
    for (module, function) in [("swiftwater._isolation", "pickled"), ("copy", "deepcopy")] {
      guard let imported = PyImport_ImportModule(module) else { return nil }
      defer { sw_release(imported) }
      guard let copy = PyObject_GetAttrString(imported, function) else { return nil }
      defer { sw_release(copy) }
      if let result = sw_call1(copy, object) { return result }
      // Not an interrupt: the next way is tried.
      guard PyErr_ExceptionMatches(sw_exception_exception()) != 0 else { return nil }
      PyErr_Clear()
    }
    return Py.retained(object)
  }
}
