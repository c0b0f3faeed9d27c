import PythonInterop
import PythonTesting
import Testing

@Suite struct RecordCodecTests {
  private static let values = [
    "None", "True", "False", "0", "-1", "2**63 - 1", "-2**63", "2**63", "-2**100", "0.0", "-0.0",
    "float('nan')", "float('inf')", "3 - 4j", "''", "'é日本🐍'", "'\\ud800'", "b''", "b'\\x00\\xff'",
    "()",
    "(1, 'a', None)", "[]", "[[], [1, [2]]]", "{}", "{'a': 1, 2: [3]}", "set()", "{1, 'b'}",
    "frozenset({1})", "__import__('decimal').Decimal('1.5')", "range(3)", "list(range(5000))",
    "tuple(range(5000))",
  ]

  private func bytes(of value: PyPointer, _ py: borrowing Python) throws -> [UInt8] {
    var encoder = RecordEncoder()
    guard encoder.append(value) else { throw PythonError.fetch(py) }
    return encoder.bytes
  }

  /// What is read, or what was raised.
  private func decoded(
    _ bytes: [UInt8], _ py: borrowing Python
  ) -> (value: PythonObject?, error: String?, isAtEnd: Bool) {
    bytes.withUnsafeBytes { bytes in
      var decoder = RecordDecoder(bytes)
      let value = decoder.next()
      let isAtEnd = decoder.isAtEnd
      return (value.map { PythonObject(owning: $0) }, takeException(py), isAtEnd)
    }
  }

  @Test("What is written is read again, of the same types", arguments: values)
  func roundTrip(expression: String) throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      let value = try code.value(expression, py)
      let before = try references(to: value.pointer, py)
      let (read, error, isAtEnd) = decoded(try bytes(of: value.pointer, py), py)
      let found = try needed(read, "\(error ?? "")")
      if found.pointer != value.pointer {
        #expect(try references(to: value.pointer, py) == before)
      }
      #expect(error == nil)
      #expect(isAtEnd)
      #expect(try code.holds("same(a, b)", where: ["a": value.pointer, "b": found.pointer], py))
    }
  }

  @Test("Random values are read again, and none of what is cut off anywhere")
  func random() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      var literals = RandomLiteral()
      for _ in 0..<200 {
        let expression = literals.value()
        let value = try code.value(expression, py)
        let bytes = try bytes(of: value.pointer, py)
        let note = "seed \(literals.random.seed): \(expression)"
        let whole = decoded(bytes, py)
        let read = try needed(whole.value, "\(note)")
        #expect(
          try code.holds("same(a, b)", where: ["a": value.pointer, "b": read.pointer], py),
          "\(note)")
        for length in 0..<bytes.count {
          let cut = decoded(Array(bytes[..<length]), py)
          #expect(cut.value == nil && cut.error != nil, "\(note), \(length) bytes")
        }
      }
    }
  }

  @Test("Whatever the bytes are, there is a value or an exception")
  func forged() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      var literals = RandomLiteral()
      var refused = 0
      for _ in 0..<500 {
        var bytes = try bytes(of: code.value(literals.value(), py).pointer, py)
        // A pickle says what is called when it is read: those are not for everybody's bytes.
        guard !bytes.contains(UInt8(ascii: "P")) else { continue }
        bytes[literals.number(0...(bytes.count - 1))] = UInt8(literals.number(0...255))
        if bytes.contains(UInt8(ascii: "P")) { continue }
        let (value, error, _) = decoded(bytes, py)
        #expect((value == nil) == (error != nil), "seed \(literals.random.seed): \(bytes)")
        if value == nil { refused += 1 }
      }
      #expect(refused > 0)
    }
  }

  @Test(
    "Lengths that nothing stands behind are refused before memory is asked for",
    arguments: ["t", "l", "S", "Z", "D", "s", "b", "I", "P"])
  func lengths(tag: String) throws {
    try TestInterpreter.run { py in
      let huge = [UInt8](repeating: 0xFF, count: 8) + [0x7F]
      for length in [huge, [5], Array(repeating: 0x80, count: 12)] {
        let (value, error, _) = decoded(Array(tag.utf8) + length, py)
        #expect(value == nil)
        #expect(error?.hasPrefix("ValueError: the stored records are damaged") == true)
      }
    }
  }

  @Test("Values too deep to be read here go through pickle, and what is deeper is refused")
  func deep() throws {
    try TestInterpreter.run { py in
      let nested = [[UInt8]](repeating: [UInt8(ascii: "l"), 1], count: 3000).flatMap { $0 }
      #expect(decoded(nested + [UInt8(ascii: "N")], py).error?.hasPrefix("ValueError") == true)
    }
  }

  @Test("A value that cannot be pickled leaves nothing behind")
  func failure() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      var encoder = RecordEncoder()
      let isFirst = encoder.append(try code.value("1", py).pointer)
      #expect(isFirst)
      let before = encoder.bytes
      let isSecond = encoder.append(try code.value("[1, lambda: 0]", py).pointer)
      #expect(!isSecond)
      #expect(takeException(py)?.contains("pickle") == true)
      #expect(encoder.bytes == before)
    }
  }

  @Test("Lists are read by their length, and no further")
  func lists() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      var encoder = RecordEncoder()
      for expression in ["1", "'a'", "(2,)"] {
        let isWritten = encoder.append(try code.value(expression, py).pointer)
        #expect(isWritten)
      }
      let two = try RecordDecoder.list(in: encoder.bytes, count: 2, py)
      #expect(try code.holds("same(a, [1, 'a'])", where: ["a": two.pointer], py))
      #expect(throws: PythonError.self) {
        try Interpreter.attach { py in
          _ = try RecordDecoder.list(in: encoder.bytes, count: 4, py)
        }
      }
    }
  }
}
