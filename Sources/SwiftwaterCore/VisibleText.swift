/// Text as it may go to a terminal or into a log: what a terminal would obey, and what would begin a
/// new line, is shown as Python's `repr` shows it (`\n`, `\x1b`, `\u202e`).
///
/// These are the control characters (C0, DEL and C1), line and paragraph separators, and the format
/// characters, among them those that change the direction of text. Joiners, which scripts and emoji
/// need, stay.
///
/// - Parameter keepsLines: line ends and tabs stay, too.
public func visibleText(_ text: String, keepsLines: Bool = false) -> String {
  let isPlain = text.utf8.allSatisfy { byte in
    (0x20..<0x7F).contains(byte) || (keepsLines && (byte == 0x0A || byte == 0x09))
  }
  if isPlain { return text }
  var shown = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\n", "\t":
      if keepsLines { shown.unicodeScalars.append(scalar) } else { shown += escaped(scalar) }
    case _ where isObeyed(scalar): shown += escaped(scalar)
    default: shown.unicodeScalars.append(scalar)
    }
  }
  return shown
}

private func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator: true
  case .format: scalar != "\u{200C}" && scalar != "\u{200D}"
  default: false
  }
}

private func escaped(_ scalar: Unicode.Scalar) -> String {
  switch scalar {
  case "\n": return "\\n"
  case "\r": return "\\r"
  case "\t": return "\\t"
  default:
    let (letter, width) =
      scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x1_0000 ? ("u", 4) : ("U", 8)
    let digits = String(scalar.value, radix: 16)
    return "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
  }
}
