import PythonInterop
import SwiftwaterPlan

/// A step with its function as one task may use it.
package struct BoundStep {
  package let kind: RecordStep.Kind
  package let function: PythonObject
  package let place: OperatorPlace
  package let origin: PythonFunction

  /// - Throws: ``PythonError`` where a function has captured what belongs to the driver.
  package static func bound(_ steps: [RecordStep], _ py: borrowing Python) throws -> [BoundStep] {
    let functions = steps.map { PythonFunction.of($0.function) }
    let objects = try PythonFunction.forTask(functions, py)
    return steps.indices.map { index in
      BoundStep(
        kind: steps[index].kind, function: objects[index], place: steps[index].place,
        origin: functions[index])
    }
  }
}

/// The longest part of a record that an error shows, in characters.
package let shownRecordLength = 200

extension PythonError {
  /// Takes the exception that is set, and notes where it happened.
  ///
  /// - Parameter record: shown as a sample; borrowed.
  package static func fetch(
    at place: OperatorPlace, record: PyPointer?, _ py: borrowing Python
  ) -> PythonError {
    var error = PythonError.fetchFromFunction(py)
    // An exception that passed through an inner operator has its place already.
    let marker = "in operator: "
    error.addNote("\(marker)\(place.name) at \(place.site)", unless: marker, py)
    if let record {
      let sample = py.describe(record, limit: shownRecordLength)
      error.addNote("record: \(sample)", unless: "record: ", py)
    }
    return error
  }

  /// As ``fetch(at:record:_:)``, for a record that the caller owns.
  package static func fetch(
    at place: OperatorPlace, latest: PythonObject?, _ py: borrowing Python
  ) -> PythonError {
    withExtendedLifetime(latest) { fetch(at: place, record: latest?.pointer, py) }
  }
}
