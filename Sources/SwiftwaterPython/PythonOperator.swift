import PythonInterop
import Synchronization

/// A user's function in its place: what it does with a record, and what to call it in an error.
final class PythonOperator: Sendable {
  /// How the function is applied.
  enum Kind: String, Sendable {
    case map
    case flatMap
    case filter
    case mapValues
    case flatMapValues
    case mapPartitions
    case mapPartitionsWithIndex

    /// True where the function gets a whole partition's iterator.
    var takesPartition: Bool { self == .mapPartitions || self == .mapPartitionsWithIndex }
  }

  let kind: Kind
  let function: PythonObject
  let taskFunction: TaskFunction
  /// As the user wrote it, and where: `flatMap`, `job.py:9`.
  let name: String
  let site: String
  private let number: Int
  /// The native form of the chain that ended here last: a stream makes the same one in each batch.
  let lastChain: ChainMemory

  init(kind: Kind, function: TaskFunction, name: String, site: String, number: Int = 0) {
    self.number = number
    self.kind = kind
    self.function = function.object
    taskFunction = function
    lastChain = ChainMemory()
    self.name = name
    self.site = site
  }

  private init(
    _ original: PythonOperator, with function: PythonObject, _ taskFunction: TaskFunction
  ) {
    kind = original.kind
    self.function = function
    self.taskFunction = taskFunction
    lastChain = original.lastChain
    name = original.name
    site = original.site
    number = original.number
  }

  /// The operators as one task may use them.
  static func forTask(
    _ operators: [PythonOperator], _ py: borrowing Python
  ) throws -> [PythonOperator] {
    guard operators.contains(where: \.taskFunction.hasCaptures) else { return operators }
    let functions = try TaskFunction.forTask(operators.map(\.taskFunction), py)
    return zip(operators, functions).map { PythonOperator($0, with: $1, $0.taskFunction) }
  }

  /// The operators with what their functions have captured by now.
  ///
  /// - Throws: ``PythonError`` for an interrupt.
  static func captured(
    _ operators: [PythonOperator], _ py: borrowing Python
  ) throws -> [PythonOperator] {
    guard operators.contains(where: \.taskFunction.isOpen) else { return operators }
    let functions = try TaskFunction.captured(operators.map(\.taskFunction), py)
    return zip(operators, functions).map { item, function in
      item.taskFunction === function ? item : PythonOperator(item, with: function.object, function)
    }
  }

  /// - Throws: ``PythonError`` where a function has captured what belongs to the driver.
  static func checkCaptures(
    of operators: some Sequence<PythonOperator>, _ py: borrowing Python
  ) throws {
    let functions = operators.map(\.taskFunction).filter(\.isOpen)
    if !functions.isEmpty { _ = try TaskFunction.forTask(functions, py) }
  }

  var place: OperatorPlace { OperatorPlace(name: name, site: site, number: number) }

  /// The function's native form, as it is now.
  func lowered(_ py: borrowing Python) throws -> Lowering.Reading {
    try taskFunction.lowered(1, py)
  }
}

/// The native form of the chain that ended last in an operator, whatever its functions had captured.
final class ChainMemory: Sendable {
  let chain = Mutex<NativeChain?>(nil)
}

/// What to call an operator in an error.
struct OperatorPlace: Sendable, CustomStringConvertible {
  let name: String
  let site: String
  /// In a worker process: which of its program's functions it is.
  var number = 0

  var description: String { "in \(name) at \(site)" }
}

/// The longest part of a record that an error shows, in characters.
let shownRecordLength = 200

extension PythonError {
  /// Takes the exception that is set, and notes where it happened.
  ///
  /// - Parameter record: shown as a sample; borrowed.
  static func fetch(
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
  static func fetch(
    at place: OperatorPlace, latest: PythonObject?, _ py: borrowing Python
  ) -> PythonError {
    withExtendedLifetime(latest) { fetch(at: place, record: latest?.pointer, py) }
  }
}
