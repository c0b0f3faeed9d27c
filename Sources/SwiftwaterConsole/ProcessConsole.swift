import SwiftwaterCore
import Synchronization

/// Where `log` writes: the latest context's console.
package enum ProcessConsole {
  package static let current = Mutex<Console?>(nil)

  package static func log(_ level: String, _ message: String) throws {
    try console().log(level, message)
  }

  /// For what may come again and again. See ``Console/logRepeated(_:kind:_:)``.
  package static func logRepeated(_ level: String, kind: String, _ message: String) throws {
    try console().logRepeated(level, kind: kind, message)
  }

  package static func setLevel(_ level: String) throws {
    try console().setLevel(level)
  }

  private static func console() throws -> Console {
    try current.withLock { current in
      if let current { return current }
      let first = try Console(settings: Settings())
      current = first
      return first
    }
  }
}
