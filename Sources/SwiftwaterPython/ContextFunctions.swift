import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD

/// Making and ending contexts.
let contextFunctions: [(String, NativeFunction, String)] = [
  (
    "open_context",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        // A program may have set limits of its own.
        prepareProcess()
        let relax = try py.importing("relax", from: "swiftwater._garbage_collection")
        try py.callWithoutArguments(relax)
        return HandleType.make(try PythonContext(settings: try arguments.textDictionary(0, py)))
      }
    }, "A context with the given settings."
  ),
  (
    "close_context",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        Interpreter.detach(py) {
          owner.context.stop()
          owner.console.tellRest()
        }
        return Py.none()
      }
    }, "Ends a context."
  ),
  (
    "default_parallelism",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        return py.newInteger(owner.context.defaultParallelism)
      }
    }, "Partitions after a shuffle, where nothing else is said."
  ),
  (
    "process_memory",
    { _, arguments in
      entry(arguments, count: 0) { py, _ in
        let memory = ProcessMemory.now
        return py.newTuple([
          py.newInteger(memory.addresses), py.newInteger(memory.resident),
          py.newInteger(memory.data),
        ])
      }
    }, "Bytes of memory that the process has: addresses, resident, data."
  ),
  (
    "spill_limit",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let settings = Settings(["swiftwater.spill.memory": try arguments.text(0, py)])
        return py.newInteger(try SpillStore.limit(settings))
      }
    }, "What a value of the setting swiftwater.spill.memory means, in bytes."
  ),
]
