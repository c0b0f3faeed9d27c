import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// Sends records to partitions in turn.
final class SpreadSink: RecordSink {
  private(set) var turns: Turns
  private var lists: [PythonObject?]
  /// Where the list begins whose first packet was begun by others, and what is left of that.
  private var begun: (place: Int, records: Int)?
  /// What was put away before, by partition.
  private var divided: [[any RecordBatch]]
  private var memory = MemoryWatch()
  /// Nothing has come yet.
  private var isNew = true

  init(_ turns: Turns, among count: Int) {
    self.turns = turns
    lists = Array(repeating: nil, count: count)
    divided = Array(repeating: [], count: count)
  }

  func take(_ record: PyPointer) -> Bool {
    defer { Py.release(record) }
    // Between packets only: their records stay together.
    if turns.leftOfPacket == 0, memory.isShort(afterAdding: Turns.packet), !putAwayOrRaise() {
      return false
    }
    let left = turns.leftOfPacket
    let place = turns.next()
    if isNew {
      isNew = false
      if 1..<Turns.packet ~= left { begun = (place, left) }
    }
    if lists[place] == nil {
      guard let new = Py.newList() else { return false }
      lists[place] = PythonObject(owning: new)
    }
    return Py.append(record, to: lists[place]!.pointer)
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
      let first = begun?.place == place ? begun!.records : Turns.packet
      divided[place].append(try PacketBatch.keeping(list, first: first))
      lists[place] = nil
    }
    begun = nil
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

/// Records that were moved in packets, and can be changed: those of a packet are copied together, so that
/// what two of them share is shared by the copies. PySpark pickles a packet as a whole.
final class PacketBatch: StoredBatch {
  let recordCount: Int
  /// A tuple for each packet.
  private let packets: any RecordBatch

  private init(_ packets: any RecordBatch, of recordCount: Int) {
    self.packets = packets
    self.recordCount = recordCount
  }

  /// The records of a list, for keeping.
  ///
  /// - Parameter first: how many of them are in the first packet.
  static func keeping(_ list: PythonObject, first: Int) throws -> any RecordBatch {
    try Interpreter.attach { py in
      let count = Py.listCount(list.pointer)
      let canChange = (0..<count).contains {
        !Isolation.isImmutable(Py.listItem(list.pointer, $0))
      }
      if !canChange { return try PythonBatch(list).spillingIfShort() }
      var packets = OwnedObjects()
      var start = 0
      while start < count {
        let end = min(count, start == 0 ? first : start + Turns.packet)
        let records = (start..<end).map { Py.retained(Py.listItem(list.pointer, $0)) }
        try packets.append(py.newTuple(records), py)
        start = end
      }
      guard let whole = py.newList(packets.take()) else { throw PythonError.fetch(py) }
      let batch = try PythonBatch(PythonObject(owning: whole)).spillingIfShort()
      return PacketBatch(batch, of: count)
    }
  }

  func loaded() throws -> any RecordBatch {
    let packets = try (packets as? any StoredBatch)?.loaded() ?? packets
    guard let packets = packets as? PythonBatch else {
      throw EngineError.illegalState("packets of records are Python's objects")
    }
    return try Interpreter.attach { py in
      guard let new = Py.newList() else { throw PythonError.fetch(py) }
      let list = PythonObject(owning: new)
      for index in 0..<packets.recordCount {
        guard let packet = packets.record(at: index) else { throw PythonError.fetch(py) }
        defer { Py.release(packet) }
        for item in 0..<Py.tupleCount(packet) {
          guard Py.append(Py.tupleItem(packet, item), to: new) else { throw PythonError.fetch(py) }
        }
      }
      return PythonBatch(list)
    }
  }
}
