// The one file of this target that calls the C library: libraries, temporary files, and files below a
// folder that is open.
import Glibc
import SwiftwaterCore

// MARK: - Libraries

/// A library of the system; nil where it is not installed. It is never unloaded.
func loadedLibrary(_ name: String) -> UnsafeMutableRawPointer? {
  dlopen(name, RTLD_NOW | RTLD_LOCAL)
}

func symbol(_ name: String, in library: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
  dlsym(library, name)
}

// MARK: - Temporary files

/// A new empty file in a folder, for whoever opens it by its path and removes that then.
///
/// - Throws: ``EngineError`` (`unavailable`).
func makeFile(in folder: String) throws -> String {
  var template = Array("\(folder)/swiftwater-tables-XXXXXX".utf8CString)
  let descriptor = mkstemp(&template)
  guard descriptor >= 0 else {
    throw EngineError.unavailable(
      "no temporary file can be made in \(folder) (\(String(cString: strerror(errno)))): set "
        + "spark.local.dir to a folder with room")
  }
  Glibc.close(descriptor)
  return template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
}

func removeFile(_ path: String) { unlink(path) }

// MARK: - Files below an open folder

/// What the system has said to a call.
struct SystemFailure: Error, CustomStringConvertible {
  let code: Int32
  var description: String { String(cString: strerror(code)) }
  static let noSpace = SystemFailure(code: ENOSPC)
  static let inputOutput = SystemFailure(code: EIO)
  static var last: SystemFailure { SystemFailure(code: errno) }
}

/// A descriptor that is closed with the object.
final class Descriptor: Sendable {
  let number: Int32

  /// - Throws: ``SystemFailure``.
  init(_ number: Int32) throws {
    guard number >= 0 else { throw SystemFailure.last }
    self.number = number
  }

  /// Another one of the same file.
  convenience init(duplicating number: Int32) throws {
    try self.init(fcntl(number, F_DUPFD_CLOEXEC, 0))
  }

  deinit { Glibc.close(number) }

  /// A new file below this folder, for appending; nobody else may read it.
  func newFile(_ name: String) throws -> Descriptor {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_APPEND
    return try Descriptor(openat(number, name, flags, 0o600))
  }

  /// A file below this folder, for reading; nothing else is opened, nor waited for.
  func file(_ name: String) throws -> Descriptor {
    try Descriptor(openat(number, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC))
  }

  func remove(_ name: String) throws {
    guard unlinkat(number, name, 0) == 0 || errno == ENOENT else { throw SystemFailure.last }
  }

  /// The names in this folder, in any order.
  func names() throws -> [String] {
    let own = openat(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard own >= 0 else { throw SystemFailure.last }
    guard let folder = fdopendir(own) else {
      Glibc.close(own)
      throw SystemFailure.last
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      // SAFETY: `d_name` is a C string inside the entry, which lives until the next `readdir`.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      names.append(name)
    }
    return names
  }

  /// What is wrong with believing this file: nil where it is a file that only this user, or root, can
  /// have written.
  func distrust() throws -> String? {
    var facts = stat()
    guard fstat(number, &facts) == 0 else { throw SystemFailure.last }
    if facts.st_mode & S_IFMT != S_IFREG { return "is not a file" }
    if facts.st_mode & 0o022 != 0 { return "can be written to by others" }
    if facts.st_uid != geteuid() && facts.st_uid != 0 {
      return "belongs to another user (uid \(facts.st_uid))"
    }
    return nil
  }

  var size: Int {
    get throws {
      var facts = stat()
      guard fstat(number, &facts) == 0 else { throw SystemFailure.last }
      return Int(facts.st_size)
    }
  }

  /// Appends all of the bytes.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let written = Glibc.write(number, rest.baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw SystemFailure.last
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  func cut(to size: Int) throws {
    guard ftruncate(number, off_t(size)) == 0 else { throw SystemFailure.last }
  }

  /// Forces what was written to the disk.
  func sync() throws {
    guard fdatasync(number) == 0 else { throw SystemFailure.last }
  }

  /// Forces names to the disk.
  func syncNames() throws {
    guard fsync(number) == 0 else { throw SystemFailure.last }
  }

  /// Has the system begin to write a range, and does not wait. It is not read again as a rule.
  func beginWriting(_ range: Range<Int>) {
    posix_fadvise(
      number, off_t(range.lowerBound), off_t(range.count), Int32(POSIX_FADV_DONTNEED))
  }

  /// Fills memory from a place in the file on.
  ///
  /// - Returns: how many bytes there were.
  func read(at offset: Int, into memory: UnsafeMutableRawBufferPointer) throws -> Int {
    var count = 0
    while count < memory.count {
      let part = UnsafeMutableRawBufferPointer(rebasing: memory[count...])
      let got = pread(number, part.baseAddress, part.count, off_t(offset + count))
      if got < 0 {
        if errno == EINTR { continue }
        throw SystemFailure.last
      }
      if got == 0 { break }
      count += got
    }
    return count
  }
}
