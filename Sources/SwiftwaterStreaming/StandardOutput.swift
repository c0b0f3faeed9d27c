// The one file of this target that calls the C library.
import Glibc

/// Writes at once: a reader at the other end of a pipe sees every batch when it is over. What the
/// program itself printed comes before it.
func writeToStandardOutput(_ text: String) {
  fflush(nil)
  var text = text
  text.withUTF8 { bytes in
    var rest = UnsafeRawBufferPointer(bytes)
    while !rest.isEmpty {
      let count = write(STDOUT_FILENO, rest.baseAddress, rest.count)
      if count < 0 && errno == EINTR { continue }
      // Nobody reads any more: as with `print`, that is not the job's failure.
      guard count > 0 else { return }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
  }
}
