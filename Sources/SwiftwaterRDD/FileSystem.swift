// The one file of this target that calls the C library: files and folders.
import Glibc
import SwiftwaterCore

/// What a pattern (`*`, `?`, `[ab]`, `{a,b}`) matches, in the order of names, each once.
///
/// - Throws: ``EngineError`` (`unavailable`) for braces that stand for too many paths.
public func matchingPaths(_ pattern: String) throws -> [String] {
  try FileSystem.matches(of: FilePath(pattern)).map(\.description)
}

enum FileSystem {
  /// The files that a path means: itself, what is in the folder, or what the pattern matches; of
  /// several paths, with commas between them, those of each.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) when there is none, in Spark's words.
  static func files(at given: String) throws -> [FilledFile] {
    let whole = withoutScheme(given)
    // A name may hold commas and what else means something in a pattern.
    if kind(of: whole) != nil { return try files(in: whole) }
    return try parts(of: given.filter { $0 != "\n" }).flatMap { part -> [FilledFile] in
      let path = withoutScheme(part)
      if kind(of: path) != nil { return try files(in: path) }
      // Hadoop: what is hidden is meant by its name only, not by a pattern.
      let matches = try matches(of: FilePath(path)).map(\.description)
        .filter { !isHidden($0.split(separator: "/").last ?? "") }
      guard !matches.isEmpty else {
        throw EngineError.unavailable("Input path does not exist: \(part)")
      }
      return try matches.flatMap { try files(in: $0) }
    }
  }

  fileprivate static func matches(of pattern: FilePath) throws -> [FilePath] {
    guard !pattern.bytes.contains(0) else { return [] }
    try Braces.check(pattern.description)
    var result = glob_t()
    defer { globfree(&result) }
    guard Glibc.glob(pattern.terminated, GLOB_BRACE, nil, &result) == 0 else { return [] }
    // SAFETY: after success `gl_pathv` holds `gl_pathc` C strings until `globfree`.
    let matches = (0..<Int(result.gl_pathc)).compactMap { index in
      result.gl_pathv[index].map { FilePath(bytes(of: $0)) }
    }
    return Set(matches).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// Cuts at commas that are not inside of braces.
  private static func parts(of paths: String) -> [Substring] {
    var depth = 0
    return paths.split { character in
      switch character {
      case "{": depth += 1
      case "}": depth -= 1
      default: return character == "," && depth <= 0
      }
      return false
    }
  }

  private static func withoutScheme(_ path: some StringProtocol) -> String {
    for prefix in ["file://", "file:"] where path.hasPrefix(prefix) {
      return String(path.dropFirst(prefix.count))
    }
    return String(path)
  }

  /// The file itself, or the visible files in a folder; where it has a manifest, those named there.
  private static func files(in path: String) throws -> [FilledFile] {
    guard let (kind, size) = kind(of: path) else { throw unreadable(path) }
    guard kind == S_IFDIR else { return [FilledFile(path: FilePath(path), size: size)] }
    let named = try namedByManifest(in: path)
    return try entries(of: path).compactMap { name in
      if let named, !named.contains(name) { return nil }
      let path = path + "/" + name
      guard let (kind, size) = self.kind(of: path) else { throw unreadable(path) }
      // Spark: a folder inside the folder is an error there; it is passed over here.
      return kind == S_IFREG ? FilledFile(path: FilePath(path), size: size) : nil
    }
  }

  /// The files that count in a folder; nil where its `_SUCCESS` does not name them.
  ///
  /// It has a line that says that it is a manifest, one for the batch, and one for each file
  /// (`_rdd/prepared_folders.py` writes it).
  private static func namedByManifest(in folder: String) throws -> Set<String>? {
    let path = folder + "/_SUCCESS"
    guard let (kind, size) = kind(of: path), kind == S_IFREG, size > 0 else { return nil }
    let file = try OpenFile(path: FilePath(path))
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
    defer { buffer.deallocate() }
    let count = try file.read(into: buffer, at: 0)
    let lines = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: "\n")
    guard lines.first == "swiftwater manifest 1" else { return nil }
    return Set(lines.dropFirst(2).map(String.init))
  }

  /// The kind of what is at a path, and its size in bytes; nil, with `errno`, where there is nothing.
  private static func kind(of path: String) -> (mode_t, size: Int)? {
    var information = stat()
    guard stat(path, &information) == 0 else { return nil }
    return (information.st_mode & S_IFMT, Int(information.st_size))
  }

  private static func isBefore(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
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
    return names.sorted(by: isBefore)
  }
}

/// An open file; closed when it goes out of scope.
struct OpenFile: ~Copyable {
  private let descriptor: Int32
  private let path: FilePath

  init(path: FilePath) throws {
    descriptor = open(path.terminated, O_RDONLY | O_CLOEXEC)
    self.path = path
    guard descriptor >= 0 else { throw unreadable(path.description) }
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
        throw unreadable(path.description)
      }
      filled += count
    }
    return filled
  }
}

private func unreadable(_ path: String) -> EngineError {
  .unavailable("\(path): \(String(cString: strerror(errno)))")
}

extension FilePath {
  /// As the C library wants it. With a zero in it there is no such path: it would end there.
  fileprivate var terminated: [CChar] {
    bytes.contains(0) ? [0] : bytes.map(CChar.init(bitPattern:)) + [0]
  }

  fileprivate var failure: FileFailure {
    FileFailure(code: errno, reason: String(cString: strerror(errno)), path: self)
  }
}

/// The bytes of a C string, without the zero.
private func bytes(of string: UnsafePointer<CChar>) -> [UInt8] {
  // SAFETY: `strlen` bytes are there.
  UnsafeRawBufferPointer(start: string, count: strlen(string)).map(\.self)
}

extension LocalFiles {
  public func names(in folder: FilePath) throws -> [[UInt8]] {
    guard let handle = opendir(folder.terminated) else { throw folder.failure }
    defer { closedir(handle) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(handle) else { break }
      // SAFETY: `d_name` is a C string inside the entry, which lives until the next `readdir`.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { bytes(of: $0) }
      }
      if name != [UInt8(ascii: ".")], name != [UInt8(ascii: "."), UInt8(ascii: ".")] {
        names.append(name)
      }
    }
    if errno != 0 { throw folder.failure }
    return names
  }

  public func facts(of path: FilePath) throws -> FileFacts {
    var information = stat()
    guard stat(path.terminated, &information) == 0 else { throw path.failure }
    let kind: FileFacts.Kind =
      switch information.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      default: .other
      }
    let changed = information.st_mtim
    return FileFacts(
      kind: kind, size: Int(information.st_size),
      changed: Int64(changed.tv_sec) * 1000 + Int64(changed.tv_nsec) / 1_000_000)
  }

  public func matches(of pattern: FilePath) throws -> [FilePath] {
    try FileSystem.matches(of: pattern)
  }
}

extension FileFailure {
  /// There is nothing at the path.
  public var isMissing: Bool { code == ENOENT }

  /// What is at the path, or in front of its last name, is no folder.
  public var isNoFolder: Bool { code == ENOTDIR }
}
