/// The place of a file, as the bytes that the system has for it: a name need not be UTF-8.
public struct FilePath: Hashable, Sendable, CustomStringConvertible {
  public let bytes: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  public init(_ text: String) { self.init(text.utf8) }

  /// For people: what is not UTF-8 becomes U+FFFD.
  public var description: String { String(decoding: bytes, as: UTF8.self) }

  public func appending(_ name: [UInt8]) -> FilePath {
    FilePath(bytes.last == UInt8(ascii: "/") ? bytes + name : bytes + [UInt8(ascii: "/")] + name)
  }

  func hasSuffix(_ text: String) -> Bool {
    bytes.count >= text.utf8.count && bytes.suffix(text.utf8.count).elementsEqual(text.utf8)
  }
}

/// What is at a path.
public struct FileFacts: Sendable, Equatable {
  public enum Kind: Sendable {
    case file
    case folder
    /// A pipe, a device, ...
    case other
  }

  public let kind: Kind
  /// In bytes.
  public let size: Int
  /// When it was changed last, in whole milliseconds since 1970.
  public let changed: Int64

  public init(kind: Kind, size: Int, changed: Int64) {
    self.kind = kind
    self.size = size
    self.changed = changed
  }
}

/// A file or folder that cannot be looked at.
public struct FileFailure: Error, Sendable, CustomStringConvertible {
  /// The system's number for it.
  public let code: Int32
  /// The system's words for it.
  public let reason: String
  public let path: FilePath

  public init(code: Int32, reason: String, path: FilePath) {
    self.code = code
    self.reason = reason
    self.path = path
  }

  /// As Python has it.
  public var description: String { "[Errno \(code)] \(reason): '\(path)'" }
}

/// Where files are: folders with names, and what is behind a name.
public protocol FileStore: Sendable {
  /// All names in a folder, in any order.
  ///
  /// - Throws: ``FileFailure``.
  func names(in folder: FilePath) throws -> [[UInt8]]

  /// What is at a path, or what a link there leads to.
  ///
  /// - Throws: ``FileFailure``.
  func facts(of path: FilePath) throws -> FileFacts

  /// The paths that a pattern stands for (`*`, `?`, `[ab]`, `{a,b}`), sorted, each once.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) for braces that stand for too many.
  func matches(of pattern: FilePath) throws -> [FilePath]
}

/// A file with something in it.
public struct FilledFile: Sendable, Equatable {
  public let path: FilePath
  public let size: Int

  public init(path: FilePath, size: Int) {
    self.path = path
    self.size = size
  }
}

/// The files of this machine.
public struct LocalFiles: FileStore {
  public init() {}
}
