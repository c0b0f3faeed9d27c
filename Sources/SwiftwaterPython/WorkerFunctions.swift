import PythonFunctions
import PythonInterop
import PythonWorkers

/// What a worker process calls.
let workerFunctions: [(String, NativeFunction, String)] = [
  (
    "is_interrupted",
    { _, arguments in
      entry(arguments, count: 0) { py, _ in py.newBool(WorkerProgress.isInterrupted) }
    }, "Whether the driver interrupts what this worker works on."
  ),
  (
    "serve",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let server = try WorkerServer(
          descriptors: try arguments.integers(0, py), settings: try arguments.textDictionary(1, py),
          py)
        try server.run(py)
        return Py.none()
      }
    }, "Serves a driver: (socket, memory to read, memory to write), settings."
  ),
  (
    "end_started",
    { _, arguments in
      entry(arguments, count: 0) { py, _ in
        endWhatWasStarted()
        return Py.none()
      }
    }, "Ends the processes that the functions of a worker have started."
  ),
]
