import PythonInterop
import SwiftwaterRDD

/// What an RDD is computed from, as far as the engine knows it: for `RDD.toDebugString`.
struct Lineage {
  /// A graph of streams can be large: beyond so many RDDs it is cut.
  private static let mostNodes = 200

  private var nodesLeft = Self.mostNodes

  /// A new tuple (operator, source, partitions in front of its shuffle or -1, parents, of which each is
  /// such a tuple); nil with an exception set.
  static func description(of node: RDDNode, _ py: borrowing Python) -> PyPointer? {
    var lineage = Lineage()
    return lineage.tuple(of: node, py)
  }

  /// True where a source is in it that has a name outside of the program.
  static func hasSource(_ node: RDDNode) -> Bool {
    var seen: Set<ObjectIdentifier> = []
    var open = [node]
    while let node = open.popLast(), seen.count < mostNodes {
      if node.source != nil { return true }
      guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
      open += parents(of: node).nodes
    }
    return false
  }

  private mutating func tuple(of node: RDDNode, _ py: borrowing Python) -> PyPointer? {
    nodesLeft -= 1
    let parents = Self.parents(of: node)
    var described: [PyPointer] = []
    for parent in parents.nodes where nodesLeft > 0 {
      guard let tuple = tuple(of: parent, py) else {
        for other in described { Py.release(other) }
        return nil
      }
      described.append(tuple)
    }
    // Values of the program have no operator in front of them.
    let name = node.name == "parallelize" ? "" : node.name
    guard let list = py.newList(described) else { return nil }
    guard let name = py.newText(name), let source = py.newText(node.source ?? ""),
      let wide = py.newInteger(parents.wide)
    else {
      Py.release(list)
      return nil
    }
    return py.newTuple([name, source, wide, list])
  }

  /// What a node reads, and how many partitions a shuffle in between has in front of it (-1: there is
  /// none). A shuffle that has run has forgotten what it read.
  private static func parents(of node: RDDNode) -> (nodes: [RDDNode], wide: Int) {
    var nodes: [RDDNode] = []
    var wide = -1
    for dependency in node.dependencies {
      switch dependency {
      case .narrow(let parent): nodes.append(parent)
      case .shuffle(let shuffle):
        guard let parent = shuffle.mapSideParent else { continue }
        nodes.append(parent)
        wide = max(wide, parent.partitionCount)
      case .table(let step): nodes += step.nodes
      }
    }
    return (nodes, wide)
  }
}
