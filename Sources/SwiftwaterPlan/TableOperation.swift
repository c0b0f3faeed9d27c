import SwiftwaterCore
import SwiftwaterKernels

/// What a table of keys makes of the pairs of each batch, as a value: the operator of windows and states.
///
/// The pairs of a batch come with each key once: values combined, or lists of values. But where records are
/// mapped they come as they are.
public final class TableOperation: Sendable {
  public enum Kind: Sendable {
    /// The values of each key in the batches of a window combined, by an associative function.
    case window(TableFunction, deferring: DeferringFunctions? = nil)
    /// The same from one window to the next: what leaves is taken away by an inverse, what comes is added.
    case running(TableFunction, inverse: TableFunction, keep: TableFunction?)
    /// What an update function makes of a key's new values and of its state before.
    case state(TableFunction)
    /// States that a function changes record by record: each pair of a batch is mapped with the state of
    /// its key. A key without records for longer than the time-out in milliseconds loses its state.
    case mapped(TableFunction, timeout: Int64?)

    public var functions: [TableFunction] {
      switch self {
      case .window(let reduce, let deferring): [reduce] + (deferring?.all ?? [])
      case .running(let reduce, let inverse, let keep):
        [reduce, inverse] + [keep].compactMap(\.self)
      case .state(let update): [update]
      case .mapped(let function, _): [function]
      }
    }
  }

  public let kind: Kind
  public let partitioner: Partitioner
  public let place: OperatorPlace
  public let limits: TableLimits

  public init(
    _ kind: Kind, partitioner: Partitioner, at place: OperatorPlace,
    limits: TableLimits = TableLimits()
  ) {
    self.kind = kind
    self.partitioner = partitioner
    self.place = place
    self.limits = limits
  }

  public var language: any Language { kind.functions[0].function.language }

  /// The functions that are called.
  public var functions: [any UserFunction] { kind.functions.map(\.function) }

  /// The operation with what its functions refer to by now.
  ///
  /// - Throws: an interrupt.
  public func captured() throws -> TableOperation {
    let all = kind.functions.flatMap { [$0.function, $0.zip.function].compactMap(\.self) }
    guard all.contains(where: \.isOpen) else { return self }
    var captured = try language.captured(all)[...]
    func next(_ function: TableFunction) -> TableFunction {
      let new = captured.removeFirst()
      guard function.zip.function != nil else { return TableFunction(new, function.zip) }
      return TableFunction(new, function.zip.calling(captured.removeFirst()))
    }
    let kind: Kind =
      switch self.kind {
      case .window(let reduce, let deferring):
        .window(
          next(reduce),
          deferring: deferring.map { functions in
            let all = functions.all.map(next)
            return DeferringFunctions(combine: all[0], isDeferred: all[1], result: all[2])
          })
      case .running(let reduce, let inverse, let keep):
        .running(next(reduce), inverse: next(inverse), keep: keep.map(next))
      case .state(let update): .state(next(update))
      case .mapped(let function, let timeout): .mapped(next(function), timeout: timeout)
      }
    return TableOperation(kind, partitioner: partitioner, at: place, limits: limits)
  }
}

/// What combines values as a function of the user's does, but for those that the function raises for:
/// these it leaves side by side until somebody asks for what they come to.
public struct DeferringFunctions: Sendable {
  /// Of two values.
  public let combine: TableFunction
  /// Whether a value is one of several, side by side.
  public let isDeferred: TableFunction
  /// What a value comes to: raises what the user's function does.
  public let result: TableFunction

  public init(combine: TableFunction, isDeferred: TableFunction, result: TableFunction) {
    self.combine = combine
    self.isDeferred = isDeferred
    self.result = result
  }

  public var all: [TableFunction] { [combine, isDeferred, result] }
}

/// A function of the user's that a table applies to whole vectors: to the first records of each, to the
/// second ones, and so on.
public struct TableFunction: Sendable {
  /// As the user gave it: what is read for a native form.
  public let function: any UserFunction
  /// The same as its language calls it, with a partition for each argument.
  public let zip: ZipPartitions

  public init(_ function: any UserFunction, _ zip: ZipPartitions) {
    self.function = function
    self.zip = zip
  }
}

extension ZipPartitions {
  /// The same with its function captured.
  func calling(_ function: any UserFunction) -> ZipPartitions {
    ZipPartitions(layout, function, form: form, partitioner: partitioner, at: place)
  }
}

/// A ``PairForm`` of a language's own objects: what a table goes over to when records do not fit its
/// columns.
public protocol ObjectForm: PairForm {
  /// The records of a vector as objects.
  func asObjects(_ vector: any RecordBatch) throws -> any RecordBatch

  /// The rows of a vector of objects that stand for nothing: None.
  func missing(in vector: any RecordBatch) throws -> [UInt32]

  /// The same keys with the same numbers.
  ///
  /// - Parameter numbers: of all keys.
  func directory(
    of columns: any KeyDirectory, _ numbers: [UInt32]
  ) throws -> any KeyDirectory
}
