import SwiftwaterPlan

/// What the records of a node depend on, as far as it could be otherwise another time. Two equal ones:
/// the same records.
///
/// Spark computes what is not cached again for each join: a file may have changed by then, and a function may
/// give something else. Given values, kept records and shuffles that have run stay what they are, and so
/// does what functions give of them that were understood: they have no effects, and see nothing but their
/// arguments and what they have captured.
struct Fingerprint: Sendable, Equatable {
  private enum Part: Equatable {
    case source(Int)
    case kept(Int, keeping: Int)
    case shuffle(Int)
    case function(Int)
  }

  private var parts: [Part] = []
  /// So that their identities stay theirs.
  private var readings: [FunctionReading] = []

  static func == (a: Fingerprint, b: Fingerprint) -> Bool { a.parts == b.parts }

  /// Nil where the records may be others each time that they are computed.
  ///
  /// - Throws: an interrupt while functions are read.
  init?(of node: RDDNode) throws {
    guard try add(node) else { return nil }
  }

  private mutating func add(_ node: RDDNode) throws -> Bool {
    if let keeping = node.keeping {
      parts.append(.kept(node.id, keeping: keeping))
      return true
    }
    return try node.withLineage { lineage in
      switch lineage.operator {
      case .read(let source):
        parts.append(.source(node.id))
        return source.isUnchanging
      case .records:
        guard case .steps(let plan) = lineage.late, let settled = plan.value.known else {
          return false
        }
        for step in settled.steps {
          guard step.kind.native != nil, try add(step.function, arguments: 1, node.context) else {
            return false
          }
        }
        return try add(lineage.inputs)
      case .combineByKey:
        guard case .merge(let plan) = lineage.late, let settled = plan.value.known,
          settled.isNative, let shuffle = lineage.shuffle
        else { return false }
        parts.append(.shuffle(shuffle.id))
        let combination = settled.combination
        return try combination.gathersLists
          || add(combination.mergeCombiners, arguments: 2, node.context)
      case .partitionBy, .spread:
        guard let shuffle = lineage.shuffle else { return false }
        parts.append(.shuffle(shuffle.id))
        return true
      case .layout: return try add(lineage.inputs)
      case .zipPartitions(let zip): return try zip.form != nil && add(lineage.inputs)
      case .combineLocally, .table, .tableRecords, .stored: return false
      }
    }
  }

  private mutating func add(_ nodes: [RDDNode]) throws -> Bool {
    for node in nodes { if try !add(node) { return false } }
    return true
  }

  private mutating func add(
    _ function: any UserFunction, arguments: Int, _ context: SparkContext
  ) throws -> Bool {
    let language = function.language
    guard context.isLowering || language.isNativeOnly else { return false }
    let reading = try language.reading(of: function, arguments: arguments)
    // A collection of the program's may have other items by then.
    guard reading.expression != nil, !reading.looksIntoCollections else { return false }
    parts.append(.function(reading.identity))
    readings.append(reading)
    return true
  }
}
