import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// Sends records to partitions in turn.
final class SpreadSink: RecordSink {
  private(set) var turns: Turns
  private var lists: [PythonObject?]
  /// What was put away before, by partition.
  private var divided: [[any RecordBatch]]
  private var memory = MemoryWatch()

  init(_ turns: Turns, among count: Int) {
    self.turns = turns
    lists = Array(repeating: nil, count: count)
    divided = Array(repeating: [], count: count)
  }

  func take(_ record: PyPointer) -> Bool {
    defer { Py.release(record) }
    let place = turns.next()
    if lists[place] == nil {
      guard let new = Py.newList() else { return false }
      lists[place] = PythonObject(owning: new)
    }
    guard Py.append(record, to: lists[place]!.pointer) else { return false }
    return !memory.isShort(afterAdding: 1) || putAwayOrRaise()
  }

  private func putAwayOrRaise() -> Bool {
    Interpreter.called { py in
      do {
        try putAway()
        return true
      } catch {
        raise(error, py)
        return false
      }
    }
  }

  private func putAway() throws {
    for (place, list) in lists.enumerated() {
      guard let list else { continue }
      divided[place].append(try PythonBatch(list).spillingIfShort())
      lists[place] = nil
    }
    memory.startAnew()
  }

  /// What was taken, for keeping; nothing for a partition that gets none.
  func batches() throws -> [[any RecordBatch]] {
    try putAway()
    return divided
  }

  var isFull: Bool { false }

  func takeFailure() -> (place: OperatorPlace, record: PyPointer)? { nil }
}

extension Rest {
  /// All records of a partition, gone through the steps that are left, by the partitions that they go to.
  package func spread(
    among count: Int, _ turns: inout Turns, _ task: TaskContext, _ py: borrowing Python
  ) throws -> [[any RecordBatch]] {
    let sink = SpreadSink(turns, among: count)
    try send(to: sink, task, py)
    turns = sink.turns
    return try sink.batches()
  }
}
