import SwiftwaterCore

/// What the braces of a pattern stand for: `{a,b}{c,d}` is four patterns.
///
/// The C library makes them one by one, and calls itself for each brace: without bounds a short
/// pattern takes for ever, and a long one all of a thread's stack.
enum Braces {
  private static let mostBraces = 100
  private static let mostPatterns = 100_000

  /// - Throws: ``EngineError`` (`unavailable`) for a pattern beyond the bounds.
  static func check(_ pattern: String) throws {
    var braces = 0
    // Of each brace that is open: the patterns of its alternatives so far, and of the last one.
    var open: [(before: Int, alternatives: Int)] = []
    var count = 1
    var isEscaped = false
    for byte in pattern.utf8 {
      if isEscaped {
        isEscaped = false
        continue
      }
      switch byte {
      case UInt8(ascii: "\\"): isEscaped = true
      case UInt8(ascii: "{"):
        braces += 1
        guard braces <= mostBraces else { throw tooMany(pattern, "\(mostBraces) braces") }
        open.append((count, 0))
        count = 1
      case UInt8(ascii: ","):
        guard let last = open.indices.last else { continue }
        open[last].alternatives += count
        count = 1
      case UInt8(ascii: "}"):
        guard let brace = open.popLast() else { continue }
        count = brace.before * (brace.alternatives + count)
      default: continue
      }
      // Before it is more, both factors are small enough for their product.
      guard count <= mostPatterns else { throw tooMany(pattern, "\(mostPatterns) paths") }
    }
  }

  private static func tooMany(_ pattern: String, _ bound: String) -> EngineError {
    let shown = pattern.count > 200 ? pattern.prefix(200) + "..." : pattern[...]
    return .unavailable("Illegal file pattern: \(shown) stands for more than \(bound)")
  }
}
