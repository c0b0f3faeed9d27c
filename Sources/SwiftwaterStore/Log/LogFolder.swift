import SwiftwaterCore
import Synchronization

/// A folder with the files of a log, by its descriptor: what takes the place of its path later is not
/// looked at.
public final class LogFolder: Sendable {
  /// For people.
  public let path: String
  private let folder: Descriptor
  /// What goes wrong with the disk, where a test asks for it.
  package let faults = FileFaults()

  /// - Parameters:
  ///   - descriptor: of the open folder; it stays the caller's.
  ///   - path: what the folder is called in messages.
  /// - Throws: ``EngineError`` (`unavailable`) where the process has no descriptor left.
  public init(descriptor: Int32, path: String) throws {
    self.path = path
    do {
      folder = try Descriptor(duplicating: descriptor)
    } catch {
      throw EngineError.unavailable("the checkpoint directory \(path) cannot be opened: \(error)")
    }
  }

  /// Which files there are that begin with `prefix`, in the order of their numbers.
  ///
  /// - Throws: ``EngineError`` (`unavailable`).
  func numbers(of prefix: String) throws -> [Int] {
    let names: [String]
    do {
      names = try folder.names()
    } catch {
      throw EngineError.unavailable("the checkpoint directory \(path) cannot be read: \(error)")
    }
    return names.compactMap { name -> Int? in
      guard name.hasPrefix(prefix) else { return nil }
      let digits = name.dropFirst(prefix.count)
      // As they are written: no other digits than these, and no zeros in front.
      guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(digits),
        String(number) == digits
      else { return nil }
      return number
    }.sorted()
  }

  /// Opens a file to read.
  ///
  /// - Throws: ``EngineError`` (`unavailable`), for one that somebody else can have written too.
  func file(_ name: String) throws -> Descriptor {
    do {
      let file = try folder.file(name)
      if let reason = try file.distrust() {
        throw EngineError.unavailable(
          "the file \(path)/\(name) \(reason): remove it, unless you know where it comes from")
      }
      return file
    } catch let failure as SystemFailure {
      throw EngineError.unavailable("the file \(path)/\(name) cannot be read: \(failure)")
    }
  }

  func newFile(_ name: String) throws -> Descriptor {
    try faults.meet(.create)
    return try folder.newFile(name)
  }

  func append(_ bytes: UnsafeRawBufferPointer, to file: Descriptor) throws {
    let part = try faults.met(.write, of: bytes)
    try file.append(part.bytes)
    if let failure = part.failure { throw failure }
  }

  func sync(_ file: Descriptor) throws {
    try faults.meet(.sync)
    try file.sync()
  }

  /// Forces the names of files to the disk.
  func syncNames() throws {
    try faults.meet(.syncNames)
    try folder.syncNames()
  }

  /// Removes a file. One that cannot be removed is left to the next time.
  func remove(_ name: String) {
    guard (try? faults.meet(.remove)) != nil else { return }
    try? folder.remove(name)
  }
}

/// Operations on files that a test has fail.
package final class FileFaults: Sendable {
  package enum Operation: String, Sendable, CaseIterable {
    case create
    case write
    case sync
    case syncNames
    case remove
  }

  package enum Fault: Sendable {
    case noSpace
    case inputOutput
    /// Half of the bytes are written before there is no space; like ``noSpace`` for others.
    case short
  }

  private let fault = Mutex<(@Sendable (Operation) -> Fault?)?>(nil)

  /// Asks `fault` about every operation from now on; nil ends that.
  package func set(_ fault: (@Sendable (Operation) -> Fault?)?) {
    self.fault.withLock { $0 = fault }
  }

  private func next(_ operation: Operation) -> Fault? {
    fault.withLock { $0 }.flatMap { $0(operation) }
  }

  fileprivate func meet(_ operation: Operation) throws {
    switch next(operation) {
    case nil: return
    case .noSpace, .short: throw SystemFailure.noSpace
    case .inputOutput: throw SystemFailure.inputOutput
    }
  }

  fileprivate func met(
    _ operation: Operation, of bytes: UnsafeRawBufferPointer
  ) throws -> (bytes: UnsafeRawBufferPointer, failure: SystemFailure?) {
    switch next(operation) {
    case nil: return (bytes, nil)
    case .noSpace: throw SystemFailure.noSpace
    case .inputOutput: throw SystemFailure.inputOutput
    case .short:
      return (UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), .noSpace)
    }
  }
}
