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

  package func hasSuffix(_ text: String) -> Bool {
    bytes.count >= text.utf8.count && bytes.suffix(text.utf8.count).elementsEqual(text.utf8)
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
