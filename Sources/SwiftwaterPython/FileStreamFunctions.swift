import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD
import SwiftwaterStreaming

/// Streams of files, and what checkpoints keep of them.
let fileStreamFunctions: [(String, NativeFunction, String)] = [
  (
    "file_stream",
    { _, arguments in
      entry(arguments, count: 6) { py, arguments in
        let owner: PythonStreaming = try arguments.handle(0)
        let node = try owner.addFiles(
          of: FilePath(try arguments.bytes(1)), since: Int64(try arguments.integer(2)),
          function: arguments.isNone(3) ? nil : try function(arguments[3]),
          place: OperatorPlace(name: try arguments.text(4, py), site: try arguments.text(5, py)))
        return HandleType.make(PythonStream(node, of: owner))
      }
    }, "A stream of the files that appear in a folder."
  ),
  (
    "chosen_files",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let known = try ranges(arguments).known
        let again = Set(try arguments.integers(1, py).map { Int64($0) })
        // A batch that runs again is to be as empty as it was.
        let chosen = known.ranges.filter { time, range in
          !range.isEmpty || again.contains(time.milliseconds)
        }
        let batches = chosen.map { time, range in
          py.newTuple([
            py.newInteger(Int(time.milliseconds)),
            py.newList(range.splits.map { py.newText(path: $0.name) }),
          ])
        }
        return py.newTuple([py.newInteger(Int(known.since)), py.newList(batches)])
      }
    }, "Since when files are taken, and (ms, paths) of batches: of some also where they have none."
  ),
  (
    "restore_files",
    { _, arguments in
      entry(arguments, count: 3) { _, arguments in
        let batches = try arguments.sequence(2).map { batch in
          guard let pair = pointers(in: batch), pair.count == 2,
            let paths = pointers(in: pair[1])
          else { throw ArgumentError("a batch must have a time and paths") }
          let time = Interpreter.called { py in py.integer(of: pair[0]) }
          guard let time else { throw ArgumentError("the time of a batch must be an int") }
          let splits = try paths.map { SourceSplit(name: try bytes(of: $0)) }
          return (BatchTime(milliseconds: Int64(time)), SourceRange(splits))
        }
        try ranges(arguments).restore(
          PlannedRanges(since: Int64(try arguments.integer(1)), ranges: batches))
        return Py.none()
      }
    }, "Goes on as a stream of files of which that was known."
  ),
  (
    "hold_files",
    { _, arguments in
      entry(arguments, count: 2) { _, arguments in
        try ranges(arguments).hold(BatchTime(milliseconds: Int64(try arguments.integer(1))))
        return Py.none()
      }
    }, "Remembers what a job needs that is recovered and goes on behind a time."
  ),
]

/// What the stream of the first argument reads.
private func ranges(_ arguments: Arguments) throws -> RangeSupervisor {
  guard let ranges = try arguments.handle(0, as: PythonStream.self).node.ranges else {
    throw ArgumentError("argument 1 is no stream of files")
  }
  return ranges
}
