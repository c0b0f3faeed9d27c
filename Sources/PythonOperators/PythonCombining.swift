import PythonFunctions
import PythonInterop
import PythonRecords
import SwiftwaterCore
import SwiftwaterPlan

extension PythonLanguage {
  package func combined(
    _ rest: Rest, _ combination: CombineByKey, divided: [[any RecordBatch]], _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    try Interpreter.attach { py in
      let partitioner = combination.partitioner
      let divided = DividedPairs(divided, partitioner.count)
      let mergeValue = PythonFunction.of(combination.mergeValue)
      let create = combination.createCombiner.map(PythonFunction.of)
      var functions = try PythonFunction.forTask(
        [mergeValue] + [create].compactMap(\.self), py)
      let merge = functions.removeFirst()
      let bound = try BoundPartitioner(partitioner, at: combination.place, py)
      let direct = task.isLowering ? try mergeValue.direct(2, py) : nil
      let sink = CombineSink(
        create: functions.first, merge: merge, direct: direct, place: combination.place
      ) { sink, py in
        try divided.add(sink, by: bound, py)
      }
      try rest.drain(into: sink, task, py)
      try finish(sink, py)
      try divided.add(sink, by: bound, py)
      return divided.batches
    }
  }

  package func merged(
    _ parts: [any RecordBatch], _ combination: CombineByKey, _ task: TaskContext
  ) throws -> any BatchCursor {
    try Interpreter.attach { py in
      let mergeCombiners = PythonFunction.of(combination.mergeCombiners)
      let merge = try mergeCombiners.forTask(py)
      let direct = task.isLowering ? try mergeCombiners.direct(2, py) : nil
      let place = combination.place
      let sink = CombineSink(create: nil, merge: merge, direct: direct, place: place)
      let reader = RecordReader(.batches(ArrayCursor(parts)))
      if try sink.fill(from: reader, py) {
        try task.checkCancellation()
        // Full: what is combined so far and what is left go to disk, by the hashes of their keys.
        try finish(sink, py)
        return try mergedOnDisk(sink.takePairs(py), and: reader, with: merge, place, task, py)
      }
      try finish(sink, py)
      return ArrayCursor([PythonBatch(try sink.takePairs(py))])
    }
  }

  /// `swiftwater._tasks.spill.merged_pairs`: the same pairs in the same order.
  private func mergedOnDisk(
    _ pairs: PythonObject, and rest: RecordReader, with merge: PythonObject,
    _ place: OperatorPlace, _ task: TaskContext, _ py: borrowing Python
  ) throws -> any BatchCursor {
    let upstream = UpstreamRecords(rest, through: [], after: pairs)
    do {
      guard let iterator = RecordIteratorType.make(upstream) else { throw PythonError.fetch(py) }
      defer { Py.release(iterator) }
      let mergePairs = try py.importing("merged_pairs", from: "swiftwater._tasks.spill")
      guard let result = mergePairs.call(iterator, merge.pointer) else {
        throw PythonError.fetch(at: place, record: nil, py)
      }
      defer { Py.release(result) }
      guard let output = Py.iterator(over: result) else { throw PythonError.fetch(py) }
      return ReaderCursor(
        RecordReader(.iterator(PythonObject(owning: output), place, upstream)), of: [upstream],
        task: task)
    } catch {
      upstream.close()
      throw error
    }
  }

  private func finish(_ sink: CombineSink, _ py: borrowing Python) throws {
    guard sink.finish() else {
      guard let (place, record) = sink.takeFailure() else { throw PythonError.fetch(py) }
      defer { Py.release(record) }
      throw PythonError.fetch(at: place, record: record, py)
    }
  }
}
