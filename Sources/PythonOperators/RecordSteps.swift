import PythonFunctions
import PythonInterop
import SwiftwaterPlan

extension PythonFunction {
  /// A function that is called as ``PythonLanguage`` has it.
  ///
  /// - Throws: ``ArgumentError`` for what cannot be called.
  package convenience init(_ function: PyPointer, _ py: borrowing Python) throws {
    try self.init(function, in: PythonLanguage(), py)
  }
}

/// Steps from tuples of kind, function, name, site, and whether records stay pairs of their keys.
///
/// - Parameter numberedFrom: of the first.
package func recordSteps(
  in tuples: some Sequence<PyPointer>, numberedFrom first: Int = 0, _ py: borrowing Python
) throws -> [RecordStep] {
  var result: [RecordStep] = []
  for (index, tuple) in tuples.enumerated() {
    guard let fields = pointers(in: tuple), fields.count == 5,
      let kind = py.text(of: fields[0]).flatMap({ RecordStep.Kind(rawValue: $0) }),
      let name = py.text(of: fields[2]), let site = py.text(of: fields[3])
    else { throw ArgumentError("an operator is (kind, function, name, site, keeps keys)") }
    result.append(
      RecordStep(
        kind, try PythonFunction(fields[1], py),
        at: OperatorPlace(name: name, site: site, number: first + index),
        keepsKeys: Py.truth(fields[4]) == 1))
  }
  return result
}
