import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// Steps of an RDD, which decide late what their functions refer to, and with it how far they are native.
/// Of a long chain of operators only the last one is ever asked.
final class StepsPlan: Sendable {
  /// The steps, with functions as the user gave them.
  let run: StepRun
  let language: any Language
  let value: LateValue<Settled>

  /// The steps with what their functions refer to, and what is native of them.
  struct Settled: Sendable {
    let steps: [RecordStep]
    /// Nil where nothing is run natively.
    let native: NativeChain?
    let isNative: Bool
    let recordType: ColumnType?
  }

  /// - Parameters:
  ///   - isLowering: functions are run natively where they are understood.
  ///   - inputType: the type of the records in front of the steps, where it is known.
  init(
    _ run: StepRun, isLowering: Bool, inputType: @escaping @Sendable () -> ColumnType?
  ) {
    self.run = run
    language = run.language
    value = LateValue { [language] in
      // What is in front decides first.
      let type = inputType()
      var settled: Settled?
      try language.together {
        settled = try Self.settled(
          run.steps, isLowering: isLowering || language.isNativeOnly, over: type)
      }
      return settled!
    }
  }

  private static func settled(
    _ steps: [RecordStep], isLowering: Bool, over inputType: ColumnType?
  ) throws -> Settled {
    let steps = try RecordStep.captured(steps)
    guard isLowering else {
      return Settled(steps: steps, native: nil, isNative: false, recordType: nil)
    }
    let native = try NativeChain.of(steps)
    let compiled = inputType.map { native.compiled(for: $0) }
    let isNative = compiled?.count == steps.count
    return Settled(
      steps: steps, native: native, isNative: isNative,
      recordType: isNative ? compiled?.program.outputType : nil)
  }
}

extension StepsPlan: LatePlan {
  var placement: TaskPlacement {
    value.known?.isNative == true ? .anyThread : language.placement
  }
  var recordType: ColumnType? { value.known?.recordType }
  func settle() { _ = value.known }
  func seal() { value.seal() }
}

/// What a node decides late: see ``LateValue``. Asking for anything settles it.
protocol LatePlan: Sendable {
  /// Where the node's tasks may run.
  var placement: TaskPlacement { get }
  /// The type of the records, as in ``RDDNode/recordType``.
  var recordType: ColumnType? { get }
  /// Decides, once for all.
  func settle()
  /// Decides also for what is fused with the node from now on.
  func seal()
}
