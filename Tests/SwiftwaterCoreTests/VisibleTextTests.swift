import SwiftwaterCore
import Testing

@Suite struct VisibleTextTests {
  @Test(arguments: [
    ("", ""), ("plain text", "plain text"), ("Grüße, 世界 🎉", "Grüße, 世界 🎉"),
    ("a\u{1B}[31mb", "a\\x1b[31mb"), ("\u{0}\u{7}\u{8}\u{7F}", "\\x00\\x07\\x08\\x7f"),
    ("a\nb\rc\td", "a\\nb\\rc\\td"), ("a\r\nb", "a\\r\\nb"),
    ("\u{9B}31m\u{9D}0;t\u{9C}\u{85}", "\\x9b31m\\x9d0;t\\x9c\\x85"),
    ("a\u{2028}b\u{2029}c", "a\\u2028b\\u2029c"),
    ("\u{202E}abc\u{202C}", "\\u202eabc\\u202c"),
    ("\u{2066}x\u{2069}\u{200F}\u{61C}", "\\u2066x\\u2069\\u200f\\u061c"),
    ("\u{FEFF}\u{200B}\u{E0041}", "\\ufeff\\u200b\\U000e0041"),
    // Joiners are part of words and of emoji; a backslash is one already.
    ("می\u{200C}خواهم 👩\u{200D}🚀", "می\u{200C}خواهم 👩\u{200D}🚀"), ("C:\\x1b", "C:\\x1b"),
  ])
  func showsWhatATerminalWouldObey(text: String, shown: String) {
    #expect(visibleText(text) == shown)
  }

  @Test func keepsLinesWhereAsked() {
    #expect(visibleText("a\n\tb\r\u{1B}", keepsLines: true) == "a\n\tb\\r\\x1b")
  }

  @Test func noControlCharacterIsLeft() {
    for value in (0..<0xA0).map(UInt32.init) {
      let shown = visibleText(String(Unicode.Scalar(value)!))
      #expect(shown.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "\(value)")
    }
  }
}
