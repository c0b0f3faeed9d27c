import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterTesting
import Testing

@testable import SwiftwaterRDD

/// Explanations of plans that no Python function is in.
@Suite struct ExplanationTests {
  private func context() throws -> SparkContext {
    try SparkContext(master: "local[1]", appName: "explanations")
  }

  /// "stage name how -> type: reason".
  private func told(_ lines: [PlanLine]) -> [String] {
    lines.map { line in
      let type = line.type.map { " -> \($0)" } ?? ""
      let reason = line.refusal.map { ": \($0.reason)" } ?? ""
      return "\(line.stage) \(line.name) \(line.formName)\(type)\(reason)"
    }
  }

  private func lines(_ context: SparkContext) -> RDD<TextLine> {
    RDD(RDDNode.batches([[], []], name: "lines", context: context, recordType: .text))
  }

  @Test("Terms are native, and their types are known")
  func terms() throws {
    let counts = try lines(context()).columns
      .flatMap { $0.split(" ") }.map { [$0, 1] }.reduceByKey(partitions: 1) { $0 + $1 }
    let functions = try told(counts.explanation().filter { $0.form != .engine })
    #expect(
      functions == [
        "1 flatMap native -> str", "1 map native -> tuple[str, int]",
        "1 reduceByKey native -> tuple[str, int]", "2 reduceByKey native -> tuple[str, int]",
      ])
  }

  @Test("Closures are Swift's, and so is all that is behind them in a stage")
  func closures() throws {
    let lengths = try lines(context()).map { $0.utf8Count }.filter { $0 > 2 }
    #expect(
      try told(lengths.explanation()) == [
        "1 lines engine -> str", "1 map Swift: it is a closure", "1 filter Swift: it is a closure",
      ])
  }

  @Test(
    "Where everything moves, a function that can move runs in a worker", arguments: [true, false])
  func moved(isBound: Bool) throws {
    let function = ForeignFunction(isBoundToDriver: isBound)
    var explanation = Explanation(isLowering: true, isMovingAll: true)
    let source = explanation.addEngine(OperatorPlace(name: "source"), over: [], type: .integer)
    _ = try explanation.add(
      [
        RecordStep(.map, function, at: OperatorPlace(name: "map")),
        RecordStep(.mapPartitions, function, at: OperatorPlace(name: "mapPartitions")),
      ], over: source)
    let form = isBound ? "Tengwar" : "Tengwar, in a worker"
    #expect(
      told(explanation.lines) == [
        "1 source engine -> int", "1 map \(form): it is a closure",
        "1 mapPartitions \(form): it works on whole partitions",
      ])
  }

  @Test("Without lowering an expression stays with its language, but where it is all there is")
  func off() throws {
    let argument = Expression(.argument(0), at: nil)
    let steps = [false, true].map { isForeign -> RecordStep in
      let function: any UserFunction =
        isForeign
        ? ForeignFunction(reading: .expression(argument)) : ExpressionFunction(argument)
      return RecordStep(.map, function, at: OperatorPlace(name: isForeign ? "foreign" : "own"))
    }
    var explanation = Explanation(isLowering: false, isMovingAll: false)
    let source = explanation.addEngine(OperatorPlace(name: "source"), over: [], type: .text)
    _ = try explanation.add(steps, over: source)
    #expect(
      told(explanation.lines) == [
        "1 source engine -> str", "1 own native -> str",
        "1 foreign Tengwar: swiftwater.lowering is false",
      ])
  }

  @Test("Behind a function of a language, records are its objects: in that stage, and no further")
  func behind() throws {
    let argument = Expression(.argument(0), at: nil)
    let sum = Expression(.binary("+", argument, Expression(.argument(1), at: nil)), at: nil)
    var explanation = Explanation(isLowering: true, isMovingAll: false)
    let source = explanation.addEngine(
      OperatorPlace(name: "source"), over: [], type: .tuple([.text, .integer]))
    let called = try explanation.add(
      [
        RecordStep(.map, ForeignFunction(), at: OperatorPlace(name: "called")),
        RecordStep(
          .map, ForeignFunction(reading: .expression(argument)), at: OperatorPlace(name: "read")),
      ], over: source)
    let merge = ForeignFunction(reading: .expression(sum))
    let combined = try explanation.add(
      CombineByKey(
        mergeValue: merge, mergeCombiners: merge, partitioner: Partitioner(count: 2),
        at: OperatorPlace(name: "sum")), over: called, isLocal: false)
    #expect(combined.stage == 2)
    #expect(
      told(explanation.lines) == [
        "1 source engine -> tuple[str, int]", "1 called Tengwar: it is a closure",
        "1 read Tengwar: it gets Tengwar's objects from called",
        "1 sum Tengwar: it gets Tengwar's objects from read",
        "2 sum Tengwar: it gets Tengwar's objects from read",
      ])
  }

  @Test("A node that two others read is told of once")
  func shared() throws {
    let context = try context()
    let shared = lines(context).map { $0.utf8Count }
    let both = RDDNode.union(of: [shared.node, shared.node], context: context)
    #expect(try both.explanation().map { $0.name } == ["lines", "map", "union"])
  }
}

/// A function of a language that can only be explained.
private final class ForeignFunction: UserFunction {
  let isBoundToDriver: Bool
  let reading: FunctionReading.Form

  init(
    isBoundToDriver: Bool = false,
    reading: FunctionReading.Form = .refused(Refusal("it is a closure", at: nil))
  ) {
    self.isBoundToDriver = isBoundToDriver
    self.reading = reading
  }

  var language: any Language { ForeignLanguage() }
  var identity: ObjectIdentifier { ObjectIdentifier(self) }
  var isOpen: Bool { false }
  func bindToDriver() {}
  func isSame(as other: any UserFunction) -> Bool { self === other }
}

private struct ForeignLanguage: Language {
  struct CallsNothing: Error {}

  var name: String { "Tengwar" }
  var placement: TaskPlacement { .anyThread }

  func reading(of function: any UserFunction, arguments: Int) throws -> FunctionReading {
    guard let function = function as? ForeignFunction else { throw CallsNothing() }
    return FunctionReading(function.reading, of: function)
  }

  func cursor(over rest: Rest, _ task: TaskContext) throws -> any BatchCursor {
    throw CallsNothing()
  }

  func combined(
    _ rest: Rest, _ combination: CombineByKey, divided: [[any RecordBatch]], _ task: TaskContext
  ) throws -> [[any RecordBatch]] { throw CallsNothing() }

  func merged(
    _ parts: [any RecordBatch], _ combination: CombineByKey, _ task: TaskContext
  ) throws -> any BatchCursor { throw CallsNothing() }

  func divided(
    _ rest: Rest, _ division: PartitionByKey, _ task: TaskContext
  ) throws -> [[any RecordBatch]] { throw CallsNothing() }

  func zipped(
    _ inputs: [any BatchCursor], _ zip: ZipPartitions, partition: Int, _ task: TaskContext
  ) throws -> any BatchCursor { throw CallsNothing() }
}
