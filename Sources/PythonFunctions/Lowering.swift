import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import Synchronization

/// Reads functions as expressions (`swiftwater/_lowering.py` evaluates their bytecode), and remembers
/// what they were read as for as long as nothing has changed that they depend on.
final class Lowering: Sendable {
  private let known = Mutex<FunctionReading?>(nil)
  /// `swiftwater._lowering.lowered`, once it was asked for.
  private static let evaluator = Mutex<PythonObject?>(nil)

  /// Asks Python again what the function is, since its variables may have been bound anew.
  ///
  /// - Parameter arguments: how many the engine calls it with.
  /// - Throws: ``PythonError`` for an interrupt.
  func read(
    _ function: PyPointer, arguments: Int, _ py: borrowing Python
  ) throws -> FunctionReading {
    let lower = try Self.evaluator(py)
    guard let number = py.newInteger(arguments) else { throw PythonError.fetch(py) }
    defer { Py.release(number) }
    guard let result = lower.call(function, number) else {
      throw PythonError.fetch(py)
    }
    let answer = PythonObject(owning: result)
    // The tuple that Python gives is the same object as long as what it says holds.
    let identity = Int(bitPattern: answer.pointer)
    if let known = known.withLock({ $0 }), known.identity == identity { return known }
    let fields = pointers(in: answer.pointer) ?? []
    let reading = FunctionReading(
      try Self.form(from: fields, py), looksIntoCollections: fields.count == 3,
      identity: identity, owner: answer)
    let old = known.withLock { known -> FunctionReading? in
      defer { known = reading }
      return known
    }
    withExtendedLifetime(old) {}
    return reading
  }

  private static func evaluator(_ py: borrowing Python) throws -> PythonObject {
    if let known = evaluator.withLock({ $0 }) { return known }
    let found = try py.importing("lowered", from: "swiftwater._lowering")
    evaluator.withLock { $0 = found }
    return found
  }

  private static func form(
    from fields: [PyPointer], _ py: borrowing Python
  ) throws -> FunctionReading.Form {
    if fields.count == 2 || fields.count == 3, py.text(of: fields[0]) == "lowered" {
      var reader = ExpressionReader()
      guard let expression = reader.expression(fields[1], py) else {
        return .refused(Refusal("it has a constant that has no native form", at: nil))
      }
      return .expression(expression)
    }
    guard fields.count == 5, let file = py.text(of: fields[1]),
      let line = py.integer(of: fields[2]),
      let instruction = py.text(of: fields[3]), let reason = py.text(of: fields[4])
    else { throw EngineError.illegalState("a function was read as something unknown") }
    let place = SourcePlace(file: file, line: line, instruction: instruction)
    return .refused(Refusal(reason, at: place))
  }
}

/// Reads expressions from nested tuples.
private struct ExpressionReader {
  private var known: [PyPointer: Expression] = [:]

  /// Nil for a constant beyond the native types.
  mutating func expression(_ tuple: PyPointer, _ py: borrowing Python) -> Expression? {
    if let expression = known[tuple] { return expression }
    guard let fields = pointers(in: tuple), fields.count >= 2,
      let name = py.text(of: fields[0]),
      let kind = kind(name, Array(fields.dropFirst(2)), py)
    else { return nil }
    let expression = Expression(kind, at: place(fields[1], py))
    known[tuple] = expression
    return expression
  }

  private func place(_ object: PyPointer, _ py: borrowing Python) -> SourcePlace? {
    guard let fields = pointers(in: object), fields.count == 3, let file = py.text(of: fields[0]),
      let line = py.integer(of: fields[1]), let instruction = py.text(of: fields[2])
    else { return nil }
    return SourcePlace(file: file, line: line, instruction: instruction)
  }

  private mutating func all(
    _ fields: some Sequence<PyPointer>, _ py: borrowing Python
  ) -> [Expression]? {
    var expressions: [Expression] = []
    for field in fields {
      guard let expression = expression(field, py) else { return nil }
      expressions.append(expression)
    }
    return expressions
  }

  private mutating func kind(
    _ name: String, _ fields: [PyPointer], _ py: borrowing Python
  ) -> Expression.Kind? {
    switch name {
    case "arg": return py.integer(of: fields[0]).map { .argument($0) }
    case "const": return value(fields[0], py).map { .constant($0) }
    case "tuple": return all(fields, py).map { .tuple($0) }
    case "list": return all(fields, py).map { .list($0) }
    case "item": return all(fields, py).map { .item($0[0], $0[1]) }
    case "slice": return all(fields, py).map { .slice($0[0], from: $0[1], to: $0[2]) }
    case "method":
      guard let method = py.text(of: fields[0]), let parts = all(fields.dropFirst(), py) else {
        return nil
      }
      return .method(method, parts[0], Array(parts.dropFirst()))
    case "call":
      guard let function = py.text(of: fields[0]), let parts = all(fields.dropFirst(), py) else {
        return nil
      }
      let compensates = function == "sum" && NativeModule.minorVersion >= 12
      return .call(compensates ? Expression.compensatedSum : function, parts)
    case "binary", "compare":
      guard let symbol = py.text(of: fields[0]), let parts = all(fields.dropFirst(), py) else {
        return nil
      }
      return name == "binary"
        ? .binary(symbol, parts[0], parts[1]) : .compare(symbol, parts[0], parts[1])
    case "unary":
      guard let symbol = py.text(of: fields[0]), let operand = expression(fields[1], py) else {
        return nil
      }
      return .unary(symbol, operand)
    case "if": return all(fields, py).map { .conditional($0[0], $0[1], $0[2]) }
    case "format":
      guard let operand = expression(fields[0], py), let spec = py.text(of: fields[2]) else {
        return nil
      }
      return .format(operand, conversion: py.text(of: fields[1]), spec: spec)
    case "join": return all(fields, py).map { .join($0) }
    case "unpack":
      guard let object = expression(fields[0], py), let index = py.integer(of: fields[1]),
        let count = py.integer(of: fields[2])
      else { return nil }
      return .unpack(object, index: index, count: count)
    default: return nil
    }
  }

  private func value(_ object: PyPointer, _ py: borrowing Python) -> Value? {
    if Py.isNone(object) { return Value.none }
    if Py.isExactBool(object) { return .bool(Py.truth(object) == 1) }
    if Py.isExactInteger(object) { return Py.integer(object).map { .integer($0) } }
    if Py.isExactDouble(object) { return .double(Py.double(object)) }
    if Py.isExactText(object) { return py.text(of: object).map { .text($0) } }
    if Py.isExactTuple(object) {
      return values(pointers(in: object) ?? [], py).map { .tuple($0) }
    }
    guard let tuple = Py.newTuple(from: object) else { return nil }
    defer { Py.release(tuple) }
    return values(pointers(in: tuple) ?? [], py).map { .set($0) }
  }

  private func values(_ objects: [PyPointer], _ py: borrowing Python) -> [Value]? {
    var values: [Value] = []
    for object in objects {
      guard let value = value(object, py) else { return nil }
      values.append(value)
    }
    return values
  }
}
