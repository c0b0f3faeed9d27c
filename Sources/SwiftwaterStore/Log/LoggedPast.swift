import SwiftwaterCore

/// What the files of a log say: read once, before a job goes on.
struct LoggedPast {
  var job = LoggedJob()
  /// The numbers of the last files; 0 for none.
  var lastBatches = 0
  var lastBlocks = 0
  /// Where each block is.
  var blocks: [BlockID: LoggedBlock] = [:]
  /// The blocks of each file.
  var segments: [Int: [BlockID]] = [:]
  /// What is wrong with the files, for people.
  var faults: [String] = []

  /// - Throws: ``EngineError`` (`unavailable`) where the folder cannot be read, or a file in it is not this
  ///   user's.
  init(_ folder: LogFolder, coder: (any BlockCoder)?) throws {
    for number in try folder.numbers(of: BatchLog.prefix) {
      lastBatches = number
      let name = "\(BatchLog.prefix)\(number)"
      let reader = try LogReader(try folder.file(name), path: "\(folder.path)/\(name)")
      let contents = reader.contents(named: name)
      note(contents, in: name, folder)
      for frame in contents.frames {
        do {
          job.apply(try JobEvent(bytes: Array(reader.bytes[frame])))
        } catch {
          faults.append("an event in \(folder.path)/\(name) is in a form that is not known")
        }
      }
    }
    for number in try folder.numbers(of: BlockLog.prefix) {
      lastBlocks = number
      let name = "\(BlockLog.prefix)\(number)"
      let file = try folder.file(name)
      let reader = try LogReader(file, path: "\(folder.path)/\(name)")
      let contents = reader.contents(named: name)
      note(contents, in: name, folder)
      segments[number] = []
      for frame in contents.frames {
        do {
          let block = try LoggedBlock(
            reader.bytes[frame], at: frame, in: file, named: "\(folder.path)/\(name)", coder: coder)
          // One that was written again is the same.
          blocks[block.id] = block
          segments[number, default: []].append(block.id)
        } catch {
          faults.append("a block in \(folder.path)/\(name) cannot be read: \(error)")
        }
      }
    }
  }

  private mutating func note(_ contents: LogContents, in name: String, _ folder: LogFolder) {
    if contents.isForeign {
      faults.append("\(folder.path)/\(name) is not a file of a log, or was another one")
    }
    if contents.damaged > 0 {
      faults.append(
        "\(folder.path)/\(name) is damaged: \(contents.damaged) bytes of it cannot be read")
    }
  }

  /// True for a block that no batch has.
  func isOpen(_ id: BlockID) -> Bool {
    id.number >= job.taken[.init(source: id.source, run: id.run)] ?? 0
  }

  /// The latest batch that has one of these blocks, as far as it is known.
  func latestTime(of ids: Set<BlockID>) -> BatchTime {
    job.batches.filter { $0.value.inputs.contains { $0.blocks.contains(where: ids.contains) } }
      .keys.max() ?? BatchTime(milliseconds: .min)
  }
}
