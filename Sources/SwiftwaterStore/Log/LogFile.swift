import CKernels
import SwiftwaterCore

/// The form of a log's files: a head, then frames.
///
/// A frame is a mark, the length of its content, a checksum of length and content (CRC-32C), and the
/// content; numbers are little-endian. The first frame holds the name of the file, so that one in the place
/// of another is noticed. A frame that a crash has cut ends the file; behind one that is damaged the next
/// is found by its mark and checksum.
enum LogForm {
  static let magic: [UInt8] = Array("SWLOG\r\n".utf8) + [1]
  static let mark: UInt32 = 0x4D52_4653
  /// Of the mark, the length and the checksum.
  static let headLength = 12
  /// Longer than any content: blocks have a bound.
  static let mostContent = 1 << 31

  static func checksum(of length: UInt32, _ parts: [UnsafeRawBufferPointer]) -> UInt32 {
    var sum = withUnsafeBytes(of: length.littleEndian) { bytes in
      sw_crc32c(0, bytes.baseAddress, bytes.count)
    }
    for part in parts { sum = sw_crc32c(sum, part.baseAddress, part.count) }
    return sum
  }
}

/// A file of a log that is being written. What was appended is in the hands of the system, and on the disk
/// with ``sync()``. Used by one thread at a time.
final class LogFile {
  let name: String
  private(set) var length = 0
  private let folder: LogFolder
  let descriptor: Descriptor
  private var startedWriting = 0
  private(set) var isSynced = false

  /// A new file in the folder; its name is on the disk when this returns.
  ///
  /// - Throws: ``SystemFailure``; no file is left then.
  init(_ name: String, in folder: LogFolder) throws {
    self.name = name
    self.folder = folder
    descriptor = try folder.newFile(name)
    do {
      try LogForm.magic.withUnsafeBytes { try folder.append($0, to: descriptor) }
      length = LogForm.magic.count
      try append(Array(name.utf8))
      try folder.syncNames()
    } catch {
      folder.remove(name)
      throw error
    }
  }

  /// Appends a frame whose content is the parts, one after the other.
  ///
  /// - Returns: where its content begins.
  /// - Throws: ``SystemFailure``; what was written of it is taken back then, and where that fails it is
  ///   a cut frame.
  @discardableResult
  func append(_ parts: [UnsafeRawBufferPointer]) throws -> Int {
    let count = parts.reduce(0) { $0 + $1.count }
    precondition(count < LogForm.mostContent, "a frame of a log is shorter than 2 GB")
    let length = UInt32(count)
    var head = Array(repeating: UInt8(0), count: LogForm.headLength)
    head.withUnsafeMutableBytes {
      $0.storeBytes(of: LogForm.mark.littleEndian, toByteOffset: 0, as: UInt32.self)
      $0.storeBytes(of: length.littleEndian, toByteOffset: 4, as: UInt32.self)
      $0.storeBytes(
        of: LogForm.checksum(of: length, parts).littleEndian, toByteOffset: 8, as: UInt32.self)
    }
    isSynced = false
    do {
      try head.withUnsafeBytes { try folder.append($0, to: descriptor) }
      for part in parts where !part.isEmpty { try folder.append(part, to: descriptor) }
    } catch {
      try? descriptor.cut(to: self.length)
      throw error
    }
    let place = self.length + LogForm.headLength
    self.length = place + count
    return place
  }

  @discardableResult
  func append(_ content: [UInt8]) throws -> Int {
    try content.withUnsafeBytes { try append([$0]) }
  }

  /// Has the disk begin, so that less is left to wait for.
  func beginWriting(from least: Int) {
    guard length - startedWriting >= least else { return }
    descriptor.beginWriting(startedWriting..<length)
    startedWriting = length
  }

  /// Waits until all is on the disk.
  ///
  /// - Throws: ``SystemFailure``: what was appended since the last time may be lost then, and the file
  ///   must not be gone on with.
  func sync() throws {
    if isSynced { return }
    try folder.sync(descriptor)
    isSynced = true
  }
}

/// What is in a file of a log.
struct LogContents {
  /// Where the content of each whole frame is, in their order, without the name.
  var frames: [Range<Int>] = []
  /// Bytes that belong to no whole frame, though frames follow.
  var damaged = 0
  /// The last frame was cut, as by a crash.
  var isCut = false
  /// The file is none of a log, or another one than it is called.
  var isForeign = false
}

/// Reads the files of a log.
struct LogReader {
  let bytes: [UInt8]

  /// - Throws: ``EngineError`` (`unavailable`) where it cannot be read.
  init(_ file: Descriptor, path: String) throws {
    do {
      let size = try file.size
      bytes = try [UInt8](unsafeUninitializedCapacity: size) { memory, count in
        // SAFETY: as many bytes count as were read.
        count = try file.read(at: 0, into: UnsafeMutableRawBufferPointer(memory))
      }
    } catch {
      throw EngineError.unavailable("\(path) cannot be read: \(error)")
    }
  }

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Finds the frames.
  func contents(named name: String) -> LogContents {
    var contents = LogContents()
    guard bytes.starts(with: LogForm.magic) else {
      // Made a moment before a crash: nothing was in it.
      contents.isCut = LogForm.magic.starts(with: bytes)
      contents.isForeign = !contents.isCut
      return contents
    }
    bytes.withUnsafeBytes { bytes in
      var place = LogForm.magic.count
      var isFirst = true
      while place < bytes.count {
        guard let frame = frame(at: place, in: bytes) else {
          guard let next = nextFrame(behind: place, in: bytes) else {
            contents.isCut = true
            return
          }
          contents.damaged += next - place
          place = next
          isFirst = false
          continue
        }
        if isFirst {
          isFirst = false
          guard bytes[frame].elementsEqual(name.utf8) else {
            contents.isForeign = true
            return
          }
        } else {
          contents.frames.append(frame)
        }
        place = frame.upperBound
      }
    }
    return contents
  }

  private func frame(at place: Int, in bytes: UnsafeRawBufferPointer) -> Range<Int>? {
    guard bytes.count - place >= LogForm.headLength else { return nil }
    func number(_ offset: Int) -> UInt32 {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place + offset, as: UInt32.self))
    }
    let start = place + LogForm.headLength
    let length = Int(number(4))
    guard number(0) == LogForm.mark, length < LogForm.mostContent, length <= bytes.count - start
    else { return nil }
    let content = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + length)])
    guard LogForm.checksum(of: number(4), [content]) == number(8) else { return nil }
    return start..<(start + length)
  }

  private func nextFrame(behind place: Int, in bytes: UnsafeRawBufferPointer) -> Int? {
    var next = place + 1
    while next + LogForm.headLength <= bytes.count {
      let found = UInt32(
        littleEndian: bytes.loadUnaligned(fromByteOffset: next, as: UInt32.self))
      if found == LogForm.mark, frame(at: next, in: bytes) != nil { return next }
      next += 1
    }
    return nil
  }
}
