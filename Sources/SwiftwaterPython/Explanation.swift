import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterRDD
import SwiftwaterStreaming

/// One line of a plan: an operator, and how it runs.
struct PlanLine {
  enum Form: String {
    /// Reads, or puts partitions together: no function is called on records.
    case engine
    case native
    /// Natively, where the records turn out to be of types that allow it.
    case nativeIfTyped = "native where types allow"
    case python = "Python"
    /// In Python, and always in a worker process.
    case worker = "Python, in a worker"
    case driver

    /// True where Python's objects come out of it.
    var isPython: Bool { self == .python || self == .worker }
  }

  let stage: Int
  let name: String
  let site: String
  let form: Form
  /// What comes out of it, where that is known.
  let type: ColumnType?
  /// Why it is not native.
  let refusal: Refusal?
}

/// Finds out how an RDD or the streams of a context are computed, without computing anything.
struct Explanation {
  private var lines: [PlanLine] = []
  private var stageCount = 0
  private let isLowering: Bool
  /// What was explained already: the stage that it ends, and the type of its records.
  private var known: [ObjectIdentifier: Output] = [:]

  private struct Output {
    let stage: Int
    let type: ColumnType?
  }

  /// Every function of Python's runs in a worker.
  private let isMovingAll: Bool

  private init(_ context: SparkContext) {
    isLowering = context.isLowering
    isMovingAll = context.isMovingAll
  }

  static func lines(ofRDD rdd: RDDNode, _ py: borrowing Python) throws -> [PlanLine] {
    var explanation = Explanation(rdd.context)
    _ = try explanation.visit(rdd, py)
    return explanation.lines
  }

  static func lines(
    ofStreams streaming: PythonStreaming, _ py: borrowing Python
  ) throws -> [PlanLine] {
    var explanation = Explanation(streaming.owner.context)
    for output in streaming.streaming.outputs {
      let input = try explanation.visit(output.node, py)
      explanation.add(output.name, output.site, .driver, input, nil)
    }
    return explanation.lines
  }

  private mutating func newStage() -> Int {
    stageCount += 1
    return stageCount
  }

  private mutating func add(
    _ name: String, _ site: String, _ form: PlanLine.Form, _ output: Output, _ refusal: Refusal?
  ) {
    lines.append(
      PlanLine(
        stage: output.stage, name: name, site: site, form: form, type: output.type,
        refusal: refusal))
  }

  // MARK: - RDDs

  private mutating func visit(_ rdd: RDDNode, _ py: borrowing Python) throws -> Output {
    if let known = known[ObjectIdentifier(rdd)] { return known }
    let output = try explain(rdd, py)
    known[ObjectIdentifier(rdd)] = output
    return output
  }

  private mutating func explain(_ rdd: RDDNode, _ py: borrowing Python) throws -> Output {
    let parents = rdd.dependencies.compactMap { dependency -> RDDNode? in
      switch dependency {
      case .narrow(let parent): parent
      case .shuffle(let shuffle): shuffle.mapSideParent
      }
    }
    switch rdd.operator {
    case .records(let run): return try explain(run.steps, over: visit(parents[0], py), py)
    case .combineByKey(let combination):
      // Where its shuffle has run, nothing is known of what is in front of it.
      if let parent = parents.first {
        return try explain(combination, over: visit(parent, py), isLocal: false, py)
      }
    case .combineLocally(let combination):
      return try explain(combination, over: visit(parents[0], py), isLocal: true, py)
    case .partitionBy(let division):
      for parent in parents { _ = try visit(parent, py) }
      let output = Output(stage: newStage(), type: rdd.recordType)
      add(division.place, called(division), output)
      return output
    case .zipPartitions(let zip):
      let inputs = try parents.map { try visit($0, py) }
      let output = Output(stage: inputs.last?.stage ?? newStage(), type: rdd.recordType)
      add(zip.place, called(zip, isTyped: rdd.recordType != nil), output)
      return output
    case .read, .layout, .stored: break
    }
    let inputs = try parents.map { try visit($0, py) }
    // Behind a shuffle that has run, too.
    let stage = rdd.operator.isShuffled || inputs.isEmpty ? newStage() : inputs.last!.stage
    let output = Output(stage: stage, type: rdd.recordType)
    add(rdd.name, "", .engine, output, nil)
    return output
  }

  private mutating func add(
    _ place: OperatorPlace, _ how: (form: PlanLine.Form, refusal: Refusal?), _ output: Output
  ) {
    add(place.name, place.site, how.form, output, how.refusal)
  }

  /// How pairs find their partitions.
  private func called(_ division: PartitionByKey) -> (PlanLine.Form, Refusal?) {
    let partitioner = division.partitioner
    guard let function = partitioner.function, partitioner.ranges == nil else {
      return (.engine, nil)
    }
    let refusal = Refusal("keys are placed by a function of the program's", at: nil)
    return (python(function), refusal)
  }

  /// How partitions that belong together become one.
  private func called(_ zip: ZipPartitions, isTyped: Bool) -> (PlanLine.Form, Refusal?) {
    guard let function = zip.function, !isTyped else { return (.engine, nil) }
    if isLowering, zip.form != nil { return (.nativeIfTyped, nil) }
    return (python(function), Refusal("it works on whole partitions", at: nil))
  }

  /// Where a function of Python's runs.
  private func python(_ function: any UserFunction) -> PlanLine.Form {
    isMovingAll && !function.isBoundToDriver ? .worker : .python
  }

  // MARK: - Streams

  private mutating func visit(_ node: StreamNode, _ py: borrowing Python) throws -> Output {
    if let known = known[ObjectIdentifier(node)] { return known }
    let output = try explain(node, py)
    known[ObjectIdentifier(node)] = output
    return output
  }

  private mutating func explain(_ node: StreamNode, _ py: borrowing Python) throws -> Output {
    let inputs = try node.parents.map { try visit($0, py) }
    switch node.operator {
    case .records(let steps): return try explain(steps, over: inputs[0], py)
    case .combineByKey(let combination):
      return try explain(combination, over: inputs[0], isLocal: false, py)
    case .driver(let place):
      let output = Output(stage: newStage(), type: nil)
      add(place.name, place.site, .driver, output, nil)
      return output
    case .source, .derived:
      let types = Set(inputs.map(\.type))
      let type = node.sourceType ?? (types.count == 1 ? types.first! : nil)
      let output = Output(stage: inputs.last?.stage ?? newStage(), type: type)
      add(node.name, node.sourceSite, .engine, output, nil)
      return output
    }
  }

  // MARK: - Functions

  private mutating func explain(
    _ operators: [RecordStep], over input: Output, _ py: borrowing Python
  ) throws -> Output {
    var type = input.type
    // Behind a function that stays Python all records are Python's objects.
    var earlier = lines.last.flatMap { line in
      line.stage == input.stage && line.form.isPython ? line : nil
    }
    let shared = try operatorsBeforePython(operators, py)
    for (index, item) in operators.enumerated() {
      var refusal = try refusal(of: item, type, behind: earlier, py)
      if refusal.0 == nil, let first = shared, index >= first {
        let reason = "a function behind it could change the collection it looks into"
        refusal = (Refusal(reason, at: nil), nil)
      }
      let form: PlanLine.Form =
        refusal.0 == nil
        ? (type == nil ? .nativeIfTyped : .native) : python(item.function)
      type = refusal.1
      add(item.place.name, item.place.site, form, Output(stage: input.stage, type: type), refusal.0)
      if refusal.0 != nil { earlier = lines.last }
    }
    return Output(stage: input.stage, type: type)
  }

  /// The first function that looks into a collection which a later one, in Python, could change.
  private func operatorsBeforePython(
    _ operators: [RecordStep], _ py: borrowing Python
  ) throws -> Int? {
    var first: Int?
    for (index, item) in operators.enumerated() {
      guard isLowering, Program.Kind(rawValue: item.kind.rawValue) != nil else { return first }
      let reading = try PythonFunction.of(item.function).reading(1, py)
      if reading.expression == nil { return first }
      if reading.looksIntoCollections, first == nil { first = index }
    }
    return nil
  }

  /// Why a function is not native, and what it gives.
  private func refusal(
    of item: RecordStep, _ type: ColumnType?, behind earlier: PlanLine?, _ py: borrowing Python
  ) throws -> (Refusal?, ColumnType?) {
    guard isLowering else { return (Refusal("swiftwater.lowering is false", at: nil), nil) }
    guard let kind = Program.Kind(rawValue: item.kind.rawValue) else {
      return (Refusal("it works on whole partitions", at: nil), nil)
    }
    switch try PythonFunction.of(item.function).reading(1, py).form {
    case .refused(let refusal): return (refusal, nil)
    case .expression(let expression):
      if let earlier {
        return (Refusal("it gets Python's objects from \(earlier.name)", at: nil), nil)
      }
      guard let type else { return (nil, nil) }
      do {
        return (nil, try Program(inputType: type).appending(kind, expression).outputType)
      } catch let refusal as Refusal {
        return (refusal, nil)
      }
    }
  }

  private mutating func explain(
    _ combination: CombineByKey, over input: Output, isLocal: Bool, _ py: borrowing Python
  ) throws -> Output {
    let place = combination.place
    let refusal = try refusal(of: combination, input, py)
    let form: PlanLine.Form =
      refusal != nil
      ? python(combination.mergeValue) : input.type == nil ? .nativeIfTyped : .native
    let type = refusal == nil ? input.type : nil
    add(place.name, place.site, form, Output(stage: input.stage, type: type), refusal)
    if isLocal { return Output(stage: input.stage, type: type) }
    var result = type
    if combination.gathersLists, case .tuple(let items) = type {
      result = .tuple([items[0], .list(items[1])])
    }
    let output = Output(stage: newStage(), type: result)
    add(place.name, place.site, form, output, refusal)
    return output
  }

  private func refusal(
    of combination: CombineByKey, _ input: Output, _ py: borrowing Python
  ) throws -> Refusal? {
    guard isLowering else { return Refusal("swiftwater.lowering is false", at: nil) }
    if combination.createCombiner != nil, !combination.gathersLists {
      return Refusal("it makes combiners with a function", at: nil)
    }
    if combination.partitioner.function != nil {
      return Refusal("keys are placed by a function of the program's", at: nil)
    }
    var merge: Expression?
    if !combination.gathersLists {
      switch try PythonFunction.of(combination.mergeValue).reading(2, py).form {
      case .refused(let refusal): return refusal
      case .expression(let expression): merge = expression
      }
    }
    if let last = lines.last, last.stage == input.stage, last.form.isPython {
      return Refusal("it gets Python's objects from \(last.name)", at: nil)
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

extension Python {
  /// Lines as tuples of stage, operator, site, form, type, reason, file, line and instruction; nil
  /// with an exception set.
  func newList(of lines: [PlanLine]) -> PyPointer? {
    let tuples = lines.map { line in
      let place = line.refusal?.place
      return newTuple([
        newInteger(line.stage), newText(line.name), newText(line.site), newText(line.form.rawValue),
        newText(line.type?.description ?? ""), newText(line.refusal?.reason ?? ""),
        newText(place?.file ?? ""), newInteger(place?.line ?? 0), newText(place?.instruction ?? ""),
      ])
    }
    return newList(tuples)
  }
}
