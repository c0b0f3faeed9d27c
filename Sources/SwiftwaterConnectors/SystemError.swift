// The one file of this target that calls the C library: the system's words for its error numbers, and
// what it has left.
import Glibc
import SwiftwaterCore

/// For example `Connection refused`.
func systemErrorText(_ number: Int32) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
    // SAFETY: `strerror_r` writes a C string of at most `count` bytes.
    guard strerror_r(number, buffer.baseAddress!, buffer.count) == 0 else {
      return "error \(number)"
    }
    return String(cString: buffer.baseAddress!)
  }
}

/// Makes sure that so many descriptors can be had.
///
/// - Throws: ``EngineError`` (`unavailable`).
func requireDescriptors(_ count: Int) throws {
  var made: [Int32] = []
  defer { for descriptor in made { close(descriptor) } }
  for _ in 0..<count {
    let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw EngineError.unavailable(systemErrorText(errno) + limitText([.descriptors]))
    }
    made.append(descriptor)
  }
}
