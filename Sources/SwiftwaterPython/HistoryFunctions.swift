import PythonFunctions
import PythonInterop
import PythonOperators
import PythonRecords
import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD
import SwiftwaterStreaming

/// Streams that look back, what is remembered of them, listeners, and going on after a stop.
let historyFunctions: [(String, NativeFunction, String)] = [
  (
    "stream_table",
    { _, arguments in
      entry(arguments, count: 14) { py, arguments in try streamTable(arguments, py) }
    }, "A stream of what the values of keys come to, from batch to batch: a window, a state."
  ),
  (
    "stream_table_records",
    { _, arguments in
      entry(arguments, count: 1) { _, arguments in
        let stream: PythonStream = try arguments.handle(0)
        let node = try stream.owner.streaming.addTableRecords(of: stream.node)
        return HandleType.make(PythonStream(node, of: stream.owner))
      }
    }, "A stream of what the function of a table makes of records."
  ),
  (
    "stream_tables",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let rows = owner.streaming.tables.map { report in
          py.newTuple([
            py.newText(report.stableName), py.newText(report.place.name),
            py.newText(report.place.site), py.newInteger(report.figures.keys),
            py.newInteger(report.figures.bytes), py.newInteger(report.figures.expired),
          ])
        }
        return py.newList(rows)
      }
    }, "How large tables are: (key, operator, place, keys, bytes, expired)."
  ),
  (
    "stream_pairs",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let stream: PythonStream = try arguments.handle(0)
        guard let table = stream.node.keyedTable else { return Py.none() }
        guard let new = Py.newList() else { throw PythonError.fetch(py) }
        let pairs = PythonObject(owning: new)
        let runner = stream.owner.streaming.context.runner()
        try Interpreter.detach(py) {
          try table.read(with: runner) { batch in
            let batch = try batch.inMemory()
            try Interpreter.attach { try append(batch, to: new, limit: .max, $0) }
          }
        }
        Py.retain(new)
        return withExtendedLifetime(pairs) { new }
      }
    }, "Copies of the pairs of a table as it is now; None for a stream without one."
  ),
  (
    "stream_window",
    { _, arguments in
      entry(arguments, count: 6) { py, arguments in
        let parent: PythonStream = try arguments.handle(0)
        let node = try parent.owner.streaming.addWindow(
          of: try duration(try arguments.integer(1)),
          every: try BatchInterval(milliseconds: Int64(try arguments.integer(2))),
          over: parent.node, stableName: try arguments.text(3, py), at: try place(arguments, 4, py))
        return HandleType.make(PythonStream(node, of: parent.owner))
      }
    }, "The records of the batches of a stream within a length of time."
  ),
  (
    "stream_partitioner",
    { _, arguments in
      entry(arguments, count: 3) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let stream = try owner.streaming.stream(
          stableName: try arguments.text(1, py), parent: try arguments.integer(2))
        return description(of: stream.partitioner, py)
      }
    }, "What each RDD of a stream with a stable name, or of its parent, is divided by, or None."
  ),
  (
    "remember",
    { _, arguments in
      entry(arguments, count: 2) { _, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        try owner.streaming.remember(milliseconds: try duration(try arguments.integer(1)))
        return Py.none()
      }
    }, "Keeps the RDDs of every stream for a time."
  ),
  (
    "keep_past",
    { _, arguments in
      entry(arguments, count: 1) { _, arguments in
        try arguments.handle(0, as: PythonStreaming.self).streaming.keepPast()
        return Py.none()
      }
    }, "Keeps what windows look back on, for checkpoints."
  ),
  (
    "stream_rdd_at",
    { _, arguments in
      entry(arguments, count: 2) { _, arguments in
        let stream: PythonStream = try arguments.handle(0)
        let rdd = stream.owner.streaming.rememberedRDD(
          of: stream.node, at: try time(arguments, 1))
        return rdd.map { HandleType.make($0) } ?? Py.none()
      }
    }, "A stream's RDD that is still remembered, or None."
  ),
  (
    "zero_ms",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        return owner.streaming.zeroTime.map { py.newInteger(Int($0.milliseconds)) } ?? Py.none()
      }
    }, "The time before the first batch, or None."
  ),
  (
    "set_listener",
    { _, arguments in
      entry(arguments, count: 2) { _, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        owner.setListener(arguments.isNone(1) ? nil : try function(arguments[1]))
        return Py.none()
      }
    }, "Calls a function with every event of a streaming context; with None, none any more."
  ),
  (
    "on_listener_thread",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        return py.newBool(owner.streaming.isOnListenerThread)
      }
    }, "True inside a listener."
  ),
  (
    "set_batch_hook",
    { _, arguments in
      entry(arguments, count: 3) { _, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let hooks = BatchHooks(
          isOver: try function(arguments[1]), failed: try function(arguments[2]))
        let old = owner.batchHooks.withLock { current in
          defer { current = hooks }
          return current
        }
        withExtendedLifetime(old) {}
        return Py.none()
      }
    }, "Calls functions about every batch that is over, and about outputs that have failed."
  ),
  (
    "needed",
    { _, arguments in
      entry(arguments, count: 5) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let take = try function(arguments[4])
        try owner.streaming.offerNeeded(
          by: try arguments.integers(1, py), at: try time(arguments, 2),
          inputLimit: try arguments.integer(3)
        ) { needed in try Interpreter.attach { py in try isTaken(needed, by: take, py) } }
        return Py.none()
      }
    }, "Offers a function what outputs of a batch stand on: (name or number, parent, time, RDD)."
  ),
  (
    "retained",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let retained = try owner.streaming.retained(after: try time(arguments, 1))
        let rows = retained.map { item in
          py.newTuple([
            py.newText(item.stableName), py.newInteger(item.parent),
            py.newInteger(Int(item.time.milliseconds)), HandleType.make(item.rdd),
          ])
        }
        return py.newList(rows)
      }
    }, "What streams with a stable name look back on after a batch: (name, parent, time, RDD)."
  ),
  (
    "forget",
    { _, arguments in
      entry(arguments, count: 1) { _, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        owner.forget()
        return Py.none()
      }
    }, "Lets go of what a stopped context remembers."
  ),
  (
    "restore",
    { _, arguments in
      entry(arguments, count: 5) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        try owner.streaming.restore(
          stableName: try arguments.text(1, py), parent: try arguments.integer(2),
          time: try time(arguments, 3), rdd: try arguments.handle(4))
        return Py.none()
      }
    }, "Gives a stream with a stable name an RDD of the past."
  ),
  (
    "restore_input",
    { _, arguments in
      entry(arguments, count: 4) { _, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        try owner.streaming.restoreInput(
          number: try arguments.integer(1), time: try time(arguments, 2),
          rdd: try arguments.handle(3))
        return Py.none()
      }
    }, "Gives a source what it had taken in for an earlier batch."
  ),
  (
    "run_again",
    { _, arguments in
      entry(arguments, count: 3) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        try owner.streaming.runAgain(
          outputs: try arguments.integers(2, py), at: try time(arguments, 1))
        return Py.none()
      }
    }, "Runs outputs of an earlier batch again."
  ),
  (
    "resume",
    { _, arguments in
      entry(arguments, count: 3) { _, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        try owner.streaming.resume(zero: try time(arguments, 1), last: try time(arguments, 2))
        return Py.none()
      }
    }, "Goes on behind the last batch of an earlier run."
  ),
  (
    "encode",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        try encoded(try arguments.handle(0), py)
      }
    }, "The records of an RDD as bytes, by partition."
  ),
  (
    "decode",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        let partitions = try arguments.sequence(1).map { data -> [any RecordBatch] in
          let batch = try decodedRecords(try bytes(of: data), py)
          return batch.recordCount == 0 ? [] : [try batch.spillingIfShort()]
        }
        return HandleType.make(
          RDDNode.batches(partitions, name: "decode", context: owner.context))
      }
    }, "An RDD of what encode has written."
  ),
  (
    "encode_value",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        var encoder = RecordEncoder()
        guard encoder.append(arguments[0]) else { return nil }
        return encoder.bytes.withUnsafeBytes { py.newBytes($0) }
      }
    }, "One value in the format of encode."
  ),
  (
    "decode_value",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let data = try arguments.bytes(0)
        return data.withUnsafeBytes { bytes in
          var decoder = RecordDecoder(bytes)
          return decoder.next()
        }
      }
    }, "The value that encode_value has written."
  ),
]

private func time(_ arguments: Arguments, _ index: Int) throws -> BatchTime {
  BatchTime(milliseconds: Int64(try arguments.integer(index)))
}

/// Calls `take((name or number, parent, time, RDD))`.
private func isTaken(
  _ needed: NeededRDD, by take: PythonObject, _ py: borrowing Python
) throws -> Bool {
  let name: (PyPointer?, Int)
  switch needed.place {
  case .input(let number): name = (py.newInteger(number), -1)
  case .stream(let stableName, let parent): name = (py.newText(stableName), parent)
  }
  let row = [
    name.0, py.newInteger(name.1), py.newInteger(Int(needed.time.milliseconds)),
    HandleType.make(needed.rdd),
  ]
  guard let argument = py.newTuple(row) else { throw PythonError.fetch(py) }
  defer { Py.release(argument) }
  guard let result = take.call(argument) else { throw PythonError.fetch(py) }
  defer { Py.release(result) }
  return Py.truth(result) == 1
}

/// - Throws: ``EngineError`` (`invalidArgument`) for more than a century: reaches are added up.
private func duration(_ milliseconds: Int) throws -> Int64 {
  guard (0...2 * mostMilliseconds).contains(milliseconds) else {
    throw EngineError.invalidArgument("\(milliseconds) ms are no duration, or more than a century")
  }
  return Int64(milliseconds)
}

/// Of a kind: "window" with a function that combines two values and the ``DeferringFunctions``, "running"
/// with that, its inverse and perhaps a filter, "state" with an update function, "mapped" with a function
/// of records and states, and perhaps a time-out; each function is a pair with what applies it to
/// several partitions of arguments. The last argument is a time to live in milliseconds, 0 for none, None
/// for what the settings say.
private func streamTable(_ arguments: Arguments, _ py: borrowing Python) throws -> PyPointer? {
  let parent: PythonStream = try arguments.handle(0)
  let place = try place(arguments, 8, py)
  let count = try partitionCount(arguments, 6)
  let partitioner = try partitioner(of: count, arguments, function: 7, py)
  let functions = try arguments.sequence(2).map { pair -> TableFunction in
    guard let items = pointers(in: pair), items.count == 2 else {
      throw ArgumentError("a function is a pair: itself, and what applies it to partitions")
    }
    let zip = ZipPartitions(
      .sideBySide(of: 1, in: count), try PythonFunction(items[1], py), form: nil,
      partitioner: partitioner, at: place)
    return TableFunction(try PythonFunction(items[0], py), zip)
  }
  let kind: TableOperation.Kind
  switch (try arguments.text(1, py), functions.count) {
  case ("window", 4):
    kind = .window(
      functions[0],
      deferring: DeferringFunctions(
        combine: functions[1], isDeferred: functions[2], result: functions[3]))
  case ("running", 2...3):
    kind = .running(functions[0], inverse: functions[1], keep: functions.dropFirst(2).first)
  case ("state", 1): kind = .state(functions[0])
  case ("mapped", 1):
    kind = .mapped(
      functions[0],
      timeout: arguments.isNone(12) ? nil : try duration(try arguments.integer(12)))
  default: throw ArgumentError("a table is a window, a running window or a state")
  }
  var initial: InitialState?
  if !arguments.isNone(10) {
    let isTaken = try function(arguments[11])
    initial = InitialState(try arguments.handle(10)) {
      Interpreter.attach { py in
        // It only lets go of what it holds.
        try? py.callWithoutArguments(isTaken)
      }
    }
  }
  var timeToLive = TimeToLive.asSet
  if !arguments.isNone(13) {
    let milliseconds = try duration(try arguments.integer(13))
    timeToLive = milliseconds == 0 ? .unlimited : .milliseconds(milliseconds)
  }
  let node = try parent.owner.streaming.addTable(
    TableOperation(kind, partitioner: partitioner, at: place),
    window: arguments.isNone(3) ? nil : try duration(try arguments.integer(3)),
    every: try BatchInterval(milliseconds: Int64(try arguments.integer(4))),
    over: parent.node, stableName: try arguments.text(5, py), initial: initial,
    timeToLive: timeToLive)
  return HandleType.make(PythonStream(node, of: parent.owner))
}

// MARK: - Records as bytes

/// Stands before the records of a partition.
private let magic: [UInt8] = Array("SWR".utf8) + [1]

/// The bytes of each partition: the magic number with the version, the count, the records.
private func encoded(_ rdd: RDDNode, _ py: borrowing Python) throws -> PyPointer? {
  let partitions = try Interpreter.detach(py) {
    try rdd.context.runner().run(
      rdd, partitions: Array(0..<rdd.partitionCount), placement: .callingThread
    ) { cursor, _ in
      var encoder = RecordEncoder()
      var count = 0
      while let batch = try cursor.next() {
        count += batch.recordCount
        try Interpreter.attach { py in try append(batch, to: &encoder, py) }
      }
      return withHead(encoder, count: count)
    }
  }
  return py.newList(partitions.map { $0.withUnsafeBytes { py.newBytes($0) } })
}

private func withHead(_ records: RecordEncoder, count: Int) -> [UInt8] {
  var head = RecordEncoder()
  magic.withUnsafeBytes { head.append(raw: $0) }
  head.append(count: count)
  return head.bytes + records.bytes
}

/// One batch in the format of `encode`.
func encodedRecords(of batch: any RecordBatch, _ py: borrowing Python) throws -> [UInt8] {
  var encoder = RecordEncoder()
  try append(batch, to: &encoder, py)
  return withHead(encoder, count: batch.recordCount)
}

private func append(
  _ batch: any RecordBatch, to encoder: inout RecordEncoder, _ py: borrowing Python
) throws {
  switch batch {
  case let block as TextBlock:
    block.withBytes { bytes in
      for line in block.lines {
        encoder.append(
          utf8: UnsafeRawBufferPointer(rebasing: bytes[Int(line.start)..<Int(line.end)]))
      }
    }
  case let batch as PythonBatch:
    for index in 0..<batch.recordCount {
      guard encoder.append(Py.listItem(batch.list.pointer, index)) else {
        throw PythonError.fetch(py)
      }
    }
  case let batch as ColumnBatch:
    let objects = try newObjects(of: batch.column, 0..<batch.recordCount, py)
    defer { for object in objects { Py.release(object) } }
    for object in objects {
      guard encoder.append(object) else { throw PythonError.fetch(py) }
    }
  default:
    throw EngineError.illegalState("records of \(type(of: batch)) have no form in Python")
  }
}

func decodedRecords(_ data: [UInt8], _ py: borrowing Python) throws -> PythonBatch {
  guard data.starts(with: magic) else {
    throw EngineError.invalidArgument(
      "the stored records are damaged, or not in this version's format")
  }
  return try data.withUnsafeBytes { bytes in
    let body = UnsafeRawBufferPointer(rebasing: bytes[magic.count...])
    var decoder = RecordDecoder(body)
    guard let count = decoder.count(), count <= body.count else {
      throw EngineError.invalidArgument(
        "the stored records are damaged, or not in this version's format")
    }
    guard let list = Py.newList() else { throw PythonError.fetch(py) }
    let owner = PythonObject(owning: list)
    for _ in 0..<count {
      guard let value = decoder.next() else { throw PythonError.fetch(py) }
      defer { Py.release(value) }
      guard Py.append(value, to: list) else { throw PythonError.fetch(py) }
    }
    guard decoder.isAtEnd else {
      throw EngineError.invalidArgument(
        "the stored records are damaged, or not in this version's format")
    }
    return PythonBatch(owner)
  }
}
