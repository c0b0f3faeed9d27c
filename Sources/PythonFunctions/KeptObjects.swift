import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// Which states that are Python's objects a function keeps: see ``KeptStates``.
package struct KeptObjects: Sendable {
  package let states: KeptStates
  /// The condition as Python has it, and what tests it; nil where all states are kept.
  private let test: (condition: PythonObject, function: PythonObject)?

  /// - Throws: ``PythonError`` where Python's test fails.
  package func contains(_ state: PyPointer, _ py: borrowing Python) throws -> Bool {
    guard let test, let forms = states.forms else { return true }
    if let answer = Self.answer(forms, state) { return answer }
    Py.retain(state)
    let object = PythonObject(owning: state)
    guard let answer = test.function.call(test.condition.pointer, object.pointer) else {
      throw PythonError.fetch(py)
    }
    defer { Py.release(answer) }
    return Py.truth(answer) == 1
  }

  /// Nil where only Python can tell.
  private static func answer(_ forms: [KeptStates.Form], _ state: PyPointer) -> Bool? {
    func ofKind(_ kind: KeptStates.Kind) -> [KeptStates.Form] { forms.filter { $0.kind == kind } }
    if Py.isExactInteger(state) { return !ofKind(.integer).isEmpty }
    if Py.isExactDouble(state) {
      let value = Py.double(state)
      return !ofKind(.double).isEmpty && value != 0 && !value.isNaN
    }
    if Py.isExactBool(state) { return !ofKind(.bool).isEmpty }
    if Py.isNone(state) { return !ofKind(.none).isEmpty }
    if Py.isExactTuple(state) {
      for form in ofKind(.tuple) {
        guard let answer = answer(form, tuple: state) else { return nil }
        if answer { return true }
      }
      return false
    }
    return nil
  }

  private static func answer(_ form: KeptStates.Form, tuple: PyPointer) -> Bool? {
    let count = Py.tupleCount(tuple)
    guard form.fewest <= count, count <= form.most ?? .max else { return false }
    for item in form.items {
      guard case .index(let index) = item.key, index < count else { return false }
      guard let forms = item.states.forms else { continue }
      guard let answer = answer(forms, Py.tupleItem(tuple, index)) else { return nil }
      if !answer { return false }
    }
    return true
  }

  /// Asks Python's half (`unchanged_without_values`) what is proved of a function on states. Its
  /// variables may have been bound anew: ask again for each batch.
  ///
  /// - Returns: the states; or why nothing is proved.
  /// - Throws: ``PythonError`` for an interrupt.
  package static func of(
    _ function: PyPointer, _ py: borrowing Python
  ) throws -> (states: KeptObjects?, refusal: Refusal?) {
    let prove = try py.importing("unchanged_without_values", from: "swiftwater._lowering")
    guard let result = prove.call(function) else { throw PythonError.fetch(py) }
    let answer = PythonObject(owning: result)
    let fields = pointers(in: answer.pointer) ?? []
    if fields.count == 1 { return (KeptObjects(states: .all, test: nil), nil) }
    if fields.count == 2, let forms = forms(fields[1], py) {
      let test = try py.importing("is_met", from: "swiftwater._lowering._unchanged")
      let condition = PythonObject(borrowing: fields[1])
      return (KeptObjects(states: KeptStates(forms), test: (condition, test)), nil)
    }
    guard fields.count == 5, let file = py.text(of: fields[1]),
      let line = py.integer(of: fields[2]), let instruction = py.text(of: fields[3]),
      let reason = py.text(of: fields[4])
    else { throw EngineError.illegalState("a function on states was read as something unknown") }
    let place = SourcePlace(file: file, line: line, instruction: instruction)
    return (nil, Refusal(reason, at: place))
  }

  private static func forms(
    _ condition: PyPointer, _ py: borrowing Python
  ) -> [KeptStates.Form]? {
    guard let parts = pointers(in: condition) else { return nil }
    var forms: [KeptStates.Form] = []
    for part in parts {
      guard let fields = pointers(in: part), fields.count == 5,
        let kind = py.text(of: fields[0]).flatMap({ KeptStates.Kind(rawValue: $0) }),
        let fewest = py.integer(of: fields[1]), let most = py.integer(of: fields[2]),
        let items = items(fields[4], py)
      else { return nil }
      forms.append(
        KeptStates.Form(
          kind, fewest: fewest, most: most < 0 ? nil : most, isComplete: !Py.isNone(fields[3]),
          items: items))
    }
    return forms
  }

  private static func items(
    _ object: PyPointer, _ py: borrowing Python
  ) -> [KeptStates.Item]? {
    guard let parts = pointers(in: object) else { return nil }
    var items: [KeptStates.Item] = []
    for part in parts {
      guard let fields = pointers(in: part), fields.count == 2, let inner = forms(fields[1], py)
      else { return nil }
      let key: KeptStates.Key
      if let name = py.text(of: fields[0]) {
        key = .name(name)
      } else if let index = py.integer(of: fields[0]) {
        key = .index(index)
      } else {
        return nil
      }
      // No forms: it may be anything.
      items.append(KeptStates.Item(key, inner.isEmpty ? .all : KeptStates(inner)))
    }
    return items
  }
}

extension PythonFunction {
  /// Which states the function keeps for keys without new values; or why nothing is proved.
  ///
  /// - Throws: ``PythonError`` for an interrupt.
  package func keptStates(
    _ py: borrowing Python
  ) throws -> (states: KeptObjects?, refusal: Refusal?) {
    try KeptObjects.of(pointer, py)
  }
}
