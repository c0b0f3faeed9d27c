import CPython
import PythonInterop

/// Python's code, and the names that it has bound.
///
/// Used by threads that hold the interpreter.
public final class PythonCode {
  private let names: PythonObject

  /// Runs `source`, behind which `same` is bound too: whether two values are equal, of the same types
  /// throughout, and in the same order.
  public init(_ source: String, _ py: borrowing Python) throws {
    guard let names = PyDict_New() else { throw PythonError.fetch(py) }
    self.names = PythonObject(owning: names)
    try run(Self.comparison, py)
    try run(source, py)
  }

  public convenience init(_ py: borrowing Python) throws { try self.init("", py) }

  /// Runs more code with the same names.
  public func run(_ source: String, _ py: borrowing Python) throws {
    _ = try call("exec", source, py)
  }

  /// What it gives, which lives as long as the test has the interpreter.
  public func value(_ expression: String, _ py: borrowing Python) throws -> PythonObject {
    let value = try call("eval", expression, py)
    TestInterpreter.keep(value)
    return value
  }

  /// Whether an expression is true where `names` are bound to objects besides.
  public func holds(
    _ expression: String, where objects: KeyValuePairs<String, PyPointer> = [:],
    _ py: borrowing Python
  ) throws -> Bool {
    for (name, object) in objects { bind(name, object) }
    return try Py.truth(value(expression, py).pointer) == 1
  }

  public func integer(_ expression: String, _ py: borrowing Python) throws -> Int? {
    try py.integer(of: value(expression, py).pointer)
  }

  public func text(_ expression: String, _ py: borrowing Python) throws -> String? {
    try py.text(of: value("str(\(expression))", py).pointer)
  }

  /// Binds a name to an object.
  public func bind(_ name: String, _ object: PyPointer) {
    PyDict_SetItemString(names.pointer, name, object)
  }

  private func call(
    _ function: String, _ source: String, _ py: borrowing Python
  ) throws -> PythonObject {
    let function = try py.importing(function, from: "builtins")
    guard let source = py.newText(source) else { throw PythonError.fetch(py) }
    defer { Py.release(source) }
    guard let result = function.call(source, names.pointer) else { throw PythonError.fetch(py) }
    return PythonObject(owning: result)
  }

  private static let comparison = """
    def same(a, b):
        if type(a) is not type(b):
            return False
        if isinstance(a, (list, tuple)):
            return len(a) == len(b) and all(map(same, a, b))
        if isinstance(a, dict):
            return same(list(a.items()), list(b.items()))
        if isinstance(a, (set, frozenset)):
            return a == b and sorted(map(repr, a)) == sorted(map(repr, b))
        if isinstance(a, (float, complex)):
            return repr(a) == repr(b)
        return a == b
    """
}

/// What the exception that is set says, "Type: words", and clears it; nil where none is set.
public func takeException(_ py: borrowing Python) -> String? {
  guard Py.isExceptionSet else { return nil }
  return PythonError.fetch(py).description
}

/// How many references to an object there are.
public func references(to object: PyPointer, _ py: borrowing Python) throws -> Int {
  let count = try py.importing("getrefcount", from: "sys")
  guard let answer = count.call(object) else { throw PythonError.fetch(py) }
  defer { Py.release(answer) }
  return py.integer(of: answer)!
}

/// A value that a test cannot do without.
///
/// - Throws: where there is none.
public func needed<Value>(
  _ value: Value?, _ note: @autoclosure () -> String = "nothing is there"
) throws -> Value {
  guard let value else { throw ArgumentError(note()) }
  return value
}
