import SwiftwaterKernels

/// Values combined by key: first inside each partition, then across them.
public final class CombineByKey: Sendable {
  /// Makes a key's first combined value; nil: the value itself.
  public let createCombiner: (any UserFunction)?
  public let mergeValue: any UserFunction
  public let mergeCombiners: any UserFunction
  public let partitioner: Partitioner
  /// The functions put values into lists, and lists together: nothing else.
  public let gathersLists: Bool
  public let place: OperatorPlace

  public init(
    createCombiner: (any UserFunction)? = nil, mergeValue: any UserFunction,
    mergeCombiners: any UserFunction, partitioner: Partitioner, gathersLists: Bool = false,
    at place: OperatorPlace
  ) {
    self.createCombiner = createCombiner
    self.mergeValue = mergeValue
    self.mergeCombiners = mergeCombiners
    self.partitioner = partitioner
    self.gathersLists = gathersLists
    self.place = place
  }

  public var language: any Language { mergeValue.language }

  /// The functions that it calls.
  public var functions: [any UserFunction] {
    [mergeValue, mergeCombiners] + [createCombiner, partitioner.function].compactMap(\.self)
  }

  /// The combination whose parts are merged by another function, a copy of its own.
  public func merging(by function: any UserFunction) -> CombineByKey {
    CombineByKey(
      createCombiner: createCombiner,
      mergeValue: mergeValue.isSame(as: mergeCombiners) ? function : mergeValue,
      mergeCombiners: function, partitioner: partitioner, gathersLists: gathersLists, at: place)
  }

  /// The combination with what its functions refer to by now.
  ///
  /// - Throws: an interrupt.
  public func captured() throws -> CombineByKey {
    guard functions.contains(where: \.isOpen) else { return self }
    let all = [createCombiner, mergeValue, mergeCombiners, partitioner.function]
    var captured = try language.captured(all.compactMap(\.self))[...]
    let new = all.map { $0 == nil ? nil : captured.popFirst() }
    return CombineByKey(
      createCombiner: new[0], mergeValue: new[1] ?? mergeValue,
      mergeCombiners: new[2] ?? mergeCombiners, partitioner: partitioner.with(new[3]),
      gathersLists: gathersLists, at: place)
  }
}
