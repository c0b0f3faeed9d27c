import SwiftwaterCore
import SwiftwaterKernels

/// A function that an operator calls, in whatever forms it exists: as an expression that the engine
/// understands, and as something that only its ``language`` can call.
public protocol UserFunction: AnyObject, Sendable {
  /// Who can call it, and read it.
  var language: any Language { get }

  /// The same for a function and for those that were made of it by capturing (``Language/captured(_:)``).
  var identity: ObjectIdentifier { get }

  /// True while the variables that it refers to may be bound anew.
  var isOpen: Bool { get }

  /// True for one that cannot be sent to another process.
  var isBoundToDriver: Bool { get }

  /// From now on it is not sent to another process.
  func bindToDriver()

  /// True where both call the same function of the user's.
  func isSame(as other: any UserFunction) -> Bool

  /// True where the language has the functions for equal.
  ///
  /// - Throws: what comparing them throws.
  func isEqual(to other: any UserFunction) throws -> Bool
}

extension UserFunction {
  public func isEqual(to other: any UserFunction) throws -> Bool { isSame(as: other) }
}

/// What a function was read as.
public final class FunctionReading: Sendable {
  /// The expression that it is, or why it is none.
  public enum Form: Sendable {
    case expression(Expression)
    case refused(Refusal)
  }

  public let form: Form
  /// It looks into a collection of the program's as it is now.
  public let looksIntoCollections: Bool
  /// The same number as long as the reading holds; `owner` keeps it from being another one's.
  public let identity: Int
  private let owner: any Sendable

  public init(
    _ form: Form, looksIntoCollections: Bool = false, identity: Int, owner: any Sendable
  ) {
    self.form = form
    self.looksIntoCollections = looksIntoCollections
    self.identity = identity
    self.owner = owner
  }

  /// - Parameter owner: its identity is the reading's.
  public convenience init(_ form: Form, of owner: any AnyObject & Sendable) {
    self.init(form, identity: ObjectIdentifier(owner).hashValue, owner: owner)
  }

  /// Nil where it was refused.
  public var expression: Expression? {
    if case .expression(let expression) = form { expression } else { nil }
  }
}

/// A function that is an expression and nothing else: what a Swift job writes with terms.
public final class ExpressionFunction: UserFunction {
  private let expression: Expression

  public init(_ expression: Expression) { self.expression = expression }

  public var language: any Language { EngineLanguage() }
  public var identity: ObjectIdentifier { ObjectIdentifier(self) }
  public var isOpen: Bool { false }
  public var isBoundToDriver: Bool { true }
  public func bindToDriver() {}
  public func isSame(as other: any UserFunction) -> Bool { self === other }

  fileprivate var reading: FunctionReading {
    FunctionReading(.expression(expression), of: expression)
  }
}

/// The language of ``ExpressionFunction``s. It has no objects: what has no native form is an error.
public struct EngineLanguage: Language {
  public init() {}

  public var name: String { "engine" }
  public var placement: TaskPlacement { .anyThread }
  public var isNativeOnly: Bool { true }

  public func reading(
    of function: any UserFunction, arguments: Int
  ) throws -> FunctionReading {
    guard let function = function as? ExpressionFunction else {
      preconditionFailure("a function of another language")
    }
    return function.reading
  }

  public func cursor(over rest: Rest, _ task: TaskContext) throws -> any BatchCursor {
    ClosureCursor {
      while let batch = try rest.input.next() {
        if batch.recordCount > 0 { throw Self.notComputed(rest.steps.last?.place, batch) }
      }
      return nil
    }
  }

  public func combined(
    _ rest: Rest, _ combination: CombineByKey, divided: [[any RecordBatch]], _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    while let batch = try rest.input.next() {
      if batch.recordCount > 0 {
        throw EngineError.invalidArgument(
          "\(combination.place.name): a sum leaves 64 bits, or a key is not a number or text")
      }
    }
    return divided
  }

  public func divided(
    _ rest: Rest, _ division: PartitionByKey, _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    while let batch = try rest.input.next() {
      if batch.recordCount > 0 {
        throw EngineError.invalidArgument(
          "\(division.place.name): too many records, or a key is not a number or text, or is NaN")
      }
    }
    return Array(repeating: [], count: division.partitioner.count)
  }

  public func merged(
    _ parts: [any RecordBatch], _ combination: CombineByKey, _ task: TaskContext
  ) throws -> any BatchCursor {
    throw EngineError.invalidArgument(
      "\(combination.place.name): a sum leaves 64 bits, or a key is not a number or text")
  }

  public func zipped(
    _ inputs: [any BatchCursor], _ zip: ZipPartitions, partition: Int, _ task: TaskContext
  ) throws -> any BatchCursor {
    throw EngineError.invalidArgument(
      "\(zip.place.name): too many records of a partition, or a NaN as key")
  }

  private static func notComputed(_ place: OperatorPlace?, _ batch: any RecordBatch) -> EngineError
  {
    .invalidArgument(
      "\(place?.name ?? "a function"): a record cannot be computed (one of \(batch.recordCount)): "
        + "Python would raise on it, or an integer leaves 64 bits")
  }
}
