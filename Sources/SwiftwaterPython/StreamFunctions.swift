import PythonFunctions
import PythonInterop
import PythonOperators
import SwiftwaterConnectors
import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD
import SwiftwaterStreaming
import SwiftwaterTesting

/// Building streams.
let streamFunctions: [(String, NativeFunction, String)] = [
  (
    "open_streaming",
    { _, arguments in
      entry(arguments, count: 3) { _, arguments in
        HandleType.make(
          try PythonStreaming(
            try arguments.handle(0), intervalMilliseconds: try arguments.integer(1),
            manualStart: arguments.isNone(2) ? nil : try arguments.integer(2)))
      }
    }, "A streaming context."
  ),
  (
    "in_batch",
    { _, arguments in
      entry(arguments, count: 0) { py, _ in py.newBool(UserCalls.isRunning) }
    }, "Whether a function of an output or a transform runs on this thread."
  ),
  (
    "socket_stream",
    { _, arguments in
      entry(arguments, count: 3) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let receiver = try SocketReceiver(
          host: try arguments.text(1, py), port: try arguments.integer(2))
        return stream(
          try owner.streaming.addReceiver(receiver, name: "socketTextStream"), of: owner)
      }
    }, "A stream of lines from a TCP socket."
  ),
  (
    "queue_stream",
    { _, arguments in
      entry(arguments, count: 4) { _, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let node = try owner.streaming.addQueue(
          try handles(in: try arguments.sequence(1), as: RDDNode.self),
          oneAtATime: try arguments.bool(2),
          fallback: arguments.isNone(3) ? nil : try arguments.handle(3, as: RDDNode.self))
        return stream(node, of: owner)
      }
    }, "A stream of given RDDs."
  ),
  (
    "scripted_stream",
    { _, arguments in
      entry(arguments, count: 1) { _, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let script = ScriptedReceiver()
        let node = try owner.streaming.addReceiver(script, name: "text_source")
        return HandleType.make(PythonStream(node, of: owner, script: script))
      }
    }, "A stream that a test feeds."
  ),
  (
    "scripted_send",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let stream: PythonStream = try arguments.handle(0)
        guard let script = stream.script else {
          throw ArgumentError("argument 1 is not a stream that a test feeds")
        }
        let bytes = try arguments.bytes(1)
        Interpreter.detach(py) { script.send(bytes: bytes) }
        return Py.none()
      }
    }, "Sends bytes to a stream that a test feeds."
  ),
  (
    "stream_pipeline",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let parent: PythonStream = try arguments.handle(0)
        let steps = try recordSteps(in: try arguments.sequence(1), py)
        guard !steps.isEmpty else { throw ArgumentError("at least one operator is expected") }
        return stream(
          try parent.owner.streaming.addRecords(steps, of: parent.node), of: parent.owner)
      }
    }, "A stream with functions applied."
  ),
  (
    "stream_combine_by_key",
    { _, arguments in
      entry(arguments, count: 9) { py, arguments in
        let parent: PythonStream = try arguments.handle(0)
        let combination = try combination(
          in: arguments, into: try partitionCount(arguments, 4), py)
        return stream(
          try parent.owner.streaming.addCombination(combination, of: parent.node),
          of: parent.owner)
      }
    }, "A stream with the values of each key combined, batch by batch."
  ),
  (
    "stream_partition_by",
    { _, arguments in
      entry(arguments, count: 5) { py, arguments in
        let parent: PythonStream = try arguments.handle(0)
        let partitioner = try partitioner(
          of: try partitionCount(arguments, 1), arguments, function: 2, py)
        let division = PartitionByKey(
          partitioner, in: PythonLanguage(), at: try place(arguments, 3, py))
        return stream(
          try parent.owner.streaming.addDivision(division, of: parent.node), of: parent.owner)
      }
    }, "A stream with each pair in the partition of its key, batch by batch."
  ),
  (
    "stream_join",
    { _, arguments in
      entry(arguments, count: 8) { py, arguments in
        let parents = try handles(in: try arguments.sequence(0), as: PythonStream.self)
        guard let owner = parents.first?.owner else {
          throw ArgumentError("streams are expected")
        }
        let node = try owner.streaming.addJoin(
          try join(arguments, 2, py), of: parents.map(\.node),
          into: try partitionCount(arguments, 1))
        return stream(node, of: owner)
      }
    }, "Streams brought together by key, batch by batch."
  ),
  (
    "stream_union",
    { _, arguments in
      entry(arguments, count: 3) { py, arguments in
        let parents = try handles(in: try arguments.sequence(0), as: PythonStream.self)
        guard let owner = parents.first?.owner else {
          throw ArgumentError("streams are expected")
        }
        let node = try owner.streaming.addUnion(
          of: parents.map(\.node), at: try place(arguments, 1, py))
        return stream(node, of: owner)
      }
    }, "The records of several streams, batch by batch."
  ),
  (
    "stream_explain",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        py.newList(
          of: try arguments.handle(0, as: PythonStreaming.self).streaming.explanation())
      }
    }, "What the outputs of a context are computed from, and how."
  ),
  (
    "stream_transform",
    { _, arguments in
      entry(arguments, count: 4) { py, arguments in
        let parents = try handles(in: try arguments.sequence(0), as: PythonStream.self)
        guard let first = parents.first else {
          throw EngineError.invalidArgument("should have at least one DStream to transform")
        }
        let node = try first.owner.addTransform(
          try function(arguments[1]),
          place: try place(arguments, 2, py),
          of: parents.map(\.node))
        return stream(node, of: first.owner)
      }
    }, "A stream of what a function makes of each batch's RDDs."
  ),
  (
    "stream_set_cached",
    { _, arguments in
      entry(arguments, count: 1) { _, arguments in
        let stream: PythonStream = try arguments.handle(0)
        stream.node.setCached()
        return Py.none()
      }
    }, "Caches every RDD of a stream."
  ),
  (
    "stream_output",
    { _, arguments in
      entry(arguments, count: 8) { py, arguments in
        let stream: PythonStream = try arguments.handle(0)
        func optional(_ index: Int) throws -> PythonObject? {
          arguments.isNone(index) ? nil : try function(arguments[index])
        }
        let functions = PythonSink.Functions(
          begins: try optional(1), writes: try function(arguments[2]), commits: try optional(3),
          abandons: try optional(4))
        let name = try stream.owner.addOutput(
          functions, place: try place(arguments, 5, py),
          named: arguments.isNone(7) ? nil : try arguments.text(7, py), of: stream.node)
        return py.newText(name.description)
      }
    }, "Puts every batch's RDD out: asks whether that was done, writes, commits."
  ),
  (
    "stream_slide_ms",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let stream: PythonStream = try arguments.handle(0)
        return py.newInteger(Int(stream.node.slide.milliseconds))
      }
    }, "The distance between two RDDs of a stream."
  ),
]

private func stream(_ node: StreamNode, of owner: PythonStreaming) -> PyPointer? {
  HandleType.make(PythonStream(node, of: owner))
}
