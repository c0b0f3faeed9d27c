import PythonFunctions
import PythonInterop
import SwiftwaterConsole
import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD
import Synchronization

/// The worker processes of a context, and the rule that says which stages run in them.
package final class WorkerPool: TaskMover {
  package enum Use: String, Sendable {
    case auto
    case always
    case never
  }

  /// A stage that takes this long is worth moving.
  private static let longStage: Int64 = 50_000_000
  /// And one that takes less is not.
  private static let shortStage: Int64 = 10_000_000
  /// Records of functions that have never run.
  private static let manyRecords = 50_000
  /// Attempts of a task (as Spark's `spark.task.maxFailures`), and of one whose workers die at the same
  /// record: one that was killed by chance is rarely killed there again.
  private static let mostAttempts = 4
  private static let mostAtOnePlace = 3
  /// The same with deaths in front of the first function, which is hardly to blame for them.
  private static let mostDeaths = 12
  /// Where so many workers in a row cannot be started, none are tried for some time.
  private static let mostFailures = 3
  private static let pause: Int64 = 10_000_000_000

  private let use: Use
  private let parallelism: Int
  /// What a worker is told of the driver's settings: "NAME=VALUE".
  private let settings: [String]
  private let memory: String?
  private let programs = ProgramCache()

  private struct State {
    var idle: [Worker] = []
    var isShutDown = false
    var helpers: WorkerProcess.Helpers?
    var launch: (command: [String], variable: String?)?
    var sessions: [Int: Session] = [:]
    /// Until then no workers are started; 0 where the last one could be.
    var pausedUntil: Int64 = 0

    var isPaused: Bool { pausedUntil != 0 && monotonicNanoseconds() < pausedUntil }
  }
  private let state = Mutex(State())
  /// How many more workers may work.
  private let permits: Monitor<Int>
  private static let tick: Int64 = 50_000_000

  /// What workers need to know of the driver in a stage.
  private enum Session {
    case noted(PythonObject)
    case pickled([UInt8])
  }

  /// A worker that is handed from thread to thread.
  private struct Worker: @unchecked Sendable {
    // SAFETY (@unchecked Sendable): in `idle` or with one thread, never with two.
    let process: WorkerProcess
  }

  /// - Throws: ``EngineError`` (`invalidArgument`) for a setting that cannot be read.
  package init(use: Use, parallelism: Int, settings: Settings) throws {
    self.use = use
    self.parallelism = parallelism
    _ = try settings.bytes("swiftwater.worker.memory")
    var told = Self.toldSettings.compactMap { name in settings[name].map { "\(name)=\($0)" } }
    if settings["swiftwater.spill.memory"] == nil {
      told.append("swiftwater.spill.memory=\(physicalMemoryBytes() / 2 / (parallelism + 1))")
    }
    self.settings = told + ["spark.master=local[1]", "swiftwater.workers=never"]
    memory = settings["swiftwater.worker.memory"]
    permits = Monitor(parallelism)
  }

  private static let toldSettings = [
    "swiftwater.lowering", "swiftwater.spill.memory", "spark.local.dir",
    "swiftwater.worker.memory", "swiftwater.log.level",
  ]

  // MARK: - The rule

  package var movesAll: Bool { use == .always }

  package func plan(_ stage: StageOutline) -> MovePlan {
    let plan = rule(stage)
    if plan == .share(afterNanoseconds: 0) {
      startOne()
      // Now, and not on a thread that would take turns with the functions for it.
      _ = Interpreter.attach { py in py.attempt { try helpers() } }
    }
    if plan != .stay {
      do {
        try noteSession(for: stage.number)
      } catch {
        _ = isOfSignal(error)
        // Where all has to run in workers, the task says what is wrong.
        return use == .always ? plan : .stay
      }
    }
    return plan
  }

  private func rule(_ stage: StageOutline) -> MovePlan {
    let (isShutDown, isPaused) = state.withLock { ($0.isShutDown, $0.isPaused) }
    guard use != .never, !isShutDown else { return .stay }
    if stage.functions.contains(where: \.isBoundToDriver) { return .stay }
    if use == .always { return .move }
    guard !isPaused, parallelism > 1, stage.tasks > 1 else { return .stay }
    // Without functions there is nothing to move.
    guard let history = Self.history(of: stage) else { return .stay }
    guard let last = history.nanoseconds(for: stage.records) else {
      return .share(afterNanoseconds: stage.records >= Self.manyRecords ? 0 : Self.longStage)
    }
    if last >= Self.longStage { return .share(afterNanoseconds: 0) }
    return last < Self.shortStage ? .stay : .share(afterNanoseconds: Self.longStage)
  }

  package func stageEnded(_ stage: StageOutline, nanoseconds: Int64?) {
    let session = state.withLock { $0.sessions.removeValue(forKey: stage.number) }
    // Not under the lock: its end needs the interpreter, whose holder may wait for the lock.
    withExtendedLifetime(session) {}
    guard use == .auto, parallelism > 1, let nanoseconds else { return }
    Self.history(of: stage)?.note(nanoseconds, records: stage.records)
  }

  /// Of the function that stands for the stage.
  private static func history(of stage: StageOutline) -> FunctionHistory? {
    stage.functions.last.map { PythonFunction.of($0).history }
  }

  // MARK: - Running

  /// Runs a program for a task in a worker.
  ///
  /// - Throws: also a `SparkException`, where its worker dies.
  package func run(
    _ program: StageProgram, partitions: [Int], task: TaskContext,
    inputs: () throws -> [any BatchCursor]
  ) throws -> StageOutput {
    // Without cloudpickle no function could be sent, and all of them stay.
    do { _ = try launching() } catch { throw withoutWorkers(error) }
    let (pickled, session) = try prepared(program, task)
    var deaths: [WorkerDeath] = []
    while true {
      // A worker whose input another one computes waits for that: one of them works.
      let isInner = Gains.current != nil
      if !isInner { try waitForPermit(task) }
      defer { if !isInner { permits.notify { $0 += 1 } } }
      let worker = try take(for: task)
      do {
        // What the parts of its input gain counts when this has succeeded.
        let gains = Gains()
        let result = try Gains.$current.withValue(gains) {
          try worker.run(
            pickled, of: program, partitions: partitions, session: session,
            inputs: try inputs(), task: task)
        }
        giveBack(worker)
        try credit(gains.all + [result.gained], task)
        if case .count = program.end { return .count(result.count) }
        return .buckets(result.buckets)
      } catch let death as WorkerDeath {
        try task.checkCancellation()
        deaths.append(death)
        let isKnown = death.position.step >= 0 && death.position.index >= 0
        let same = isKnown ? deaths.count { $0.position == death.position } : 0
        // A worker that ends by itself does so again.
        let byThemselves = deaths.count { $0.position.step >= 0 || !$0.wasKilled }
        if same >= Self.mostAtOnePlace || byThemselves >= Self.mostAttempts
          || deaths.count >= Self.mostDeaths
        {
          throw failure(program, deaths, task)
        }
        try? ProcessConsole.notice(
          .warning, kind: "worker death",
          "a worker process \(death.outcome) \(program.description(of: death.position, task)); "
            + "its task is tried again")
      } catch let error as CannotMove {
        giveBack(worker)
        if error.lacksMemory, use == .always { throw lackingMemory(program, error, task) }
        throw staying(program, error.reason)
      } catch {
        giveBack(worker)
        throw error
      }
    }
  }

  /// What accumulators have gained in a part of a task.
  private final class Gains: @unchecked Sendable {
    // SAFETY (@unchecked Sendable): used by the thread that runs the task.
    var all: [[UInt8]] = []

    @TaskLocal static var current: Gains?
  }

  private func credit(_ gains: [[UInt8]], _ task: TaskContext) throws {
    let gains = gains.filter { !$0.isEmpty }
    if gains.isEmpty { return }
    if let outer = Gains.current {
      outer.all += gains
      return
    }
    try Interpreter.attach { py in
      guard let attempt = py.newInteger(task.attempt) else { throw PythonError.fetch(py) }
      defer { Py.release(attempt) }
      for gained in gains {
        guard let data = gained.withUnsafeBytes({ py.newBytes($0) }) else {
          throw PythonError.fetch(py)
        }
        defer { Py.release(data) }
        guard let result = try helpers().credit.call(attempt, data) else {
          throw PythonError.fetch(py)
        }
        Py.release(result)
      }
    }
  }

  /// Waits until fewer workers work than the master allows.
  private func waitForPermit(_ task: TaskContext) throws {
    while true {
      let hasPermit = Interpreter.detachIfHeld {
        permits.wait(untilMonotonicNanoseconds: monotonicNanoseconds() + Self.tick) {
          permits -> Bool? in
          guard permits > 0 else { return nil }
          permits -= 1
          return true
        }
      }
      if hasPermit != nil { return }
      try task.checkCancellation()
    }
  }

  private func prepared(
    _ program: StageProgram, _ task: TaskContext
  ) throws -> (ProgramCache.Pickled, session: [UInt8]) {
    do {
      return try (programs.pickled(program, stage: task.stage), session(for: task.stage))
    } catch let error as PythonError {
      if isOfSignal(error) { throw TaskStays() }
      throw staying(program, "a function cannot be pickled (\(error))")
    }
  }

  /// What a task throws that only the driver can run: from now on it is not tried again.
  private func staying(_ program: StageProgram, _ reason: String) -> TaskStays {
    if program.functions.contains(where: { !$0.isBoundToDriver }) {
      for function in program.functions { function.bindToDriver() }
      let places = program.places.map { "\($0.name) at \($0.site)" }
      try? ProcessConsole.notice(
        .warning, "\(places.joined(separator: ", ")) runs in the driver, on one core: \(reason)")
    }
    return TaskStays()
  }

  /// Keeps what workers need to know of the driver, as it is when a stage begins.
  ///
  /// Asked on the thread that runs the job: local properties are that thread's.
  private func noteSession(for stage: Int) throws {
    let session = try Interpreter.attach { py in
      let session = try py.importing("session", from: "swiftwater._workers")
      guard let noted = Py.call(session.pointer) else { throw PythonError.fetch(py) }
      return PythonObject(owning: noted)
    }
    state.withLock { $0.sessions[stage] = .noted(session) }
  }

  private func session(for stage: Int) throws -> [UInt8] {
    switch state.withLock({ $0.sessions[stage] }) {
    case .pickled(let bytes): return bytes
    case .noted(let session):
      let bytes = try Interpreter.attach { py in
        let pickled = try py.importing("pickled", from: "swiftwater._workers")
        guard let data = pickled.call(session.pointer) else { throw PythonError.fetch(py) }
        defer { Py.release(data) }
        return try PythonInterop.bytes(of: data)
      }
      let old = state.withLock { $0.sessions.updateValue(.pickled(bytes), forKey: stage) }
      withExtendedLifetime(old) {}
      return bytes
    case nil:
      try noteSession(for: stage)
      return try self.session(for: stage)
    }
  }

  private func failure(
    _ program: StageProgram, _ deaths: [WorkerDeath], _ task: TaskContext
  ) -> any Error {
    let last = deaths[deaths.count - 1]
    let message =
      "a worker process \(last.outcome) \(program.description(of: last.position, task)), "
      + "like \(deaths.count - 1) before it at the same task. Other tasks and workers go on"
    return sparkException(message + memoryHint, in: program.place(of: last.position))
  }

  /// What a task fails with that has to run in a worker, where it does not fit.
  private func lackingMemory(
    _ program: StageProgram, _ error: CannotMove, _ task: TaskContext
  ) -> any Error {
    sparkException(
      "partition \(task.partition) needs more memory than a worker process has: \(error.reason)"
        + memoryHint, in: program.places.first)
  }

  private var memoryHint: String {
    memory.map { ". swiftwater.worker.memory is \($0): too little?" } ?? ""
  }

  private func sparkException(_ message: String, in place: OperatorPlace? = nil) -> any Error {
    Interpreter.attach { py in
      guard let type = py.attempt({ try py.importing("SparkException", from: "swiftwater.errors") })
      else {
        return EngineError.unavailable(message)
      }
      py.raise(type, message)
      var error = PythonError.fetch(py)
      if let place {
        error.addNote("in operator: \(place.name) at \(place.site)", unless: "in operator: ", py)
      }
      return error
    }
  }

  // MARK: - Workers

  /// Has the first worker start while the driver prepares what it is for.
  private func startOne() {
    guard state.withLock({ $0.idle.isEmpty }) else { return }
    do { giveBack(try start()) } catch { _ = unavailable(error) }
  }

  /// One that lives; those that have ended meanwhile are dropped.
  private func takeIdle() -> WorkerProcess? {
    while let worker = state.withLock({ $0.idle.popLast() })?.process {
      if worker.isAlive { return worker }
    }
    return nil
  }

  private func take(for task: TaskContext) throws -> WorkerProcess {
    var (failures, kills) = (0, 0)
    while true {
      var worker: WorkerProcess?
      do {
        worker = try takeIdle() ?? start()
        try worker?.begin(task)
        if let worker {
          state.withLock { $0.pausedUntil = 0 }
          return worker
        }
      } catch {
        try task.checkCancellation()
        _ = isOfSignal(error)
        // One that somebody kills while it starts can be had again, as can one that is killed later.
        if worker?.wasKilled == true { kills += 1 } else { failures += 1 }
        if failures == Self.mostFailures || kills == Self.mostDeaths { throw unavailable(error) }
      }
    }
  }

  /// What a task throws where no worker can be started. Where all has to run in workers, it fails.
  private func unavailable(_ error: any Error) -> any Error {
    if use == .always {
      return sparkException(
        "swiftwater.workers is always, and no worker process can be started: \(error)"
          + memoryHint)
    }
    return withoutWorkers(error)
  }

  /// What a task throws that the driver runs instead: for some time no workers are tried, which is said
  /// when it begins.
  private func withoutWorkers(_ error: any Error) -> TaskStays {
    // No fault of the workers: the driver, which goes on, hears of it at once.
    if isOfSignal(error) { return TaskStays() }
    let now = monotonicNanoseconds()
    let isNew = state.withLock { state in
      defer { state.pausedUntil = now + Self.pause }
      return state.pausedUntil == 0
    }
    if isNew {
      try? ProcessConsole.notice(
        .warning, "functions run in the driver, on one core: \(error)\(memoryHint)")
    }
    return TaskStays()
  }

  private func start() throws -> WorkerProcess {
    let launch = try launching()
    let hashes = Interpreter.attach { py in "swiftwater.worker.hashes=\(py.hashMark)" }
    return try WorkerProcess(
      command: launch.command + settings + [hashes], variable: launch.variable
    ) { [self] in try helpers() }
  }

  private func giveBack(_ worker: WorkerProcess) {
    let worker = Worker(process: worker)
    // Who is not kept ends here, outside of the lock.
    state.withLock { state in
      if worker.process.isUsable, !state.isShutDown, state.idle.count < parallelism {
        state.idle.append(worker)
      }
    }
  }

  private func launching() throws -> (command: [String], variable: String?) {
    if let known = state.withLock({ $0.launch }) { return known }
    return try Interpreter.attach { py in
      let launch = try py.importing("launch", from: "swiftwater._workers.starting")
      guard let answer = Py.call(launch.pointer) else { throw PythonError.fetch(py) }
      defer { Py.release(answer) }
      let command = (pointers(in: Py.tupleItem(answer, 0)) ?? []).compactMap { py.text(of: $0) }
      let variable = py.text(of: Py.tupleItem(answer, 1))
      state.withLock { $0.launch = (command, variable) }
      return (command, variable)
    }
  }

  private func helpers() throws -> WorkerProcess.Helpers {
    if let known = state.withLock({ $0.helpers }) { return known }
    return try Interpreter.attach { py in
      let pickling = "swiftwater._workers.pickling"
      let helpers = WorkerProcess.Helpers(
        pickling: try Pickling(py), forward: try py.importing("forward", from: pickling),
        rebuild: try py.importing("rebuilt", from: pickling),
        credit: try py.importing("credit", from: pickling),
        broadcast: try py.importing("broadcast_message", from: pickling))
      state.withLock { $0.helpers = helpers }
      return helpers
    }
  }

  package func shutDown() {
    let idle = state.withLock { state -> [Worker] in
      state.isShutDown = true
      defer { state.idle = [] }
      return state.idle
    }
    // All at the same time: what functions have left open is closed at the end of their process.
    for worker in idle { worker.process.sayGoodbye() }
    withExtendedLifetime(idle) {}
  }
}

extension StageProgram {
  func place(of position: WorkerPosition) -> OperatorPlace? {
    places.indices.contains(position.step) ? places[position.step] : nil
  }

  /// "in map at job.py:3, at record 17 of partition 2".
  func description(of position: WorkerPosition, _ task: TaskContext) -> String {
    let function =
      self.place(of: position).map { "in \($0.name) at \($0.site)" }
      ?? "before the first function"
    let partition = "of partition \(task.partition)"
    if position.count == 0 { return "\(function), in front of the first record \(partition)" }
    let range = "records \(position.start) to \(position.start + position.count - 1) \(partition)"
    if position.index < 0 { return "\(function), within \(range)" }
    return "\(function), at about record \(position.start + position.index) (\(range))"
  }
}
