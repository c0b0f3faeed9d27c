import CSignals
import PythonInterop
import SwiftwaterConsole
import SwiftwaterCore

/// Ends the process where a signal that should end the job can have no effect: C code holds the
/// interpreter, so that neither the signal's handler nor the stop that follows from it comes to run.
final class InterruptWatch: Sendable {
  static let shared = InterruptWatch()

  fileprivate struct State {
    var isRunning = false
    /// How long the interpreter may not be free after a signal.
    var patience = Duration.seconds(5)
    /// Other signals than SIGINT let the job finish what it has begun, which may take its time.
    var stopsGracefully = false
    /// As many signals as handlers have run for.
    var heard: Int32 = 0
    /// Until when the interpreter is looked at after that.
    var heardUntil: Int64 = 0
    /// The process ends because of a signal.
    var isEnding = false
    /// The interpreter itself is about to end.
    var isClosed = false
    /// A thread is waiting for the interpreter.
    var isProbing = false
  }

  /// Between two tries to take hold of the interpreter.
  private static let pause = Duration.milliseconds(250)

  private let state = Monitor(State())

  /// Looks at the signals of `sw_watch_interrupts` from now on.
  func begin(patience: Duration, stopsGracefully: Bool) {
    let isFirst = state.withLock { state in
      (state.patience, state.stopsGracefully) = (patience, stopsGracefully)
      (state.heard, state.heardUntil, state.isEnding) = (sw_interrupts_seen(), 0, false)
      defer { state.isRunning = true }
      return !state.isRunning
    }
    guard isFirst else { return }
    // Without it the second signal still ends the process.
    _ = try? EngineThread(trying: "sw-signals") { [self] in
      while true {
        let number = sw_await_interrupt()
        if number == SIGINT || !state.withLock({ $0.stopsGracefully }) {
          watch(number)
        }
      }
    }
  }

  /// The handler of a signal runs.
  func noteHandler() {
    state.withLock { state in
      state.heard = sw_interrupts_seen()
      state.heardUntil = monotonicNanoseconds() + state.patience.wholeNanoseconds
    }
  }

  /// The process ends because of a signal.
  func noteEnd() {
    state.withLock { $0.isEnding = true }
    sw_rouse_interrupt_watch()
  }

  /// The interpreter ends: no thread of this object asks for it any more. Call without holding it.
  func close() {
    state.notify { $0.isClosed = true }
    let deadline = monotonicNanoseconds() + Self.pause.wholeNanoseconds
    _ = state.wait(untilMonotonicNanoseconds: deadline) { $0.isProbing ? nil : true }
  }

  /// Until the signal has been heard, for some time behind that, in which the main thread may not
  /// come far, and again while the process ends because of it.
  private func watch(_ number: Int32) {
    while true {
      let (isWatching, patience, heard) = state.withLock { state in
        (state.isWatching(at: monotonicNanoseconds()), state.patience, state.heard)
      }
      guard isWatching else { return }
      let used = sw_main_thread_time()
      if !isInterpreterFree(within: patience) {
        // Where the handler has run, what the script does in answer may last as long as it likes.
        let isMainThreadBusy = sw_main_thread_time() - used > patience.wholeNanoseconds / 4
        let isHeard = heard == sw_interrupts_seen()
        if !isHeard || !isMainThreadBusy { end(number, after: patience) }
      }
      // The main thread takes its turn now, or has.
      let deadline = monotonicNanoseconds() + Self.pause.wholeNanoseconds
      _ = state.wait(untilMonotonicNanoseconds: deadline) { $0.isClosed ? true : nil }
    }
  }

  /// - Returns: false where a thread has waited so long for it in vain.
  private func isInterpreterFree(within patience: Duration) -> Bool {
    let (mayProbe, isNew) = state.withLock { state -> (Bool, Bool) in
      defer { state.isProbing = state.isProbing || !state.isClosed }
      return (!state.isClosed, !state.isProbing)
    }
    guard mayProbe else { return true }
    if isNew {
      let probe = try? EngineThread(trying: "sw-probe") { [state] in
        Interpreter.attach { _ in }
        Interpreter.endThread()
        state.notify { $0.isProbing = false }
      }
      if probe == nil { state.withLock { $0.isProbing = false } }
    }
    let deadline = monotonicNanoseconds() + patience.wholeNanoseconds
    return state.wait(untilMonotonicNanoseconds: deadline) { $0.isProbing ? nil : true } ?? false
  }

  private func end(_ number: Int32, after patience: Duration) -> Never {
    let name = sw_signal_name(number).map { "SIG" + String(cString: $0) } ?? "signal \(number)"
    try? ProcessConsole.notice(
      .error,
      "\(name) has had no effect for \(patience.components.seconds) s, because C code in a function "
        + "or in the script holds Python's interpreter: the process ends at once")
    sw_end_now(128 + number)
  }
}

extension InterruptWatch.State {
  fileprivate func isWatching(at now: Int64) -> Bool {
    if isClosed { return false }
    return isEnding || heard < sw_interrupts_seen() || now < heardUntil
  }
}
