import SwiftwaterPlan

/// What is made of the records of several nodes that have one key's records in the same partition.
public struct Join: Sendable {
  /// Called with a partition's number and the records of each node there; nil: what it does is native.
  public let function: (any UserFunction)?
  /// What `function` comes to where pairs are in columns.
  public let form: ZipForm?
  /// Whose objects records are that are in no column.
  public let language: any Language
  /// The results are pairs of the keys that the records had.
  public let keepsKeys: Bool
  /// What marks the records of so many nodes with where they came from, and what does the work of
  /// `function` on all of them in one partition; nil: nodes are never united. See ``JoinPlan/Way``.
  public let united: (@Sendable (_ count: Int) throws -> UnitedJoin)?
  /// See ``ZipPartitions/matchedOnly``; nil: as `form` says.
  public let matchedOnly: MatchedInputs?
  public let place: OperatorPlace

  public init(
    _ function: (any UserFunction)?, form: ZipForm?, in language: any Language,
    keepsKeys: Bool = true, matchedOnly: MatchedInputs? = nil, at place: OperatorPlace,
    united: (@Sendable (_ count: Int) throws -> UnitedJoin)? = nil
  ) {
    self.function = function
    self.form = form
    self.language = language
    self.keepsKeys = keepsKeys
    self.matchedOnly = matchedOnly
    self.place = place
    self.united = united
  }
}

/// A ``Join`` of records that are moved together.
public struct UnitedJoin: Sendable {
  /// For the values of each node.
  public let marks: [RecordStep]
  /// For each partition of marked records.
  public let merge: RecordStep

  public init(marks: [RecordStep], merge: RecordStep) {
    self.marks = marks
    self.merge = merge
  }
}

/// What a join was planned as.
public struct JoinedNodes: Sendable {
  public let node: RDDNode
  /// The nodes that were moved, in the order of the join's.
  public let moved: [RDDNode?]
  /// The union that was moved instead of each of them.
  public let union: RDDNode?
}

extension RDDNode {
  /// Nodes brought together by the keys of their records: the one place that says which of them go
  /// through a shuffle. Nothing is computed.
  ///
  /// - Parameter partitions: of the result; nil: as many as shuffles of these nodes have.
  /// - Throws: an interrupt while functions are read; what comparing the functions of partitioners
  ///   throws; what `Join.united` throws.
  public static func joined(
    _ nodes: [RDDNode], by join: Join, into partitions: Int?, context: SparkContext
  ) throws -> JoinedNodes {
    let count = try partitions ?? context.shufflePartitions(of: nodes)
    let plan = try JoinPlan(of: nodes, into: count, unitesAlike: join.united != nil)
    if count == 0 {
      return JoinedNodes(node: .empty(context), moved: nodes.map { _ in nil }, union: nil)
    }
    let division = PartitionByKey(plan.partitioner, in: join.language, at: join.place)
    switch plan.way {
    case .sideBySide(let moves):
      let sides = try tables(of: nodes, division, moves)
      let zipped = ZipPartitions(
        .sideBySide(of: sides.count, in: count), join.function, form: join.form,
        partitioner: join.keepsKeys ? plan.partitioner : nil, matchedOnly: join.matchedOnly,
        at: join.place)
      return JoinedNodes(
        node: try Self.zipped(zipped, of: sides, context: context),
        moved: zip(nodes, moves).map { node, moves in moves ? node : nil }, union: nil)
    case .united:
      guard let together = try join.united?(nodes.count) else {
        preconditionFailure("a join is united that cannot be")
      }
      let marked = zip(nodes, together.marks).map { $0.applying([$1]) }
      let union = try marked.dropFirst().reduce(marked[0]) {
        try united([$0, $1], name: "union", context: context)
      }
      let moved = try union.capturingAgain().partitioned(division)
      return JoinedNodes(
        node: moved.applying([together.merge]), moved: nodes.map { _ in nil }, union: union)
    }
  }
}
