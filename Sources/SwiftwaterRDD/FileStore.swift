import SwiftwaterCore

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
