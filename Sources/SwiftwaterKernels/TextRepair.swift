/// The text of some bytes: U+FFFD for each part that is not UTF-8, as Java has it.
///
/// A part is what the Unicode standard recommends (section 3.9: as much as could have been the
/// beginning of a character), but for a surrogate in three bytes, as CESU-8 and "modified UTF-8" have
/// them. For Java it is one part, or two bytes of it where no third follows; for the standard each of
/// its bytes is a part.
func repairedText(_ bytes: UnsafeRawBufferPointer) -> String {
  guard hasSurrogate(bytes) else { return String(decoding: bytes, as: UTF8.self) }
  var plain: [UInt8] = []
  plain.reserveCapacity(bytes.count)
  var index = 0
  while index < bytes.count {
    guard isSurrogate(bytes, at: index) else {
      plain.append(bytes[index])
      index += 1
      continue
    }
    // The first byte never continues a character: what is before it is judged as without it.
    plain.append(contentsOf: [0xEF, 0xBF, 0xBD])
    index += index + 2 < bytes.count && bytes[index + 2] & 0xC0 == 0x80 ? 3 : 2
  }
  return String(decoding: plain, as: UTF8.self)
}

private func hasSurrogate(_ bytes: UnsafeRawBufferPointer) -> Bool {
  (0..<max(0, bytes.count - 1)).contains { isSurrogate(bytes, at: $0) }
}

/// U+D800 to U+DFFF begin with ED and a byte from A0 to BF, which no character does.
private func isSurrogate(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Bool {
  bytes[index] == 0xED && index + 1 < bytes.count && bytes[index + 1] & 0xE0 == 0xA0
}
