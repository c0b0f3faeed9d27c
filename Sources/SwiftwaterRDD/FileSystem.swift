// The one file of this target that calls the C library: files and folders.
import Glibc
import SwiftwaterCore

enum FileSystem {
  struct File: Sendable, Equatable {
    let path: String
    let size: Int
  }

  /// The files that a path means: itself, what is in the folder, or what the pattern matches.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) when there is none, in Spark's words.
  static func files(at given: String) throws -> [File] {
    var path = given.filter { $0 != "\n" }
    for prefix in ["file://", "file:"] where path.hasPrefix(prefix) {
      path = String(path.dropFirst(prefix.count))
      break
    }
    let matches = glob(path)
    guard !matches.isEmpty else {
      throw EngineError.unavailable("Input path does not exist: \(given)")
    }
    return try matches.flatMap { match -> [File] in
      var information = stat()
      guard stat(match, &information) == 0 else { throw unreadable(match) }
      guard information.st_mode & S_IFMT == S_IFDIR else {
        return [File(path: match, size: Int(information.st_size))]
      }
      return try entries(of: match).compactMap { name in
        let path = match + "/" + name
        var information = stat()
        guard stat(path, &information) == 0 else { throw unreadable(path) }
        // Spark: a folder inside the folder is an error there; it is passed over here.
        guard information.st_mode & S_IFMT == S_IFREG else { return nil }
        return File(path: path, size: Int(information.st_size))
      }
    }
  }

  private static func glob(_ pattern: String) -> [String] {
    var result = glob_t()
    defer { globfree(&result) }
    guard Glibc.glob(pattern, GLOB_BRACE, nil, &result) == 0 else { return [] }
    // SAFETY: after success `gl_pathv` holds `gl_pathc` C strings until `globfree`.
    let matches = (0..<Int(result.gl_pathc)).compactMap { index in
      result.gl_pathv[index].map { String(cString: $0) }
    }
    // Hadoop: what is hidden is meant by its name only, not by a pattern.
    return matches.filter { $0 == pattern || !isHidden($0.split(separator: "/").last ?? "") }
  }

  private static func isHidden(_ name: some StringProtocol) -> Bool {
    name.hasPrefix(".") || name.hasPrefix("_")
  }

  /// The visible names in a folder, sorted.
  private static func entries(of folder: String) throws -> [String] {
    guard let handle = opendir(folder) else { throw unreadable(folder) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      // SAFETY: `d_name` is a C string inside the entry, which lives until the next `readdir`.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !isHidden(name) { names.append(name) }
    }
    return names.sorted()
  }
}

/// An open file; closed when it goes out of scope.
struct OpenFile: ~Copyable {
  private let descriptor: Int32
  private let path: String

  init(path: String) throws {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    self.path = path
    guard descriptor >= 0 else { throw unreadable(path) }
  }

  deinit { close(descriptor) }

  /// Fills `buffer` from `offset` on as far as the file goes.
  ///
  /// - Returns: the number of bytes read; less than the buffer's size only at the file's end.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress! + filled, buffer.count - filled, offset + filled)
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw unreadable(path)
      }
      filled += count
    }
    return filled
  }
}

private func unreadable(_ path: String) -> EngineError {
  .unavailable("\(path): \(String(cString: strerror(errno)))")
}
