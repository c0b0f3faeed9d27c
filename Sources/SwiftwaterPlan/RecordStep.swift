import SwiftwaterKernels
import Synchronization

/// A function that is applied to the records of a partition, one after the other or all together.
public final class RecordStep: Sendable {
  /// How the function is applied.
  public enum Kind: String, Sendable {
    case map
    case flatMap
    case filter
    case mapValues
    case flatMapValues
    case mapPartitions
    case mapPartitionsWithIndex

    /// True where the function gets a whole partition's iterator.
    public var takesPartition: Bool { self == .mapPartitions || self == .mapPartitionsWithIndex }

    /// True where records stay pairs of the keys that they had, whatever the function does.
    var keepsKeys: Bool {
      switch self {
      case .filter, .mapValues, .flatMapValues: true
      case .map, .flatMap, .mapPartitions, .mapPartitionsWithIndex: false
      }
    }

    /// The same in a native program; nil where there is none.
    public var native: Program.Kind? { Program.Kind(rawValue: rawValue) }
  }

  public let kind: Kind
  public let function: any UserFunction
  public let place: OperatorPlace
  /// True where what comes out belongs in the partition of what went in: the keys are the same.
  public let keepsKeys: Bool
  /// The native form of the steps that ended here last: a stream makes the same ones in each batch.
  let memory: StepMemory

  /// - Parameter keepsKeys: as the user says of a function that could change them.
  public convenience init(
    _ kind: Kind, _ function: any UserFunction, at place: OperatorPlace, keepsKeys: Bool = false
  ) {
    self.init(
      kind, function, at: place, keepsKeys: keepsKeys || kind.keepsKeys, memory: StepMemory())
  }

  private init(
    _ kind: Kind, _ function: any UserFunction, at place: OperatorPlace, keepsKeys: Bool,
    memory: StepMemory
  ) {
    self.keepsKeys = keepsKeys
    self.kind = kind
    self.function = function
    self.place = place
    self.memory = memory
  }

  /// The same step of a function that was captured.
  func with(_ function: any UserFunction) -> RecordStep {
    RecordStep(kind, function, at: place, keepsKeys: keepsKeys, memory: memory)
  }

  /// Steps with what their functions refer to by now.
  ///
  /// - Throws: an interrupt.
  public static func captured(_ steps: [RecordStep]) throws -> [RecordStep] {
    guard let open = steps.first(where: \.function.isOpen) else { return steps }
    let functions = try open.function.language.captured(steps.map(\.function))
    return zip(steps, functions).map { step, function in
      step.function === function ? step : step.with(function)
    }
  }
}

/// What is remembered of the steps that end in one, whatever their functions refer to.
final class StepMemory: Sendable {
  let chain = Mutex<NativeChain?>(nil)
}

/// The first steps of a list that operators share: each one that comes behind the last adds to it.
public struct StepRun: Sendable {
  private final class Storage: Sendable {
    let steps: Mutex<[RecordStep]>
    init(_ steps: [RecordStep]) { self.steps = Mutex(steps) }
  }

  private let storage: Storage
  public let count: Int
  /// Of all steps.
  public let language: any Language
  /// True where each of them leaves the keys of pairs as they are.
  public let keepsKeys: Bool

  /// - Precondition: there are steps, of one language.
  public init(_ steps: [RecordStep]) {
    self.init(
      Storage(steps), steps.count, steps[0].function.language,
      keepsKeys: steps.allSatisfy(\.keepsKeys))
  }

  private init(
    _ storage: Storage, _ count: Int, _ language: any Language, keepsKeys: Bool
  ) {
    self.storage = storage
    self.count = count
    self.language = language
    self.keepsKeys = keepsKeys
  }

  public var steps: [RecordStep] { Array(storage.steps.withLock { $0 }.prefix(count)) }

  public func appending(_ new: [RecordStep]) -> StepRun {
    let isLast = storage.steps.withLock { steps in
      guard steps.count == count else { return false }
      steps += new
      return true
    }
    guard isLast else { return StepRun(steps + new) }
    return StepRun(
      storage, count + new.count, language,
      keepsKeys: keepsKeys && new.allSatisfy(\.keepsKeys))
  }
}
