import CPython

/// Copies of Python values that share nothing changeable with the original.
///
/// A value in which nothing can be changed is its own copy. Lists, dicts, sets and tuples are
/// copied here; for objects of other types the whole value goes through `pickle`, as in Spark,
/// where that fails through `copy.deepcopy`, and where that fails too it is shared: there are
/// objects, such as connections, of which no copy can be made.
///
/// SAFETY: all functions are called by threads that hold the interpreter. To look at an object may run
/// Python's code (of a type, a key or a part that goes), and so may other threads: what is in a list or
/// a dict can be gone behind every call. So each object that is worked on has an owner here that
/// nobody else knows, a reference or a container of this file's making; parts of tuples and frozen
/// sets are held by these, which nobody can change.
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
  nonisolated(unsafe) private static var kinds: [PyPointer: KnownType] = [:]

  /// What is known of a type, which may go meanwhile, as those do that a job makes in every batch.
  private struct KnownType {
    /// An owned weak reference: while it shows the type, the address is the type's.
    let reference: PyPointer
    let kind: Kind
  }

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
    sw_retain(object)
    defer { sw_release(object) }
    partsLeft = mostParts
    return isImmutable(object, depth: 0)
  }

  /// True where a copy from bytes is equal to the value, and has its hash: for values of the built-in types
  /// that cannot be changed, but for NaN.
  public static func isEqualToItsCopy(_ object: PyPointer, depth: Int = 0) -> Bool {
    if sw_is_exact_complex(object) != 0 || depth > deepest { return false }
    if sw_is_plain(object) != 0 { return true }
    guard sw_is_exact_tuple(object) != 0 else { return false }
    return (0..<PyTuple_Size(object)).allSatisfy {
      isEqualToItsCopy(PyTuple_GetItem(object, $0)!, depth: depth + 1)
    }
  }

  /// A copy; the value itself where it is immutable. Nil with an exception set, which is none that
  /// copying raised but what came from outside (an interrupt).
  public static func copy(of object: PyPointer) -> PyPointer? {
    sw_retain(object)
    defer { sw_release(object) }
    if isImmutable(object) { return Py.retained(object) }
    let copier = Copier()
    if let copy = withExtendedLifetime(copier, { copier.copy(object, depth: 0) }) { return copy }
    if PyErr_Occurred() != nil { return nil }
    return copyAsWhole(object)
  }

  private static func isImmutable(_ object: PyPointer, depth: Int) -> Bool {
    if sw_is_plain(object) != 0 { return true }
    if sw_is_nan(object) != 0 { return false }
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
    if let known = kinds[type], sw_weakly_referenced(known.reference) == type { return known.kind }
    // An object's type can be replaced while its kind is asked for.
    sw_retain(type)
    defer { sw_release(type) }
    let kind = classify(type)
    if let reference = PyWeakref_NewRef(type, nil) {
      if kinds.count >= mostTypes { forget() }
      let old = kinds.updateValue(KnownType(reference: reference, kind: kind), forKey: type)
      if let old { sw_release(old.reference) }
    } else {
      PyErr_Clear()
    }
    return kind
  }

  private static func forget() {
    let old = kinds
    kinds = [:]
    for known in old.values { sw_release(known.reference) }
  }

  /// Containers of one value, each copied once, however often the value refers to it.
  private final class Copier {
    /// Owned, both: an address is that of its object as long as this is used.
    private var copies: [PyPointer: PyPointer] = [:]

    deinit {
      for (original, copy) in copies {
        sw_release(original)
        sw_release(copy)
      }
    }

    private func note(_ copy: PyPointer, of original: PyPointer) {
      sw_retain(original)
      sw_retain(copy)
      copies[original] = copy
    }

    /// A new reference; nil where the value has to be copied as a whole, or with an exception set.
    ///
    /// - Parameter object: has an owner until this returns.
    func copy(_ object: PyPointer, depth: Int) -> PyPointer? {
      if sw_is_plain(object) != 0 { return Py.retained(object) }
      // As out of a pickle: each time it is named, it is another object.
      if sw_is_nan(object) != 0 { return PyFloat_FromDouble(PyFloat_AsDouble(object)) }
      if depth > deepest { return nil }
      if let known = copies[object] { return Py.retained(known) }
      if sw_is_exact_list(object) != 0 { return copyList(object, depth: depth) }
      if sw_is_exact_dict(object) != 0 { return copyDict(object, depth: depth) }
      if sw_is_exact_tuple(object) != 0 { return copyTuple(object, depth: depth) }
      if sw_is_exact_set(object) != 0 { return copySet(object) }
      return isImmutable(object) ? Py.retained(object) : nil
    }

    private func copySet(_ set: PyPointer) -> PyPointer? {
      // Looked at as it is now, whatever becomes of the other one meanwhile.
      guard let new = PySet_New(set) else { return nil }
      guard allItemsImmutable(ofSet: new, depth: 0) else {
        sw_release(new)
        return nil
      }
      note(new, of: set)
      return new
    }

    private func copyList(_ list: PyPointer, depth: Int) -> PyPointer? {
      // The items as they are now: they belong to the new list, which nobody else knows.
      guard let new = PyList_GetSlice(list, 0, PyList_Size(list)) else { return nil }
      note(new, of: list)
      for index in 0..<PyList_Size(new) {
        let item = PyList_GetItem(new, index)!
        if sw_is_plain(item) != 0 { continue }
        guard let copied = copy(item, depth: depth + 1) else {
          sw_release(new)
          return nil
        }
        PyList_SetItem(new, index, copied)
      }
      return new
    }

    private func copyDict(_ dict: PyPointer, depth: Int) -> PyPointer? {
      // As for lists. A value may be replaced while the entries are gone through.
      guard let new = PyDict_Copy(dict) else { return nil }
      note(new, of: dict)
      var position = 0
      var key: PyPointer?
      var value: PyPointer?
      while PyDict_Next(new, &position, &key, &value) != 0 {
        guard let key, let value else { continue }
        if sw_is_plain(key) != 0 && sw_is_plain(value) != 0 { continue }
        guard isImmutable(key), let copied = copy(value, depth: depth + 1) else {
          sw_release(new)
          return nil
        }
        defer { sw_release(copied) }
        if copied != value, PyDict_SetItem(new, key, copied) != 0 {
          sw_release(new)
          return nil
        }
      }
      return new
    }

    private func copyTuple(_ tuple: PyPointer, depth: Int) -> PyPointer? {
      var items: [PyPointer] = []
      items.reserveCapacity(PyTuple_Size(tuple))
      var isSame = true
      for index in 0..<PyTuple_Size(tuple) {
        let item = PyTuple_GetItem(tuple, index)!
        guard let copied = copy(item, depth: depth + 1) else {
          for item in items { sw_release(item) }
          return nil
        }
        isSame = isSame && copied == item
        items.append(copied)
      }
      // It may be in itself, by way of a list.
      let known = isSame ? tuple : copies[tuple]
      if let known {
        for item in items { sw_release(item) }
        if isSame { note(tuple, of: tuple) }
        return Py.retained(known)
      }
      guard let new = PyTuple_New(items.count) else {
        for item in items { sw_release(item) }
        return nil
      }
      for (index, item) in items.enumerated() { PyTuple_SetItem(new, index, item) }
      note(new, of: tuple)
      return new
    }
  }

  private static func copyAsWhole(_ object: PyPointer) -> PyPointer? {
    for (module, function) in [("swiftwater._tasks.isolation", "pickled"), ("copy", "deepcopy")] {
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
