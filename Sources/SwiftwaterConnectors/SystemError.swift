// The one file of this target that calls the C library: the system's words for its error numbers.
import Glibc

/// For example `Connection refused`.
func systemErrorText(_ number: Int32) -> String {
  // SAFETY: `strerror_r` writes at most `count` bytes; the GNU form returns a C string that lives
  // in the buffer or for ever.
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
    guard let text = strerror_r(number, buffer.baseAddress!, buffer.count) else {
      return "error \(number)"
    }
    return String(cString: text)
  }
}
