// The one file of this target that calls the C library: the system's words for its error numbers.
import Glibc

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
