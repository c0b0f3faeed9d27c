import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD

/// What merges a combination's parts behind its shuffle: the recipe's part of a node that is late.
///
/// Spark: the functions in front of a shuffle are pickled when it is defined, and what they gave is
/// kept; the one behind it is pickled when a job first needs it, and again with each operator that is
/// fused with it.
final class LateMerge: LateForm {
  private let shuffle: Shuffle
  private let parent: RDDNode
  /// With what the functions had captured when the shuffle was defined.
  private let combination: CombineByKey
  /// As the user gave it.
  private let mergeCombiners: TaskFunction
  /// The type of the pairs in the shuffle; nil where that is not known before, or Python's.
  private let shuffledType: ColumnType?
  /// No node of a user's, but a part of the pipeline behind it.
  let isFused: Bool
  private let value: LateValue<Settled>

  private struct Settled: Sendable {
    let combination: CombineByKey
    let isNative: Bool
    let recordType: ColumnType?
  }

  init(
    _ combination: CombineByKey, by mergeCombiners: TaskFunction, behind shuffle: Shuffle,
    of parent: RDDNode, shuffledType: ColumnType?, isFused: Bool = false
  ) {
    self.combination = combination
    self.mergeCombiners = mergeCombiners
    self.shuffle = shuffle
    self.parent = parent
    self.shuffledType = shuffledType
    self.isFused = isFused
    value = LateValue {
      try Self.settled(combination, by: mergeCombiners, over: parent, shuffledType)
    }
  }

  private static func settled(
    _ combination: CombineByKey, by mergeCombiners: TaskFunction, over parent: RDDNode,
    _ shuffledType: ColumnType?
  ) throws -> Settled {
    guard mergeCombiners.isOpen else {
      let native = try NativeMerge(combination, over: parent)
      return Settled(
        combination: combination, isNative: native != nil, recordType: shuffledType)
    }
    let captured = try Interpreter.attach { py in try TaskFunction.captured([mergeCombiners], py) }
    let merging = combination.merging(by: captured[0])
    let native = try NativeMerge(merging, over: parent)
    return Settled(
      combination: merging, isNative: native != nil,
      recordType: shuffledType.flatMap { native?.resultType(of: $0) })
  }

  func node() -> RDDNode {
    RDDNode(
      name: combination.place.name, context: parent.context, dependencies: [.shuffle(shuffle)],
      partitionCount: shuffle.bucketCount, form: self,
      recipe: CombineRecipe(parent: parent, combination: combination, merge: self)
    ) { [shuffle, parent, value] partition, task in
      let settled = try value.get()
      let parts = shuffle.bucket(partition)
      if task.isMoved, !settled.isNative, parts.count > 1,
        let moved = RemoteCursor(
          [ArrayCursor(parts)], again: { [ArrayCursor(parts)] }, .merge(settled.combination),
          partition: partition, in: parent.context, task: task)
      {
        return moved
      }
      return try settled.combination.mergedParts(parts, of: parent, task: task)
    }
  }

  /// A node of the same shuffle whose function captures anew, for what is fused behind it; nil where
  /// it would capture the same.
  func again() -> RDDNode? {
    guard mergeCombiners.isOpen, value.sealed == nil else { return nil }
    return LateMerge(
      combination, by: mergeCombiners, behind: shuffle, of: parent, shuffledType: shuffledType,
      isFused: true
    ).node()
  }
}

extension LateMerge {
  var placement: TaskPlacement { value.known?.recordType == nil ? .oneAtATime : .anyThread }
  var recordType: ColumnType? { value.known?.recordType }
  func settle() { _ = value.known }
  func seal() { value.seal() }
}

extension RDDNode {
  /// The node as an action, a shuffle or an operator that puts functions behind its own sees it: they
  /// are captured together, late.
  func capturingAgain() -> RDDNode {
    if isCached { return self }
    switch recipe {
    case let pipeline as Pipeline: return pipeline.again(name: name) ?? self
    case let combined as CombineRecipe: return combined.merge?.again() ?? self
    default: return self
    }
  }

  /// The parent of a pipeline as another pipeline of the same records sees it.
  func capturingAgainWherePartOfPipeline() -> RDDNode {
    guard let merge = (recipe as? CombineRecipe)?.merge, merge.isFused else { return self }
    return merge.again() ?? self
  }
}
