import PythonFunctions
import PythonInterop
import PythonOperators
import PythonRecords
import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD

/// RDDs by key, and RDDs whose partitions are made of those of others.
let keyFunctions: [(String, NativeFunction, String)] = [
  (
    "combine_by_key",
    { _, arguments in
      entry(arguments, count: 9) { py, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        let count = try shufflePartitions(of: [rdd], arguments, 4)
        if count == 0 { return shuffled(.empty(rdd.context), from: nil, py) }
        let combination = try combination(in: arguments, into: count, py)
        return shuffled(try rdd.capturingAgain().combined(combination), from: rdd, py)
      }
    }, "An RDD with the values of each key combined, and the partitions in front of its shuffle."
  ),
  (
    "combine_locally",
    { _, arguments in
      entry(arguments, count: 4) { py, arguments in
        let function = try PythonFunction(arguments[1], py)
        let combination = CombineByKey(
          mergeValue: function, mergeCombiners: function, partitioner: Partitioner(count: 1),
          at: try place(arguments, 2, py))
        return HandleType.make(
          try arguments.handle(0, as: RDDNode.self).capturingAgain()
            .combinedLocally(combination))
      }
    }, "An RDD with the values of each key combined inside of each partition."
  ),
  (
    "partition_by",
    { _, arguments in
      entry(arguments, count: 7) { py, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        let count = try shufflePartitions(of: [rdd], arguments, 1)
        if count == 0 { return shuffled(.empty(rdd.context), from: nil, py) }
        let ranges = arguments.isNone(5) ? nil : column(ofList: arguments[5])
        let partitioner = try partitioner(
          of: count, arguments, function: 2,
          ranges: ranges.flatMap { KeyRanges($0, isAscending: Py.truth(arguments[6]) == 1) }, py)
        if try rdd.partitioner?.dividesAlike(partitioner) ?? false { return Py.none() }
        let division = PartitionByKey(
          partitioner, in: PythonLanguage(), at: try place(arguments, 3, py))
        return shuffled(try rdd.capturingAgain().partitioned(division), from: rdd, py)
      }
    }, "The pairs of an RDD, each in the partition of its key; None where they are there already."
  ),
  (
    "spread",
    { _, arguments in
      entry(arguments, count: 4) { py, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        let spread = Spread(
          among: try partitionCount(arguments, 1), in: PythonLanguage(),
          at: try place(arguments, 2, py))
        return shuffled(rdd.capturingAgain().spread(spread), from: rdd, py)
      }
    }, "An RDD's records in other partitions, evenly, and the partitions in front of its shuffle."
  ),
  (
    "shuffle_partitions",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        return py.newInteger(try rdd.context.shufflePartitions(of: [rdd]))
      }
    }, "The number of partitions that a shuffle of an RDD has where nothing is said of it."
  ),
  (
    "join",
    { _, arguments in
      entry(arguments, count: 9) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        let rdds = try handles(in: try arguments.sequence(1), as: RDDNode.self)
        let count = try shufflePartitions(of: rdds, arguments, 2)
        let joined = try RDDNode.joined(
          rdds, by: try join(arguments, 3, py), into: count, context: owner.context)
        return py.newTuple([
          HandleType.make(joined.node),
          py.newList(joined.moved.map { py.newInteger($0?.partitionCount ?? -1) }),
          py.newInteger(joined.union?.partitionCount ?? -1),
        ])
      }
    }, "RDDs brought together by key, and the partitions in front of the shuffles of that."
  ),
  (
    "partitioner",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        description(of: try arguments.handle(0, as: RDDNode.self).partitioner, py)
      }
    }, "What the records of an RDD are divided by, or None."
  ),
  (
    "divided_by",
    { _, arguments in
      entry(arguments, count: 3) { py, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        let count = try arguments.integer(1)
        let known =
          count == rdd.partitionCount
          ? try partitioner(of: count, arguments, function: 2, py) : nil
        return HandleType.make(rdd.standing(as: rdd.name, dividedBy: known))
      }
    }, "The RDD, of which the program says what its records are divided by."
  ),
  (
    "union",
    { _, arguments in
      entry(arguments, count: 3) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        let rdds = try handles(in: try arguments.sequence(1), as: RDDNode.self)
        let name = try arguments.text(2, py)
        let union = try RDDNode.united(rdds, name: name, context: owner.context)
        guard union.partitionCount <= mostPartitions else {
          throw EngineError.invalidArgument(
            "\(name): \(union.partitionCount) partitions are more than \(mostPartitions)")
        }
        return HandleType.make(union)
      }
    }, "The records of several RDDs."
  ),
  (
    "zip_partitions",
    { _, arguments in
      entry(arguments, count: 8) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        let rdds = try handles(in: try arguments.sequence(1), as: RDDNode.self)
        let zip = ZipPartitions(
          try layout(of: rdds, crosses: try arguments.bool(2)),
          try PythonFunction(arguments[3], py),
          form: ZipForm(try arguments.text(6, py)),
          partitioner: try arguments.bool(7)
            ? try Partitioner.shared(by: rdds.map(\.partitioner)) : nil,
          at: try place(arguments, 4, py))
        return HandleType.make(try RDDNode.zipped(zip, of: rdds, context: owner.context))
      }
    }, "What a function makes of partitions of several RDDs that belong together."
  ),
  (
    "coalesce",
    { _, arguments in
      entry(arguments, count: 3) { py, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        return HandleType.make(
          rdd.neighbours(in: try arguments.integer(1), name: try arguments.text(2, py)))
      }
    }, "The records in fewer partitions, each made of neighbours."
  ),
  (
    "apart",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        return HandleType.make(
          rdd.standing(as: try arguments.text(1, py), dividedBy: rdd.partitioner))
      }
    }, "The same RDD once more, for what is done with this one only."
  ),
]

/// The arguments of `combine_by_key` and `stream_combine_by_key`, behind the first.
func combination(
  in arguments: Arguments, into count: Int, _ py: borrowing Python
) throws -> CombineByKey {
  CombineByKey(
    createCombiner: arguments.isNone(1) ? nil : try PythonFunction(arguments[1], py),
    mergeValue: try PythonFunction(arguments[2], py),
    mergeCombiners: try PythonFunction(arguments[3], py),
    partitioner: try partitioner(of: count, arguments, function: 5, py),
    gathersLists: Py.truth(arguments[8]) == 1, at: try place(arguments, 6, py))
}

/// What divides by a function among the arguments, or by Spark's where that is None.
func partitioner(
  of count: Int, _ arguments: Arguments, function index: Int, ranges: KeyRanges? = nil,
  _ py: borrowing Python
) throws -> Partitioner {
  Partitioner(
    count: count,
    function: arguments.isNone(index) ? nil : try PythonFunction(arguments[index], py),
    ranges: ranges)
}

/// (number of partitions, function or None for Spark's), or None; nil with an exception set.
func description(of partitioner: Partitioner?, _ py: borrowing Python) -> PyPointer? {
  guard let partitioner else { return Py.none() }
  let function = partitioner.given.map { Py.retained(PythonFunction.of($0).pointer)! }
  return py.newTuple([py.newInteger(partitioner.count), function ?? Py.none()])
}

/// A number of partitions, or what a shuffle of the RDDs has where it is None.
private func shufflePartitions(
  of rdds: [RDDNode], _ arguments: Arguments, _ index: Int
) throws -> Int {
  if !arguments.isNone(index) { return try partitionCount(arguments, index) }
  guard let context = rdds.first?.context else { throw ArgumentError("an RDD is expected") }
  let count = try context.shufflePartitions(of: rdds)
  try requirePartitions(count)
  return count
}

/// The arguments of `join` and `stream_join` from the function on: that, what makes
/// ``UnitedJoin``s, name, site, form, and whether keys are kept.
func join(_ arguments: Arguments, _ first: Int, _ py: borrowing Python) throws -> Join {
  let place = try place(arguments, first + 2, py)
  let keepsKeys = try arguments.bool(first + 5)
  let merge = try PythonFunction(arguments[first], py)
  let name = try arguments.text(first + 4, py)
  let (form, matchedOnly) = (ZipForm(name), MatchedInputs.named(name))
  if arguments.isNone(first + 1) {
    return Join(
      merge, form: form, in: PythonLanguage(), keepsKeys: keepsKeys, matchedOnly: matchedOnly,
      at: place)
  }
  let together = try function(arguments[first + 1])
  return Join(
    merge, form: form, in: PythonLanguage(), keepsKeys: keepsKeys, matchedOnly: matchedOnly,
    at: place
  ) { count in
    try Interpreter.attach { py in
      try united(by: together, of: count, keepsKeys: keepsKeys, at: place, py)
    }
  }
}

private func united(
  by together: PythonObject, of count: Int, keepsKeys: Bool, at place: OperatorPlace,
  _ py: borrowing Python
) throws -> UnitedJoin {
  guard let number = py.newInteger(count) else { throw PythonError.fetch(py) }
  defer { Py.release(number) }
  guard let result = together.call(number) else { throw PythonError.fetch(py) }
  defer { Py.release(result) }
  guard let parts = pointers(in: result), parts.count == 2, let marks = pointers(in: parts[0]),
    marks.count == count
  else { throw ArgumentError("functions that mark records, and one that takes them, are expected") }
  let mark = OperatorPlace(name: RecordStep.Kind.mapValues.rawValue, site: place.site)
  return UnitedJoin(
    marks: try marks.map { RecordStep(.mapValues, try PythonFunction($0, py), at: mark) },
    merge: RecordStep(
      .mapPartitionsWithIndex, try PythonFunction(parts[1], py), at: place, keepsKeys: keepsKeys))
}

/// (RDD, number of partitions in front of its shuffle; -1: it has none); nil with an exception set.
private func shuffled(
  _ rdd: RDDNode, from parent: RDDNode?, _ py: borrowing Python
) -> PyPointer? {
  py.newTuple([HandleType.make(rdd), py.newInteger(parent?.partitionCount ?? -1)])
}

/// Partition `i` of each RDD, or each partition of the first with each of the second.
private func layout(of rdds: [RDDNode], crosses: Bool) throws -> Layout {
  let counts = rdds.map(\.partitionCount)
  if crosses, counts.count == 2 {
    let (count, overflow) = counts[0].multipliedReportingOverflow(by: counts[1])
    try requirePartitions(overflow ? .max : count)
    return .crossed(counts[0], with: counts[1])
  }
  guard let count = counts.first, counts.allSatisfy({ $0 == count }) else {
    throw EngineError.illegalState("partitions that belong together are not as many")
  }
  return .sideBySide(of: rdds.count, in: count)
}
