import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// What merges a combination's parts behind its shuffle.
///
/// Spark: the functions in front of a shuffle are pickled when it is defined, and what they gave is
/// kept; the one behind it is pickled when a job first needs it, and again with each operator that is
/// fused with it.
final class MergePlan: Sendable {
  /// With what the functions referred to when the shuffle was defined.
  let combination: CombineByKey
  /// As the user gave it.
  private let mergeCombiners: any UserFunction
  /// The type of the pairs in the shuffle; nil where that is not known before, or a language's.
  private let shuffledType: ColumnType?
  private let isLowering: Bool
  /// The functions that the shuffle was defined with have a native form.
  private let isNative: Bool
  /// No node of a user's, but a part of the steps behind it.
  let isFused: Bool
  let value: LateValue<Settled>

  struct Settled: Sendable {
    let combination: CombineByKey
    let isNative: Bool
    let recordType: ColumnType?
  }

  init(
    _ combination: CombineByKey, by mergeCombiners: any UserFunction, isNative: Bool,
    shuffledType: ColumnType?, isLowering: Bool, isFused: Bool = false
  ) {
    self.combination = combination
    self.mergeCombiners = mergeCombiners
    self.shuffledType = shuffledType
    self.isLowering = isLowering
    self.isNative = isNative
    self.isFused = isFused
    value = LateValue {
      guard mergeCombiners.isOpen else {
        return Settled(
          combination: combination, isNative: isNative, recordType: shuffledType)
      }
      let captured = try mergeCombiners.language.captured([mergeCombiners])
      let merging = combination.merging(by: captured[0])
      let native = try NativeMerge(merging, isLowering: isLowering)
      return Settled(
        combination: merging, isNative: native != nil,
        recordType: shuffledType.flatMap { native?.resultType(of: $0) })
    }
  }

  /// The same whose function captures anew, for what is fused behind it; nil where it would refer to
  /// the same.
  func again() -> MergePlan? {
    guard mergeCombiners.isOpen, value.sealed == nil else { return nil }
    return MergePlan(
      combination, by: mergeCombiners, isNative: isNative, shuffledType: shuffledType,
      isLowering: isLowering, isFused: true)
  }
}

extension MergePlan: LatePlan {
  var placement: TaskPlacement {
    value.known?.recordType == nil ? combination.language.placement : .anyThread
  }
  var recordType: ColumnType? { value.known?.recordType }
  func settle() { _ = value.known }
  func seal() { value.seal() }
}
