import SwiftwaterPlan
import Synchronization

/// What joins have made of a node's records and may take again: a table that many streams' batches are
/// joined with is divided once, and indexed once.
///
/// That begins with the second join of the same node, and only where the records cannot be others the next
/// time: see ``Fingerprint``. It is freed with the node, and when its records are not kept any more.
struct KeptTables {
  /// How many ways of dividing are remembered: numbers of partitions differ from batch to batch where a
  /// receiver's blocks do.
  static let mostForms = 4

  /// The records divided for a join.
  struct Form {
    let count: Int
    let language: String
    let fingerprint: Fingerprint
    let node: RDDNode
  }

  /// A join has asked for the records before.
  var isJoined = false
  /// What was used last comes first. Only what has run is here: it holds nothing of the node any more.
  var forms: [Form] = []
  /// The records as they are, where they are divided already, or were divided for joins.
  var index: TableIndex?
  /// What `index` is of; nil where the node does not change.
  var fingerprint: Fingerprint?
}

extension RDDNode {
  /// The inputs of a join, those moved that have to be; tables as they were kept.
  ///
  /// - Throws: an interrupt while functions are read.
  static func tables(
    of nodes: [RDDNode], _ division: PartitionByKey, _ moves: [Bool]
  ) throws -> [RDDNode] {
    let sides = try zip(nodes, moves).map { node, moves in
      if moves { return try node.dividedTable(by: division) }
      try node.keepIndex()
      return node
    }
    // Behind it: one that is joined with itself is not joined again.
    for node in nodes { node.tables.withLock { $0.isJoined = true } }
    return sides
  }

  /// What finds the records by their keys; nil where joins read all of them.
  var tableIndex: TableIndex? { tables.withLock { $0.index } }

  func forgetTables() {
    let old = tables.withLock { tables -> KeptTables in
      defer {
        tables.forms = []
        tables.index = nil
        tables.fingerprint = nil
      }
      return tables
    }
    // Freed here, outside the lock.
    _ = consume old
  }

  private func dividedTable(by division: PartitionByKey) throws -> RDDNode {
    let again = capturingAgain()
    guard tables.withLock({ $0.isJoined }), let fingerprint = try Fingerprint(of: again) else {
      return try again.partitioned(division)
    }
    let (count, language) = (division.partitioner.count, division.language.name)
    if let known = form(count, language, fingerprint) { return known }
    let divided = try again.partitioned(division) { [self] divided in
      keep(
        KeptTables.Form(
          count: count, language: language, fingerprint: fingerprint, node: divided))
    }
    divided.tables.withLock { $0.index = TableIndex() }
    return divided
  }

  private func form(_ count: Int, _ language: String, _ fingerprint: Fingerprint) -> RDDNode? {
    let (found, stale) = tables.withLock { tables -> (RDDNode?, [KeptTables.Form]) in
      let stale = tables.forms.filter { $0.fingerprint != fingerprint }
      tables.forms.removeAll { $0.fingerprint != fingerprint }
      guard
        let place = tables.forms.firstIndex(where: { $0.count == count && $0.language == language })
      else { return (nil, stale) }
      let form = tables.forms.remove(at: place)
      tables.forms.insert(form, at: 0)
      return (form.node, stale)
    }
    // Freed here, outside the lock.
    withExtendedLifetime(stale) {}
    return found
  }

  private func keep(_ form: KeptTables.Form) {
    let old = tables.withLock { tables -> [KeptTables.Form] in
      let old = tables.forms
      tables.forms.removeAll { $0.count == form.count && $0.language == form.language }
      tables.forms.insert(form, at: 0)
      tables.forms = Array(tables.forms.prefix(KeptTables.mostForms))
      return old
    }
    withExtendedLifetime(old) {}
  }

  /// Has a node that is divided already find its records by their keys.
  private func keepIndex() throws {
    guard tables.withLock({ $0.isJoined }) else { return }
    let fingerprint = try Fingerprint(of: self)
    let old = tables.withLock { tables -> TableIndex? in
      let old = tables.index
      if fingerprint == nil {
        tables.index = nil
      } else if tables.index == nil || tables.fingerprint != fingerprint {
        tables.index = TableIndex()
      }
      tables.fingerprint = fingerprint
      return old
    }
    withExtendedLifetime(old) {}
  }
}
