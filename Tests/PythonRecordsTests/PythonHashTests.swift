import PythonInterop
import PythonTesting
import Testing

@testable import PythonRecords

@Suite struct PythonHashTests {
  /// PySpark's own, over Python's `hash` under the seed 0.
  private static let spark = """
    import sys

    def portable_hash(x):
        if x is None:
            return 0
        if isinstance(x, tuple):
            h = 0x345678
            for i in x:
                h ^= portable_hash(i)
                h *= 1000003
                h &= sys.maxsize
            h ^= len(x)
            if h == -1:
                h = -2
            return int(h)
        return hash(x)
    """

  @Test("The hash of a key is PySpark's")
  func keys() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(Self.spark, py)
      var literals = RandomLiteral()
      for round in 0..<300 {
        let key =
          round % 3 == 0 ? "(\(literals.key()), (\(literals.key()),), None)" : literals.key()
        let object = try code.value(key, py)
        let found = portableHash(of: object.pointer, py)
        #expect(takeException(py) == nil)
        #expect(
          try found == code.integer("portable_hash(\(key))", py),
          "seed \(literals.random.seed): \(key)")
      }
    }
  }

  @Test("What has no hash, or is too deep, raises")
  func unhashable() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("deep = ()\nfor _ in range(2000):\n    deep = (deep,)", py)
      for (expression, words) in [
        ("[]", "TypeError: unhashable type: 'list'"),
        ("(1, {})", "TypeError: unhashable type: 'dict'"),
        ("deep", "RuntimeError: a key of tuples within tuples is too deep to be hashed"),
      ] {
        #expect(try portableHash(of: code.value(expression, py).pointer, py) == nil)
        #expect(takeException(py) == words)
      }
    }
  }
}
