import Logging
import SwiftwaterCore
import Synchronization

/// Tells people what the engine does: log lines on standard error and, on a terminal, a status
/// line below them.
///
/// Lines and status share one lock, so that neither tears the other.
///
/// What can repeat without an end, because a sender, a record or a failing disk makes it, is held back
/// and counted by a ``MessageThrottle``.
public final class Console: EventListener {
  private typealias Line = (level: Logger.Level, text: String)

  private let logger: Mutex<Logger>
  private let repeated = Mutex(MessageThrottle<Line>())
  private let terminal: Terminal
  private let heldBack = Counter()

  /// - Throws: ``EngineError`` (`invalidArgument`) for a level or status setting that is not known.
  public init(settings: Settings) throws {
    let level = settings["swiftwater.log.level"] ?? "info"
    guard let threshold = Self.levels[level.lowercased()] else {
      throw EngineError.invalidArgument(
        "swiftwater.log.level: '\(level)' is not debug, info, warning or error")
    }
    let showsStatus: Bool
    switch settings["swiftwater.status"] {
    case "on": showsStatus = true
    case "off": showsStatus = false
    case "auto", nil: showsStatus = Terminal.isStandardErrorTerminal
    case .some(let value):
      throw EngineError.invalidArgument("swiftwater.status: '\(value)' is not auto, on or off")
    }
    occupyStandardDescriptors()
    let terminal = Terminal(showsStatus: showsStatus)
    self.terminal = terminal
    logger = Mutex(
      Logger(label: "swiftwater") { _ in LineHandler(logLevel: threshold, terminal: terminal) })
  }

  private static let levels: [String: Logger.Level] = [
    "trace": .trace, "debug": .debug, "info": .info, "warn": .warning, "warning": .warning,
    "error": .error, "fatal": .critical, "off": .critical, "all": .trace,
  ]

  /// Writes one log line. An unknown level counts as `info`.
  public func log(_ level: String, _ message: String) {
    write(Self.levels[level.lowercased()] ?? .info, message)
  }

  /// Writes what is held back of repeated lines: nothing follows that would tell.
  public func tellRest() {
    for shown in repeated.withLock({ $0.rest() }) { write(shown) }
  }

  /// Changes the least level that is written.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) for a level that is not known.
  public func setLevel(_ level: String) throws {
    guard let threshold = Self.levels[level.lowercased()] else {
      throw EngineError.invalidArgument("'\(level)' is not a log level")
    }
    logger.withLock { $0.logLevel = threshold }
  }

  private func write(_ level: Logger.Level, _ text: @autoclosure () -> String) {
    logger.withLock { $0 }.log(level: level, "\(text())")
  }

  private func write(repeated line: Line, kind: String) {
    let now = Timestamp(nanoseconds: monotonicNanoseconds())
    if let shown = repeated.withLock({ $0.add(line, kind: kind, at: now) }) {
      write(shown)
    } else {
      heldBack.add()
    }
  }

  /// Lines that were not written at their time, because many like them were.
  public var heldBackLines: Int { heldBack.value }

  private func write(_ shown: MessageThrottle<Line>.Shown) {
    write(shown.message.level, EventText.line(shown.message.text, others: shown.others))
  }

  /// Writes what was held back and is due.
  private func tellHeldBack() {
    let due = repeated.withLock { repeated in
      repeated.isHolding
        ? repeated.due(at: Timestamp(nanoseconds: monotonicNanoseconds())) : []
    }
    for shown in due { write(shown) }
  }

  /// From now on nothing is written, in the whole process: it has no standard error, and the file or
  /// socket that has its number is somebody else's.
  public static func silence() { Terminal.isSilent.store(true, ordering: .relaxed) }

  /// Takes the status line away, before something else writes to the terminal.
  public func clearStatus() { terminal.clearStatus() }

  /// Batches and outputs come as reports and failures.
  public let topics: EventTopics = [.runs, .receivers, .input, .reports, .failures, .notices]

  public func receive(_ event: EngineEvent) {
    switch event {
    case .batchEnded(let report):
      write(.debug, EventText.line(for: report))
      tellHeldBack()
      if terminal.showsStatus { terminal.show(visibleText(EventText.status(for: report))) }
    default:
      if case .streamingStopped = event { tellRest() }
      guard let line = EventText.line(for: event) else { return }
      if let kind = EventText.kind(of: event) {
        write(repeated: line, kind: kind)
      } else {
        write(line.0, line.1)
      }
    }
  }
}

/// Writes one plain line a message.
private struct LineHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  let terminal: Terminal

  init(logLevel: Logger.Level, terminal: Terminal) {
    self.logLevel = logLevel
    self.terminal = terminal
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    // Records and the text of exceptions come from anywhere.
    let message = visibleText("\(event.message)")
    terminal.writeLine("\(timeText()) \(event.level.rawValue.uppercased()) \(message)")
  }
}
