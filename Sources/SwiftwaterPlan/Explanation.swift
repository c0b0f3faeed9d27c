import SwiftwaterCore
import SwiftwaterKernels

/// One line of a plan: an operator, and how it runs.
public struct PlanLine: Sendable {
  public enum Form: String, Sendable {
    /// Reads, or puts partitions together: no function is called on records.
    case engine
    case native
    /// Natively, where the records turn out to be of types that allow it.
    case nativeIfTyped = "native where types allow"
    /// In the language of its function.
    case language
    /// In that language, and always in a worker process.
    case worker = "in a worker"
    case driver

    /// True where objects of a language come out of it.
    var isForeign: Bool { self == .language || self == .worker }
  }

  public let stage: Int
  public let name: String
  public let site: String
  public let form: Form
  /// The name of the language that calls its function; empty where none does.
  public let language: String
  /// What comes out of it, where that is known.
  public let type: ColumnType?
  /// Why it is not native.
  public let refusal: Refusal?
  /// What else there is to say of it; empty where nothing is.
  public let note: String

  /// How it runs, for people: "native", "Python, in a worker".
  public var formName: String {
    switch form {
    case .language: language
    case .worker: "\(language), \(form.rawValue)"
    case .engine, .native, .nativeIfTyped, .driver: form.rawValue
    }
  }
}

/// A node of a plan: what it is made of, and its operator.
public protocol ExplainedNode: AnyObject {
  /// Adds its parents' lines (``Explanation/visit(_:)``), and its own behind them.
  func explain(in explanation: inout Explanation) throws -> Explanation.Output
}

/// How what a plan makes is computed, found out without computing anything.
public struct Explanation {
  public private(set) var lines: [PlanLine] = []
  private var stageCount = 0
  /// What was explained already: the stage that it ends, and the type of its records.
  private var known: [ObjectIdentifier: Output] = [:]

  private let isLowering: Bool
  /// Every function that can be moved runs in a worker.
  private let isMovingAll: Bool

  /// The stage that ends with a node, and the type of its records where that is known.
  public struct Output: Sendable {
    public let stage: Int
    public let type: ColumnType?
  }

  public init(isLowering: Bool, isMovingAll: Bool) {
    self.isLowering = isLowering
    self.isMovingAll = isMovingAll
  }

  /// Explains a node, once.
  ///
  /// - Throws: an interrupt.
  @discardableResult
  public mutating func visit(_ node: any ExplainedNode) throws -> Output {
    if let known = known[ObjectIdentifier(node)] { return known }
    let output = try node.explain(in: &self)
    known[ObjectIdentifier(node)] = output
    return output
  }

  private mutating func newStage() -> Int {
    stageCount += 1
    return stageCount
  }

  private mutating func add(
    _ place: OperatorPlace, _ form: PlanLine.Form, in language: (any Language)? = nil,
    _ output: Output, _ refusal: Refusal? = nil, note: String = ""
  ) {
    lines.append(
      PlanLine(
        stage: output.stage, name: place.name, site: place.site, form: form,
        language: form.isForeign ? language?.name ?? "" : "", type: output.type, refusal: refusal,
        note: note))
  }

  // MARK: - Operators

  /// What the engine itself reads or puts together.
  ///
  /// - Parameters:
  ///   - beginsStage: a shuffle is in front of it.
  ///   - inputs: what it is made of; without any it begins a stage too.
  public mutating func addEngine(
    _ place: OperatorPlace, over inputs: [Output], type: ColumnType?, beginsStage: Bool = false
  ) -> Output {
    let last = beginsStage ? nil : inputs.last?.stage
    let output = Output(stage: last ?? newStage(), type: type)
    add(place, .engine, output)
    return output
  }

  /// What a function of the driver makes of a batch: a stage of its own, or the end of one.
  @discardableResult
  public mutating func addDriver(_ place: OperatorPlace, over input: Output? = nil) -> Output {
    let output = input ?? Output(stage: newStage(), type: nil)
    add(place, .driver, output)
    return output
  }

  /// How pairs find their partitions.
  ///
  /// - Parameter isKept: joins that come find them divided and indexed.
  public mutating func add(
    _ division: PartitionByKey, type: ColumnType?, isKept: Bool = false
  ) -> Output {
    let output = Output(stage: newStage(), type: type)
    let partitioner = division.partitioner
    guard let function = partitioner.function, partitioner.ranges == nil else {
      add(
        division.place, .engine, output,
        note: isKept ? "a table of joins: divided and indexed once" : "")
      return output
    }
    add(
      division.place, called(function), in: function.language, output,
      Refusal("keys are placed by a function of the program's", at: nil))
    return output
  }

  /// How partitions that belong together become one.
  public mutating func add(
    _ zip: ZipPartitions, over inputs: [Output], type: ColumnType?
  ) -> Output {
    let output = Output(stage: inputs.last?.stage ?? newStage(), type: type)
    if zip.function == nil || type != nil {
      add(zip.place, .engine, output)
    } else if let function = zip.function {
      if isLowering(zip.language), zip.form != nil {
        add(zip.place, .nativeIfTyped, output)
      } else {
        add(
          zip.place, called(function), in: function.language, output,
          Refusal("it works on whole partitions", at: nil))
      }
    }
    return output
  }

  /// A table of keys.
  ///
  /// - Throws: an interrupt.
  public mutating func add(
    _ operation: TableOperation, over inputs: [Output]
  ) throws -> Output {
    let type = inputs.last?.type
    let refusal = try refusal(of: operation, type)
    var result: ColumnType?
    let form: PlanLine.Form
    if refusal == nil {
      switch operation.kind {
      case .window, .running: result = type
      case .state, .mapped: break
      }
      form = type == nil ? .nativeIfTyped : .native
    } else {
      form = called(operation.functions[0])
    }
    let output = Output(stage: inputs.last?.stage ?? newStage(), type: result)
    var told = refusal
    if case .state(let update) = operation.kind {
      let keys = try keys(of: update, operation.language)
      let reason = [refusal?.reason, keys.reason].compactMap(\.self).joined(separator: "; ")
      told = Refusal(reason, at: refusal?.place ?? keys.place)
    }
    if case .mapped = operation.kind { told = Refusal("keys with new values", at: nil) }
    add(operation.place, form, in: operation.language, output, told)
    return output
  }

  /// Which keys of a state an update function is called for, and why.
  private func keys(
    of update: TableFunction, _ language: any Language
  ) throws -> Refusal {
    switch try language.keptStates(of: update.function) {
    case .kept(let states) where states.forms == nil: Refusal("keys with new values", at: nil)
    case .kept(let states):
      Refusal("keys with new values, and states other than \(states)", at: nil)
    case .refused(let refusal): Refusal("all keys: \(refusal.reason)", at: refusal.place)
    }
  }

  /// Why a table's functions are not all native.
  private func refusal(of operation: TableOperation, _ type: ColumnType?) throws -> Refusal? {
    let language = operation.language
    guard isLowering(language) else { return Refusal("swiftwater.lowering is false", at: nil) }
    let combining: [TableFunction]
    switch operation.kind {
    case .window(let reduce, _): combining = [reduce]
    case .running(let reduce, let inverse, _): combining = [reduce, inverse]
    case .state(let update): combining = [update]
    case .mapped: return Refusal("it works with states", at: nil)
    }
    for function in combining {
      switch try language.reading(of: function.function, arguments: 2).form {
      case .refused(let refusal): return refusal
      case .expression(let expression):
        guard let type, case .tuple(let items) = type, items.count == 2 else { continue }
        if case .state = operation.kind { continue }
        do {
          let program = try Program(inputType: .tuple([items[1], items[1]]))
            .appending(.map, expression.pairwise())
          if program.outputType != items[1] {
            return Refusal("it makes \(program.outputType) of two \(items[1])", at: nil)
          }
        } catch let refusal as Refusal {
          return refusal
        }
      }
    }
    return nil
  }

  private func isLowering(_ language: any Language) -> Bool {
    isLowering || language.isNativeOnly
  }

  /// Where a function runs that its language calls.
  private func called(_ function: any UserFunction) -> PlanLine.Form {
    isMovingAll && !function.isBoundToDriver ? .worker : .language
  }

  // MARK: - Functions

  /// Functions on records, one behind the other.
  ///
  /// - Throws: an interrupt.
  public mutating func add(_ steps: [RecordStep], over input: Output) throws -> Output {
    var type = input.type
    // Behind a function that its language calls all records are that language's objects.
    var earlier = lines.last.flatMap { line in
      line.stage == input.stage && line.form.isForeign ? line : nil
    }
    let shared = try firstShared(steps)
    for (index, step) in steps.enumerated() {
      var refusal = try refusal(of: step, type, behind: earlier)
      if refusal.0 == nil, let first = shared, index >= first {
        let reason = "a function behind it could change the collection it looks into"
        refusal = (Refusal(reason, at: nil), nil)
      }
      let form: PlanLine.Form =
        refusal.0 == nil
        ? (type == nil ? .nativeIfTyped : .native) : called(step.function)
      type = refusal.1
      add(
        step.place, form, in: step.function.language, Output(stage: input.stage, type: type),
        refusal.0)
      if refusal.0 != nil { earlier = lines.last }
    }
    return Output(stage: input.stage, type: type)
  }

  /// The first function that looks into a collection which a later one, called by its language, could
  /// change.
  private func firstShared(_ steps: [RecordStep]) throws -> Int? {
    var first: Int?
    for (index, step) in steps.enumerated() {
      let language = step.function.language
      guard isLowering(language), step.kind.native != nil else { return first }
      let reading = try language.reading(of: step.function, arguments: 1)
      if reading.expression == nil { return first }
      if reading.looksIntoCollections, first == nil { first = index }
    }
    return nil
  }

  /// Why a function is not native, and what it gives.
  private func refusal(
    of step: RecordStep, _ type: ColumnType?, behind earlier: PlanLine?
  ) throws -> (Refusal?, ColumnType?) {
    let language = step.function.language
    guard isLowering(language) else {
      return (Refusal("swiftwater.lowering is false", at: nil), nil)
    }
    guard let kind = step.kind.native else {
      return (Refusal("it works on whole partitions", at: nil), nil)
    }
    switch try language.reading(of: step.function, arguments: 1).form {
    case .refused(let refusal): return (refusal, nil)
    case .expression(let expression):
      if let earlier {
        return (Self.foreignObjects(of: earlier), nil)
      }
      guard let type else { return (nil, nil) }
      do {
        return (nil, try Program(inputType: type).appending(kind, expression).outputType)
      } catch let refusal as Refusal {
        return (refusal, nil)
      }
    }
  }

  private static func foreignObjects(of line: PlanLine) -> Refusal {
    Refusal("it gets \(line.language)'s objects from \(line.name)", at: nil)
  }

  /// Values combined by key.
  ///
  /// - Parameter isLocal: inside of each partition only.
  /// - Throws: an interrupt.
  public mutating func add(
    _ combination: CombineByKey, over input: Output, isLocal: Bool
  ) throws -> Output {
    let (place, language) = (combination.place, combination.language)
    let refusal = try refusal(of: combination, input)
    let form: PlanLine.Form =
      refusal != nil
      ? called(combination.mergeValue) : input.type == nil ? .nativeIfTyped : .native
    let type = refusal == nil ? input.type : nil
    add(place, form, in: language, Output(stage: input.stage, type: type), refusal)
    if isLocal { return Output(stage: input.stage, type: type) }
    var result = type
    if combination.gathersLists, case .tuple(let items) = type {
      result = .tuple([items[0], .list(items[1])])
    }
    let output = Output(stage: newStage(), type: result)
    add(place, form, in: language, output, refusal)
    return output
  }

  private func refusal(
    of combination: CombineByKey, _ input: Output
  ) throws -> Refusal? {
    let language = combination.language
    guard isLowering(language) else { return Refusal("swiftwater.lowering is false", at: nil) }
    if combination.createCombiner != nil, !combination.gathersLists {
      return Refusal("it makes combiners with a function", at: nil)
    }
    if combination.partitioner.function != nil {
      return Refusal("keys are placed by a function of the program's", at: nil)
    }
    var merge: Expression?
    if !combination.gathersLists {
      switch try language.reading(of: combination.mergeValue, arguments: 2).form {
      case .refused(let refusal): return refusal
      case .expression(let expression): merge = expression
      }
    }
    if let last = lines.last, last.stage == input.stage, last.form.isForeign {
      return Self.foreignObjects(of: last)
    }
    guard let type = input.type else { return nil }
    guard case .tuple(let items) = type, items.count == 2 else {
      return Refusal("the records are \(type), not pairs", at: nil)
    }
    guard items[0].isHashable else { return Refusal("a key is \(items[0])", at: nil) }
    do {
      if let merge { _ = try Merge(merge, of: items[1]) }
      return nil
    } catch let refusal as Refusal {
      return refusal
    }
  }
}
