import PythonFunctions
import PythonInterop
import PythonOperators
import PythonRecords
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterRDD

/// Making RDDs, and computing them.
let rddFunctions: [(String, NativeFunction, String)] = [
  (
    "parallelize",
    { _, arguments in
      entry(arguments, count: 4) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        let slices = try partitionCount(arguments, 2, minimum: 0)
        let partitions = try slice(
          try arguments.sequence(1), into: slices, batch: try arguments.integer(3), py)
        return HandleType.make(
          RDDNode.batches(partitions, name: "parallelize", context: owner.context))
      }
    }, "An RDD of the given values."
  ),
  (
    "text_file",
    { _, arguments in
      entry(arguments, count: 3) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        return HandleType.make(
          try owner.context.textFileNode(
            try arguments.text(1, py), minimumPartitions: try partitionCount(arguments, 2)))
      }
    }, "An RDD of the lines of text files."
  ),
  (
    "file_path",
    { _, arguments in
      entry(arguments, count: 3) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        let path = try slice(try arguments.sequence(1), into: 1, batch: 1, py)
        return HandleType.make(
          RDDNode.batches(
            path, name: "binaryRecords", context: owner.context,
            source: try arguments.text(2, py)))
      }
    }, "An RDD of a file's path alone, which functions read; and its name as it is shown."
  ),
  (
    "matching_paths",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        py.newList(try matchingPaths(try arguments.text(0, py)).map { py.newText($0) })
      }
    }, "The paths that a pattern stands for, in order."
  ),
  (
    "pipeline",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let parent: RDDNode = try arguments.handle(0)
        let steps = try recordSteps(in: arguments.sequence(1), py)
        return HandleType.make(steps.isEmpty ? parent : parent.applying(steps))
      }
    }, "An RDD with functions applied."
  ),
  (
    "explain",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        py.newList(of: try arguments.handle(0, as: RDDNode.self).explanation())
      }
    }, "What an RDD is computed from, and how."
  ),
  (
    "lineage",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let node: RDDNode = try arguments.handle(0)
        guard try arguments.bool(1) || Lineage.hasSource(node) else { return Py.none() }
        return Lineage.description(of: node, py)
      }
    }, "The RDDs that an RDD is computed from; or None where no file is among them."
  ),
  (
    "depends_on",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        return py.newBool(rdd.dependsOn(try arguments.handle(1)))
      }
    }, "Whether an RDD is computed from another."
  ),
  (
    "cut_lineage",
    { _, arguments in
      entry(arguments, count: 2) { _, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        let replacement: RDDNode = try arguments.handle(1)
        guard rdd.partitionCount == replacement.partitionCount else {
          throw EngineError.invalidArgument(
            "an RDD of \(rdd.partitionCount) partitions cannot be read from one of "
              + "\(replacement.partitionCount)")
        }
        guard !replacement.dependsOn(rdd) else {
          throw EngineError.invalidArgument("an RDD cannot be read from one that is made of it")
        }
        rdd.cutLineage(readingFrom: replacement)
        return Py.none()
      }
    }, "Has an RDD read from another one from now on."
  ),
  (
    "set_cached",
    { _, arguments in
      entry(arguments, count: 2) { _, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        rdd.setCached(try arguments.bool(1))
        return Py.none()
      }
    }, "Keeps computed partitions, or forgets them."
  ),
  (
    "partition_count",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        return py.newInteger(rdd.partitionCount)
      }
    }, "The number of partitions."
  ),
  (
    "collect",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let rdd: RDDNode = try arguments.handle(0)
        let partitions =
          arguments.isNone(1)
          ? Array(0..<rdd.partitionCount)
          : try partitions(of: rdd, in: try arguments.integers(1, py))
        return try collect(rdd, partitions: partitions, py)
      }
    }, "The records, a list a partition."
  ),
  (
    "take",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        try take(try arguments.handle(0), try arguments.integer(1), py)
      }
    }, "The first records, from as few partitions as possible."
  ),
  (
    "count",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        py.newInteger(try count(try arguments.handle(0), py))
      }
    }, "The number of records."
  ),
  (
    "next_lines",
    { _, arguments in
      entry(arguments, count: 1) { _, arguments in
        guard let records = RecordIteratorType.records(of: arguments[0]) as? UpstreamRecords else {
          throw ArgumentError("the records of a partition are expected")
        }
        return records.nextLines()
      }
    }, "The next records of a partition as lines, many of them; empty where none are left."
  ),
]

/// Slice `i` of `n` holds the batches of values from `i * count / n` on, as in Spark, which divides
/// what Python has pickled together.
private func slice(
  _ values: Items, into slices: Int, batch: Int, _ py: borrowing Python
) throws -> [[any RecordBatch]] {
  guard batch >= 1 else { throw ArgumentError("a batch has one value at least") }
  let batch = min(batch, max(values.count, 1))
  let count = (values.count + batch - 1) / batch
  var partitions: [[any RecordBatch]] = []
  partitions.reserveCapacity(slices)
  for index in 0..<slices {
    let ends = [index, index + 1].map { min($0 * count / slices * batch, values.count) }
    let range = ends[0]..<ends[1]
    // Later changes to the values are not seen, as little as after Spark's pickling.
    var copies: [PyPointer] = []
    copies.reserveCapacity(range.count)
    for value in values[range] {
      guard let copy = Isolation.copy(of: value) else {
        for copy in copies { Py.release(copy) }
        throw PythonError.fetch(py)
      }
      copies.append(copy)
    }
    guard let list = py.newList(copies) else { throw PythonError.fetch(py) }
    let batch = try PythonBatch(PythonObject(owning: list)).spillingIfShort()
    partitions.append(range.isEmpty ? [] : [batch])
  }
  return partitions
}

private func collect(
  _ rdd: RDDNode, partitions: [Int], _ py: borrowing Python
) throws -> PyPointer? {
  let parts = try Interpreter.detach(py) { try lists(of: rdd, partitions, limit: .max) }
  return py.newList(
    parts.map { part in
      Py.retain(part.pointer)
      return part.pointer
    })
}

private func take(_ rdd: RDDNode, _ count: Int, _ py: borrowing Python) throws -> PyPointer? {
  guard let new = Py.newList() else { throw PythonError.fetch(py) }
  let taken = PythonObject(owning: new)
  let rdd = rdd.capturingAgain()
  try Interpreter.detach(py) {
    var plan = TakePlan(wanted: count, partitionCount: rdd.partitionCount)
    var found = 0
    while let partitions = plan.next(found: found) {
      let parts = try lists(of: rdd, partitions, limit: count - found)
      found = try Interpreter.attach { py in
        for part in parts { try append(PythonBatch(part), to: new, limit: count, py) }
        return Py.listCount(new)
      }
    }
  }
  Py.retain(new)
  return withExtendedLifetime(taken) { new }
}

/// A list of Python objects a partition, each cut at `limit`. The caller has let go of the
/// interpreter; each task takes it once.
private func lists(of rdd: RDDNode, _ partitions: [Int], limit: Int) throws -> [PythonObject] {
  if limit == .max, rdd.stagePlacement == .anyThread {
    // The work can be shared, making the objects cannot.
    let parts = try rdd.context.runner().run(rdd, partitions: partitions) { cursor, _ in
      try cursor.drained()
    }
    return try Interpreter.attach { py in try parts.map { try list(of: $0, py) } }
  }
  // What is not wanted is not computed: no worker process could know.
  let placement: TaskPlacement = limit == .max ? .oneAtATime : .callingThread
  return try rdd.context.runner().run(rdd, partitions: partitions, placement: placement) {
    cursor, task in
    try Interpreter.attach { py in
      if limit < .max, try !cursor.isNative() {
        return try StepsCursor(cursor.rest(), task).first(limit, py)
      }
      guard let new = Py.newList() else { throw PythonError.fetch(py) }
      let list = PythonObject(owning: new)
      while Py.listCount(new) < limit, let batch = try cursor.next() {
        try append(batch, to: new, limit: limit, py)
      }
      return list
    }
  }
}

private func list(
  of batches: [any RecordBatch], _ py: borrowing Python
) throws -> PythonObject {
  guard let new = Py.newList() else { throw PythonError.fetch(py) }
  let list = PythonObject(owning: new)
  for batch in batches { try append(batch, to: new, limit: .max, py) }
  return list
}

private func count(_ rdd: RDDNode, _ py: borrowing Python) throws -> Int {
  let rdd = rdd.capturingAgain()
  return try Interpreter.detach(py) { try rdd.recordCount() }
}

// MARK: - Arguments

/// An operator's name, and behind it its site.
func place(
  _ arguments: Arguments, _ index: Int, _ py: borrowing Python
) throws -> OperatorPlace {
  OperatorPlace(name: try arguments.text(index, py), site: try arguments.text(index + 1, py))
}

func partitionCount(
  _ arguments: Arguments, _ index: Int, minimum: Int = 1
) throws -> Int {
  let count = try arguments.integer(index)
  guard count >= minimum else {
    throw EngineError.invalidArgument("numPartitions must be at least \(minimum), not \(count)")
  }
  try requirePartitions(count)
  return count
}

func requirePartitions(_ count: Int) throws {
  guard count <= mostPartitions else {
    throw EngineError.invalidArgument("\(count) partitions are more than \(mostPartitions)")
  }
}

/// A function that the driver calls.
func function(_ object: PyPointer) throws -> PythonObject {
  guard Py.isCallable(object) else { throw ArgumentError("a function is expected") }
  return PythonObject(borrowing: object)
}

func handles<Value>(in objects: Items, as type: Value.Type) throws -> [Value] {
  try objects.map { object in
    guard let value = HandleType.value(of: object) as? Value else {
      throw ArgumentError("a handle of \(Value.self) is expected")
    }
    return value
  }
}

/// - Throws: ``ArgumentError`` for a number that is not one of the RDD's partitions.
private func partitions(of rdd: RDDNode, in numbers: [Int]) throws -> [Int] {
  if let wrong = numbers.first(where: { !(0..<rdd.partitionCount).contains($0) }) {
    throw EngineError.invalidArgument(
      "the RDD has \(rdd.partitionCount) partitions, and none with number \(wrong)")
  }
  return numbers
}
