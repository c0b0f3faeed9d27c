import SwiftwaterCore
import SwiftwaterRDD
import Synchronization

/// The files that appear in a folder, or in all folders that a pattern stands for; a split is a file.
///
/// Which files belong to a batch is decided by times alone, so that it can be decided again later: by the
/// time of the batch and by when a file was changed last.
final class FileSource: RangedSource {
  /// A file in a folder that is watched, and when it was changed last.
  typealias Entry = (path: FilePath, changed: Int64)

  /// Spark: spark.streaming.fileStream.minRememberDuration, rounded up to whole batches.
  private static let remembered: Int64 = 60_000

  let memory: Int64
  private let directory: FilePath
  private let store: any FileStore
  private let tell: @Sendable (EngineEvent) -> Void
  private let isMissing = Mutex(false)
  private let tooOld: Counter
  private let passedOver = Mutex(PassedOver())

  /// The files that are too old, as of the last look.
  private struct PassedOver {
    var paths: Set<[UInt8]> = []
    /// What was changed until then was too old; nil before the first look.
    var after: Int64?
  }

  /// - Parameter tooOld: counts files that are not read.
  init(
    _ directory: FilePath, interval: BatchInterval, store: any FileStore, tooOld: Counter,
    tell: @escaping @Sendable (EngineEvent) -> Void
  ) {
    self.directory = directory
    self.store = store
    self.tooOld = tooOld
    self.tell = tell
    let interval = interval.milliseconds
    memory = (Self.remembered + interval - 1) / interval * interval
  }

  func plan(for time: BatchTime, known: PlannedRanges) -> SourceRange? {
    let found: [Entry]
    do {
      let folders = try folders()
      found = try folders.flatMap(entries)
      noticeMissing(folders.isEmpty)
    } catch {
      // Spark: the batch goes on without files; the next one sees them.
      tell(
        .folderUnreadable(folder: directory.description, failure: String(describing: error)))
      return nil
    }
    // What was chosen earlier and is remembered for a recovery does not count: a batch that runs again
    // and one that runs for the first time choose alike.
    var recent: Set<[UInt8]> = []
    for (at, range) in known.ranges where at.milliseconds >= time.milliseconds - memory {
      for split in range.splits { recent.insert(split.name) }
    }
    let chosen = Self.chosen(
      of: found, at: time.milliseconds, memory: memory, since: known.since, recent: recent)
    noticeTooOld(found, after: max(known.since, time.milliseconds - memory), since: known.since)
    return SourceRange(chosen.map { SourceSplit(name: $0.bytes) })
  }

  /// The files that a batch takes: those that were changed after the stream was made and within the
  /// last `memory` milliseconds, not later than the batch, and that none of the `recent` batches has.
  static func chosen(
    of found: [Entry], at time: Int64, memory: Int64, since: Int64, recent: Set<[UInt8]>
  ) -> [FilePath] {
    let after = max(since, time - memory)
    return found.filter { path, changed in
      after < changed && changed <= time && !recent.contains(path.bytes)
    }.map(\.path)
  }

  /// What there is to choose from: of each folder by name, without what is hidden.
  func listed() throws -> [Entry] { try folders().flatMap(entries) }

  /// A folder of that very name comes before what the name stands for as a pattern.
  private func folders() throws -> [FilePath] {
    if isFolder(directory) { return [directory] }
    return try store.matches(of: directory).filter(isFolder)
  }

  private func isFolder(_ path: FilePath) -> Bool {
    (try? store.facts(of: path))?.kind == .folder
  }

  private func entries(of folder: FilePath) throws -> [Entry] {
    let names: [[UInt8]]
    do {
      names = try store.names(in: folder)
    } catch let failure as FileFailure where failure.isMissing || failure.isNoFolder {
      return []
    }
    return names.filter(isVisible).sorted { $0.lexicographicallyPrecedes($1) }.compactMap {
      name -> Entry? in
      let path = folder.appending(name)
      do {
        return (path, try store.facts(of: path).changed)
      } catch let failure as FileFailure where failure.isMissing {
        // Gone since it was listed.
        return nil
      } catch {
        // One bad entry, such as a link to itself, must not keep all others from a batch.
        let reason = (error as? FileFailure)?.reason ?? String(describing: error)
        tell(.entryPassedOver(path: path.description, reason: reason))
        return nil
      }
    }
  }

  /// Spark passes over such files without a word. What has become too old since the last look was young
  /// then, and was chosen.
  private func noticeTooOld(_ found: [Entry], after: Int64, since: Int64) {
    let (new, isFirst) = passedOver.withLock { passedOver -> ([FilePath], Bool) in
      guard let before = passedOver.after else {
        // Of what is younger than the stream an earlier life may have read some.
        passedOver = PassedOver(
          paths: Set(found.lazy.filter { $0.changed <= after }.map(\.path.bytes)), after: after)
        return (found.filter { $0.changed <= since }.map(\.path), true)
      }
      // A batch of an earlier time that was asked for late.
      guard after >= before else { return ([], false) }
      passedOver.after = after
      var new: [FilePath] = []
      var old = 0
      for (path, changed) in found where changed <= after {
        old += 1
        if passedOver.paths.insert(path.bytes).inserted, changed <= before { new.append(path) }
      }
      if passedOver.paths.count > 2 * old + 64 {
        passedOver.paths = Set(found.lazy.filter { $0.changed <= after }.map(\.path.bytes))
      }
      return (new, false)
    }
    guard let example = new.first else { return }
    tooOld.add(new.count)
    tell(
      .filesTooOld(
        folder: directory.description, count: new.count, example: example.description,
        isFirst: isFirst))
  }

  /// Spark says nothing, and a slip in the name is then hard to find.
  private func noticeMissing(_ isMissingNow: Bool) {
    let wasMissing = isMissing.withLock { isMissing in
      defer { isMissing = isMissingNow }
      return isMissing
    }
    if isMissingNow && !wasMissing { tell(.folderMissing(folder: directory.description)) }
  }
}

/// Names that begin with a dot or `_` do not count, for Hadoop as for us.
private func isVisible(_ name: [UInt8]) -> Bool {
  name.first != UInt8(ascii: ".") && name.first != UInt8(ascii: "_")
}

extension FileStore {
  /// What a batch reads of a path: the file itself, or of a folder the visible files in it, one level
  /// deep; none that is empty. Spark: a file without anything in it has no partition.
  ///
  /// - Throws: ``EngineError`` (`missing`) where there is nothing any more; ``FileFailure``.
  func filled(at path: FilePath) throws -> [FilledFile] {
    guard let found = try? facts(of: path) else {
      throw EngineError.missing(
        "Input path does not exist: \(path): it was there when the batch was made. Files of a "
          + "folder that is watched must stay for a while")
    }
    if found.kind != .folder {
      return found.size == 0 ? [] : [FilledFile(path: path, size: found.size)]
    }
    return try names(in: path).filter(isVisible).sorted { $0.lexicographicallyPrecedes($1) }
      .compactMap { name -> FilledFile? in
        let file = path.appending(name)
        do {
          let found = try facts(of: file)
          return found.kind == .file && found.size > 0
            ? FilledFile(path: file, size: found.size) : nil
        } catch let failure as FileFailure where failure.isMissing {
          return nil
        }
      }
  }
}

extension StreamingContext {
  /// Adds a stream of what is in the files that appear in a folder: each in the batch in whose time it
  /// was changed last, or soon after.
  ///
  /// - Parameters:
  ///   - directory: a folder, or a pattern for several; it need not be there.
  ///   - since: in milliseconds since 1970; older files are not taken.
  ///   - recordType: of the records, where it is known.
  ///   - described: what becomes of an error for which a batch cannot be planned.
  ///   - read: makes an RDD of a file that is not empty.
  public func addFileStream(
    of directory: FilePath, name: String, site: String = "", since: Int64,
    recordType: ColumnType? = nil, store: any FileStore = LocalFiles(),
    described: @escaping @Sendable (any Error, BatchTime) -> any Error = { error, _ in error },
    read: @escaping @Sendable (FilledFile, Generation) throws -> RDDNode
  ) throws -> StreamNode {
    let source = FileSource(
      directory, interval: interval, store: store, tooOld: context.counters.counter(.filesTooOld)
    ) { [events] event in events.post(event) }
    return try addRanged(source, name: name, site: site, since: since, recordType: recordType) {
      range, generation in
      var parts: [RDDNode] = []
      do {
        for split in range.splits {
          for file in try store.filled(at: FilePath(split.name)) {
            parts.append(try read(file, generation))
          }
        }
      } catch {
        throw described(error, generation.time)
      }
      if parts.isEmpty {
        return RDDNode.batches([], name: name, context: generation.context, recordType: recordType)
      }
      return RDDNode.union(of: parts, context: generation.context)
    }
  }
}
