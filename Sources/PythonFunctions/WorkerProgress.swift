import PythonInterop
import SwiftwaterPlan

/// Where a worker process is, for whoever asks after its death: which function it is in, at which
/// record. Everywhere else than in a worker nothing is noted.
package enum WorkerProgress {
  // SAFETY (nonisolated(unsafe)): of all variables here: the thread that runs all tasks of a worker sets
  // them, others only look where there is none. The memory is the page of an area that is never freed.
  nonisolated(unsafe) private static var words: UnsafeMutablePointer<Int>?

  /// The driver's ``Python/hashMark`` is this process's.
  nonisolated(unsafe) private static var hasDriversHashes = false

  /// Why the task that runs can only run in the driver.
  nonisolated(unsafe) package static var staying: CannotMove?

  package static func begin(
    _ words: UnsafeMutablePointer<Int>, interrupted: UnsafePointer<Int>, hasDriversHashes: Bool
  ) {
    self.words = words
    self.interrupted = interrupted
    self.hasDriversHashes = hasDriversHashes
  }

  /// Whether hashes of text, which may be in a key's own, are those of the driver. If not, the task goes
  /// back, with an exception set.
  package static func hasDriversHashes(for key: PyPointer, _ py: borrowing Python) -> Bool {
    if words == nil || hasDriversHashes { return true }
    giveUp(becauseOf: key, py)
    return false
  }

  /// Sets an exception which no `except Exception` catches: the task goes back to the driver.
  package static func giveUp(becauseOf key: PyPointer, _ py: borrowing Python) {
    let reason = "the key \(py.describe(key, limit: 80)) has another hash in another process"
    staying = CannotMove(reason)
    if let type = try? py.importing("TaskGivenUp", from: "swiftwater._workers.serving") {
      py.raise(type, reason)
    }
  }

  /// Where the driver notes which request it interrupts, and the one that is worked on.
  nonisolated(unsafe) private static var interrupted: UnsafePointer<Int>?
  nonisolated(unsafe) package static var request = 0

  /// Whether the driver has asked for the interrupt that has come.
  package static var isInterrupted: Bool { interrupted.map { $0[0] == request } ?? false }

  /// True in a worker process.
  package static var isWorker: Bool { words != nil }

  /// Where a loop over records notes what it does; the same for all that runs in this process.
  package static var notes: ProgressNotes { ProgressNotes(words: words) }

  package static func beginBatch(_ count: Int) {
    guard let words else { return }
    (words[1], words[2], words[3]) = (words[1] + words[2], count, -1)
  }
}

/// What a worker notes of each record and function; nothing everywhere else.
package struct ProgressNotes {
  @usableFromInline let words: UnsafeMutablePointer<Int>?

  /// Notes the function that is called next.
  @inlinable @inline(__always)
  package func enter(_ place: OperatorPlace) { enter(number: place.number) }

  /// - Parameter number: the place's.
  @inlinable @inline(__always)
  package func enter(number: Int) { words?[0] = number }

  /// Notes the record of the batch that is read next.
  @inlinable @inline(__always)
  package func read(_ index: Int) { words?[3] = index }
}

/// Why a task can only run in the driver.
package struct CannotMove: Error {
  package let reason: String
  /// A worker has less memory than it takes; the driver may have it.
  package let lacksMemory: Bool

  package init(_ reason: String, lacksMemory: Bool = false) {
    self.reason = reason
    self.lacksMemory = lacksMemory
  }

  package init(_ what: String, _ error: any Error) {
    reason = "\(what) (\(error))"
    lacksMemory = (error as? PythonError)?.isMemoryError ?? false
  }
}
