import Synchronization

/// Where a process ends without a word, between two steps of which one must not stand for the other.
///
/// Tests set `SWIFTWATER_TEST_KILL` to `<point>:<n>`, and the process is killed when it passes that point
/// for the n-th time; `*` is any point. Without the variable nothing happens. Once a batch at most: not
/// for what each record passes.
///
/// ```swift
/// try journal.append(entry)
/// KillPoints.pass("block log.appended")
/// try journal.force()
/// ```
package enum KillPoints {
  private static let armed = environmentVariable("SWIFTWATER_TEST_KILL").flatMap(KillPoint.init)

  /// Ends the process where a test has asked for that.
  @inline(__always)
  package static func pass(_ name: @autoclosure () -> String) {
    if let armed, armed.ends(at: name()) { killThisProcess() }
  }
}

/// A point, and how often it is passed before the process ends.
final class KillPoint: Sendable {
  private let name: String
  private let left: Atomic<Int>

  /// - Parameter text: `<point>:<n>`; nil for any other.
  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let count = Int(text[text.index(after: colon)...]),
      count > 0, colon > text.startIndex
    else { return nil }
    name = String(text[..<colon])
    left = Atomic(count)
  }

  /// True at the last of the passes.
  func ends(at passed: String) -> Bool {
    guard name == "*" || name == passed else { return false }
    return left.subtract(1, ordering: .relaxed).newValue == 0
  }
}
