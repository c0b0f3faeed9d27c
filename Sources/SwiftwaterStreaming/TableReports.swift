import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD

/// How large the table of a window or a state is.
public struct TableReport: Sendable {
  /// What its stream is known by in checkpoints.
  public let stableName: String
  /// The operator, and the place of its call.
  public let place: OperatorPlace
  public let figures: TableFigures
}

extension StreamingContext {
  /// The tables of windows and states, each as it was after the latest step of each partition. Nobody is
  /// waited for, a batch that runs neither.
  public var tables: [TableReport] {
    allNodes.compactMap { node in
      guard let stream = node.table, let name = node.stableName else { return nil }
      return TableReport(
        stableName: name, place: stream.table.operation.place, figures: stream.table.figures)
    }
  }
}

extension StreamNode {
  /// The table of a window or a state; nil for any other stream.
  public var keyedTable: KeyedTable? { table?.table }
}
