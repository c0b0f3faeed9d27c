import SwiftwaterCore

/// Writes the events of a job into files. Each file begins with all that is needed of those before it.
/// Used by one thread at a time.
struct BatchLog {
  static let prefix = "batches-"
  /// A new file is begun behind so many bytes, when something was forgotten.
  private static let longest = 1 << 20

  private let folder: LogFolder
  /// Also what could not be written yet: the next file has it.
  private(set) var job: LoggedJob
  private var file: LogFile?
  private var number: Int

  /// - Parameters:
  ///   - job: what the files so far say.
  ///   - number: of the last of them; 0 for none.
  init(_ folder: LogFolder, job: LoggedJob, after number: Int) {
    self.folder = folder
    self.job = job
    self.number = number
  }

  /// Adds an event.
  ///
  /// - Parameter isSynced: it is on the disk when this returns.
  /// - Throws: ``SystemFailure``. It counts all the same, and is written with the next one; the same event
  ///   may come again.
  mutating func append(_ event: JobEvent, isSynced: Bool) throws {
    job.apply(event)
    guard let file else { return try begin() }
    do {
      try file.append(event.bytes)
      KillPoints.pass("batch log.written")
      if isSynced {
        try file.sync()
        KillPoints.pass("batch log.synced")
      }
    } catch {
      // What the system has dropped it calls clean: another file has it all.
      self.file = nil
      throw error
    }
    if case .forgotten = event, file.length > Self.longest { try begin() }
  }

  /// Adds an event that the next one brings to the disk.
  mutating func note(_ event: JobEvent) {
    job.apply(event)
    file = nil
  }

  /// Waits until everything is on the disk.
  mutating func sync() throws {
    guard let file else { return try begin() }
    do {
      try file.sync()
    } catch {
      self.file = nil
      throw error
    }
  }

  private mutating func begin() throws {
    number += 1
    let new = try LogFile("\(Self.prefix)\(number)", in: folder)
    KillPoints.pass("batch log.made")
    do {
      try new.append(JobEvent.continued(job).bytes)
      try new.sync()
      KillPoints.pass("batch log.begun")
    } catch {
      folder.remove(new.name)
      throw error
    }
    file = new
    // The one before stays, for the case that this one is damaged.
    for old in (try? folder.numbers(of: Self.prefix)) ?? [] where old < number - 1 {
      folder.remove("\(Self.prefix)\(old)")
    }
  }
}
