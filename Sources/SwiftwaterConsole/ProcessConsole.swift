import SwiftwaterCore
import Synchronization

/// Where what is logged and noticed goes that no context is named for: to the latest one's console and
/// listeners.
package enum ProcessConsole {
  package struct Current: Sendable {
    let console: Console
    /// Nil where there is no context, or none any more.
    weak var events: EventBus?

    /// - Parameter events: the bus of a context, on which the console listens.
    package init(console: Console, events: EventBus?) {
      self.console = console
      self.events = events
    }
  }

  package static let current = Mutex<Current?>(nil)

  package static func log(_ level: String, _ message: String) throws {
    try console().log(level, message)
  }

  /// Tells of something that the package has noticed. See ``Notice``.
  package static func notice(
    _ level: Notice.Level, kind: String? = nil, _ text: String
  ) throws {
    let console = try console()
    let event = EngineEvent.notice(Notice(level, kind: kind, text))
    if let events = current.withLock({ $0?.events }) {
      events.post(event)
    } else {
      console.receive(event)
    }
  }

  package static func setLevel(_ level: String) throws {
    try console().setLevel(level)
  }

  private static func console() throws -> Console {
    try current.withLock { current in
      if let current { return current.console }
      let first = try Console(settings: Settings())
      current = Current(console: first, events: nil)
      return first
    }
  }
}
