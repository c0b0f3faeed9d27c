// The one file of this target that calls the C library: standard error and local time.
import Glibc
import SwiftwaterCore
import Synchronization

/// Standard error, with a status line that stays below what is written.
final class Terminal: Sendable {
  static var isStandardErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }
  static let isSilent = Atomic(false)

  let showsStatus: Bool
  /// The status line on the screen, empty when there is none.
  private let status = Monitor("")

  private static let clear = "\r\u{1B}[K"

  init(showsStatus: Bool) {
    self.showsStatus = showsStatus
  }

  func writeLine(_ text: String) {
    status.withLock { status in
      write(status.isEmpty ? text + "\n" : Self.clear + text + "\n" + status)
    }
  }

  func show(_ text: String) {
    guard showsStatus else { return }
    status.withLock { status in
      status = text
      write(Self.clear + text)
    }
  }

  func clearStatus() {
    guard showsStatus else { return }
    status.withLock { status in
      if !status.isEmpty { write(Self.clear) }
      status = ""
    }
  }

  private func write(_ text: String) {
    if Self.isSilent.load(ordering: .relaxed) { return }
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let count = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        // Nobody listens: a log line is not worth a failure.
        guard count > 0 else { return }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
      }
    }
  }
}

/// Local time to the millisecond: `2026-11-22 12:34:00.500`.
func timeText(of time: Timestamp) -> String {
  var seconds = time_t(time.milliseconds / 1000)
  var fields = tm()
  localtime_r(&seconds, &fields)
  func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
  let fraction = String(1000 + time.milliseconds % 1000).dropFirst()
  return "\(fields.tm_year + 1900)-\(two(fields.tm_mon + 1))-\(two(fields.tm_mday)) "
    + "\(two(fields.tm_hour)):\(two(fields.tm_min)):\(two(fields.tm_sec)).\(fraction)"
}

/// The time of a log line: the wall clock's, as it says when an event is told, not when it is due.
func timeText() -> String {
  timeText(of: Timestamp(nanoseconds: wallNanoseconds()))
}
