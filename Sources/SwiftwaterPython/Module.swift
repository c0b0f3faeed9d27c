import CSignals
import PythonFunctions
import PythonInterop
import PythonRecords
import SwiftwaterConsole
import SwiftwaterCore
import SwiftwaterRDD

/// What the host does before anything else: nothing that is opened gets the number of a standard
/// stream, and a bound on its memory is told where it ends the process.
public func prepareProcess() {
  occupyStandardDescriptors()
  sw_live_within_limits()
}

/// What Python calls to make the module `_swiftwater`, built into the host or loaded from a file.
@_cdecl("PyInit__swiftwater")
public func makeModule() -> UnsafeMutableRawPointer? {
  prepareProcess()
  Isolation.classify = kindOfInstances
  EngineThread.ending.withLock { $0 = { Interpreter.endThread() } }
  PythonError.comesFromOutside = comesFromOutside
  CallerPoll.action.withLock {
    $0 = {
      try Interpreter.attach { py in
        try py.runSignalHandlers()
        // What another thread has raised in this one comes when it runs Python's code.
        try py.callWithoutArguments(try py.importing("pause", from: "swiftwater._operator_calls"))
      }
    }
  }
  let module = Interpreter.called { py in
    NativeModule.make(
      name: "_swiftwater",
      functions: processFunctions + contextFunctions + rddFunctions + keyFunctions + valueFunctions
        + streamFunctions + fileStreamFunctions + historyFunctions + logFunctions + runFunctions
        + workerFunctions
        + statusFunctions,
      constants: [
        ("__version__", py.newText(swiftwaterVersion)),
        ("most_partitions", py.newInteger(mostPartitions)),
        (
          "python_version",
          py.newTuple([py.newInteger(3), py.newInteger(NativeModule.compiledMinorVersion)])
        ),
      ])
  }
  return module.map { UnsafeMutableRawPointer($0) }
}

/// The version of this build.
public let swiftwaterVersion = "0.1.0"

/// Settings, the log, hashes and signals.
private let processFunctions: [(String, NativeFunction, String)] = [
  (
    "setting_definitions",
    { _, arguments in
      entry(arguments, count: 0) { py, _ in
        py.newList(
          Settings.definitions.map { definition in
            py.newTuple(
              [definition.name, definition.defaultValue, definition.summary]
                .map { py.newText($0) })
          })
      }
    }, "Every setting that has an effect: (name, default, description)."
  ),
  (
    "log",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        try ProcessConsole.log(try arguments.text(0, py), try arguments.text(1, py))
        return Py.none()
      }
    }, "Writes a log line of the program's: level, message."
  ),
  (
    "notice",
    { _, arguments in
      entry(arguments, count: 3) { py, arguments in
        let level = try arguments.text(0, py)
        guard let level = Notice.Level(rawValue: level) else {
          throw ArgumentError("'\(level)' is no level of a notice")
        }
        try ProcessConsole.notice(
          level, kind: arguments.isNone(1) ? nil : try arguments.text(1, py),
          try arguments.text(2, py))
        return Py.none()
      }
    }, "Tells of something that the package has noticed: level, kind or None, message."
  ),
  (
    "set_log_level",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        try ProcessConsole.setLevel(try arguments.text(0, py))
        return Py.none()
      }
    }, "The least level that is logged: ALL, DEBUG, INFO, WARN, ERROR, OFF..."
  ),
  (
    "pass_kill_point",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let name = try arguments.text(0, py)
        KillPoints.pass(name)
        return Py.none()
      }
    }, "Ends the process where a test has asked for that: the name of the point."
  ),
  (
    "silence_log",
    { _, arguments in
      entry(arguments, count: 0) { _, _ in
        Console.silence()
        return Py.none()
      }
    }, "From now on nothing is logged: the process has no standard error."
  ),
  (
    "visible_text",
    { _, arguments in
      // A forked process, in which nothing else works, shows its errors too.
      withCall(arguments, translate: raise) { py, arguments in
        try arguments.check(count: 2)
        let text = try arguments.text(0, py)
        return py.newText(visibleText(text, keepsLines: try arguments.bool(1)))
      }
    }, "Text as a terminal may have it: text, whether line ends and tabs stay."
  ),
  (
    "portable_hash",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        portableHash(of: arguments[0], py).flatMap { py.newInteger($0) }
      }
    }, "Spark's portable_hash of a key."
  ),
  (
    "watch_interrupts",
    { _, arguments in
      entry(arguments, count: 5) { _, arguments in
        let owner: PythonContext = try arguments.handle(0)
        let timeout = try owner.context.settings.duration("swiftwater.stop.timeout") ?? .seconds(2)
        sw_watch_interrupts(
          try arguments.bool(1), try arguments.bool(2), try arguments.bool(3))
        // A stop takes it twice at most, and a second.
        InterruptWatch.shared.begin(
          patience: timeout * 2 + .seconds(1), stopsGracefully: try arguments.bool(4))
        return Py.none()
      }
    }, "Watches over those of SIGINT, SIGTERM and SIGHUP that end the jobs of a context."
  ),
  (
    "note_interrupt",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        switch try arguments.text(0, py) {
        case "handler": InterruptWatch.shared.noteHandler()
        case "end": InterruptWatch.shared.noteEnd()
        default: Interpreter.detach(py) { InterruptWatch.shared.close() }
        }
        return Py.none()
      }
    }, "What has come of a signal: its handler runs, the process ends, the interpreter ends."
  ),
]
