import SwiftwaterCore
import SwiftwaterKernels

/// The native form of what combines the values of a key.
public struct NativeMerge: Sendable {
  /// Merges two values; nil where values are gathered in lists.
  private let function: Expression?
  private let language: any Language

  /// Nil where there is none, or where keys are placed by a function of the user's.
  ///
  /// - Throws: an interrupt while the functions are read.
  public init?(_ combination: CombineByKey, isLowering: Bool) throws {
    language = combination.language
    guard isLowering || language.isNativeOnly, combination.partitioner.function == nil else {
      return nil
    }
    if combination.gathersLists {
      function = nil
      return
    }
    guard combination.createCombiner == nil,
      combination.mergeValue.isSame(as: combination.mergeCombiners),
      let expression = try language.reading(of: combination.mergeValue, arguments: 2).expression
    else { return nil }
    function = expression
  }

  /// How values of pairs of a type merge; nil where that is the language's.
  ///
  /// - Parameter areCombined: the values are what a partition's own values have become.
  public func merge(of type: ColumnType, areCombined: Bool = false) -> Merge? {
    guard case .tuple(let items) = type, items.count == 2, items[0].isHashable else { return nil }
    if let function { return try? Merge(function, of: items[1]) }
    if !areCombined { return .gather }
    if case .list = items[1] { return .join }
    return nil
  }

  /// The type of the combined pairs; nil where that is the language's.
  public func resultType(of type: ColumnType) -> ColumnType? {
    guard case .tuple(let items) = type, let merge = merge(of: type) else { return nil }
    return .tuple([items[0], merge.resultType(for: items[1])])
  }

  /// True where one table for several partitions gives what a table for each gives.
  public func isShareable(for type: ColumnType) -> Bool {
    guard case .tuple(let items) = type, let merge = merge(of: type) else { return false }
    return merge.isAssociative(for: items[1])
  }

  /// A batch as a column. Records that are objects are not made columns only to be put into lists.
  public func column(of batch: any RecordBatch) -> Column? {
    if let batch = batch as? ColumnBatch { return batch.column }
    return function == nil ? nil : language.column(of: batch)
  }
}
