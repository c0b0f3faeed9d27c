import Logging
import SwiftwaterCore

/// The words for each event.
enum EventText {
  static func line(for event: EngineEvent) -> (Logger.Level, String)? {
    switch event {
    case .streamingStarted(let info):
      (
        .info,
        "\(info.name) started: a batch every \(info.interval), the first at "
          + timeText(of: info.first.timestamp)
      )
    case .streamingStopped:
      (.info, "stopped")
    case .receiverConnected(let info):
      (.info, "connected to \(info.source)")
    case .receiverError(let info):
      (.warning, "\(info.source): the receiver reports: \(info.lastErrorMessage)")
    case .receiverLost(let info, let retry):
      (
        .warning,
        "\(info.source): \(info.lastError); connecting again in \(milliseconds(retry)) ms"
      )
    case .lineDropped(let source, let byteCount, let prefix, let total):
      (
        .warning,
        "\(source): dropped a line of \(byteCount) bytes, longer than "
          + "swiftwater.receiver.maxLineLength (\(total) so far); it begins with "
          + "'\(prefix)'"
      )
    case .bufferFull(let source, let held, let room, let limit) where room < limit:
      (
        .info,
        "\(source): \(megabytes(held)) MB wait, as much as batches are known to work off in time "
          + "(at most \(megabytes(room)) MB, spark.streaming.backpressure.enabled): not reading until "
          + "there is room"
      )
    case .bufferFull(let source, let held, _, let limit):
      (
        .warning,
        "\(source): the buffer is full (\(megabytes(held)) of \(megabytes(limit)) MB, "
          + "swiftwater.receiver.maxBuffered): not reading until half of it is free"
      )
    case .bufferDrained(let source):
      (.info, "\(source): the buffer has room again: reading on")
    case .folderMissing(let folder):
      (
        .warning,
        "there is no folder \(folder) to take files from: it is looked for again in every batch"
      )
    case .folderUnreadable(let folder, let failure):
      (.warning, "cannot list the folder \(folder): \(failure)")
    case .entryPassedOver(let path, let reason):
      (.warning, "passed over \(path): \(reason)")
    case .filesTooOld(let folder, let count, let example, isFirst: true):
      (
        .info,
        "\(folder): files that are older than the stream are not read: \(count) (\(example))"
      )
    case .filesTooOld(let folder, let count, let example, isFirst: false):
      (
        .warning,
        "\(folder): files that came more than a minute after they were changed are not read: "
          + "\(count) (\(example)). Write elsewhere on the same disk, and move what is done into the "
          + "folder at once"
      )
    case .outputCompleted(let info):
      info.failure.map { (.error, failure(of: info.operation, at: info.time, $0)) }
    case .upkeepFailed(let time, let work, let text):
      (.error, failure(of: work, at: time, text))
    case .generationFailed(let time, let failure):
      (
        .error,
        "batch \(timeText(of: time.timestamp)): Error generating jobs for time \(time): \(failure)"
      )
    case .stateGivenUp(let time, let operation, let batches):
      (
        .error,
        "batch \(timeText(of: time.timestamp)): \(operation) could not be computed for \(batches) "
          + "batches: what is missing of them is left out of the state, which goes on from before them"
      )
    case .fallingBehind(let pending, let delay, let interval):
      (
        .warning,
        "falling behind: the last batch was done \(milliseconds(delay)) ms after its time, at an "
          + "interval of \(interval); \(pending) waiting"
      )
    case .stopWaits(let pending, let isRunning, let bound):
      (
        .info,
        "stopping when all is worked off that was received: "
          + [isRunning ? "a batch runs" : nil, pending > 0 ? "\(pending) waiting" : nil]
          .compactMap(\.self).joined(separator: ", ")
          + "; for at most \(milliseconds(bound)) ms (spark.streaming.gracefulStopTimeout)"
      )
    case .stopBoundReached(let bound):
      (
        .warning,
        "the stop has waited \(milliseconds(bound)) ms for batches, as long as "
          + "spark.streaming.gracefulStopTimeout allows: what has not run does not run any more"
      )
    case .batchesDropped(let count, let records, runAgain: true) where count > 0:
      (
        .warning,
        "stopped; \(count) batches had not run, with \(records) records: a recovery runs them, over "
          + "the input that can be read again"
      )
    case .batchesDropped(let count, let records, _):
      (
        .warning,
        count == 0
          ? "stopped; \(records) received records that no batch had taken are given up"
          : "stopped; \(count) batches that had not run are given up, with \(records) records"
      )
    case .eventsDropped(let total):
      (
        .warning,
        "the streaming listeners are slower than the events: \(total) events were not delivered"
      )
    case .wallClockMoved(let change):
      (
        .warning,
        "the machine's clock was moved by \(milliseconds(change)) ms; batch times go on as before"
      )
    case .notice(let notice):
      (Logger.Level(rawValue: notice.level.rawValue) ?? .info, notice.text)
    case .receiverStarted, .receiverStopped, .batchSubmitted, .batchStarted, .batchCompleted,
      .batchEnded, .outputStarted, .outputCommitted, .jobStarted, .jobEnded, .stageStarted,
      .stageEnded:
      nil
    }
  }

  private static func failure(of work: String, at time: BatchTime, _ failure: String) -> String {
    "batch \(timeText(of: time.timestamp)): \(work) failed: \(failure)"
  }

  /// What events are one of many of: those that somebody outside, or every batch, can cause again and
  /// again. Nil for the others.
  static func kind(of event: EngineEvent) -> String? {
    switch event {
    case .receiverConnected(let info): "connected \(info.source)"
    case .receiverError(let info): "error \(info.source)"
    case .receiverLost(let info, _): "lost \(info.source)"
    case .lineDropped(let source, _, _, _): "dropped \(source)"
    case .bufferFull(let source, _, _, _): "full \(source)"
    case .bufferDrained(let source): "drained \(source)"
    case .folderUnreadable(let folder, _): "folder \(folder)"
    case .entryPassedOver: "folder entry"
    case .filesTooOld(let folder, _, _, _): "too old \(folder)"
    case .outputCompleted(let info): "failed \(info.operation)"
    case .upkeepFailed(_, let work, _): "failed \(work)"
    case .generationFailed: "generation"
    case .stateGivenUp(_, let operation, _): "given up \(operation)"
    case .fallingBehind: "behind"
    case .eventsDropped: "listeners"
    case .wallClockMoved: "clock"
    case .notice(let notice): notice.kind.map { "notice \($0)" }
    case .streamingStarted, .streamingStopped, .stopWaits, .stopBoundReached, .batchesDropped,
      .folderMissing, .receiverStarted, .receiverStopped,
      .batchSubmitted, .batchStarted, .batchCompleted, .batchEnded, .outputStarted,
      .outputCommitted, .jobStarted, .jobEnded, .stageStarted, .stageEnded:
      nil
    }
  }

  /// A line that stands for others of its kind too.
  static func line(_ text: String, others: Int) -> String {
    others == 0 ? text : "\(text) (and \(others) more lines like this one)"
  }

  static func line(for report: BatchReport) -> String {
    "batch \(timeText(of: report.time.timestamp)): \(report.recordCount) records, "
      + "\(milliseconds(report.processingDelay)) ms"
  }

  static func status(for report: BatchReport) -> String {
    var text =
      "\(timeText(of: report.time.timestamp))  \(report.recordCount) records"
      + "  delay \(milliseconds(report.totalDelay)) ms"
    if report.pendingCount > 0 { text += "  \(report.pendingCount) batches waiting" }
    if report.failureCount > 0 { text += "  \(report.failureCount) failed" }
    return text
  }

  /// Milliseconds with one digit behind the point where they are few.
  private static func milliseconds(_ duration: Duration) -> String {
    let value = duration.inMilliseconds
    if abs(value) >= 100 { return String(Int(value.rounded())) }
    let tenths = Int((value * 10).rounded())
    return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }

  private static func megabytes(_ bytes: Int) -> String {
    let tenths = (bytes * 10 + (1 << 19)) >> 20
    return "\(tenths / 10).\(tenths % 10)"
  }
}
