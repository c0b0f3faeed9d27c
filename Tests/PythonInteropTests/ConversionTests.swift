import PythonInterop
import PythonTesting
import Testing

@Suite struct ConversionTests {
  @Test("Text goes there and back", arguments: ["", "a", "é日本🐍", "\0", "a\nb"])
  func text(text: String) throws {
    try TestInterpreter.run { py in
      let object = PythonObject(owning: try needed(py.newText(text)))
      #expect(py.text(of: object.pointer) == text)
    }
  }

  @Test(
    "What is no text in UTF-8 is none, and leaves no exception",
    arguments: ["'\\ud800'", "b'a'", "1", "None"])
  func noText(expression: String) throws {
    try TestInterpreter.run { py in
      let object = try PythonCode(py).value(expression, py)
      #expect(py.text(of: object.pointer) == nil)
      #expect(takeException(py) == nil)
    }
  }

  @Test(
    "Integers of 64 bits are read, and nothing else",
    arguments: [
      ("0", 0), ("-1", -1), ("2**63 - 1", Int.max), ("-2**63", Int.min), ("2**63", nil),
      ("-2**63 - 1", nil), ("True", nil), ("1.0", nil), ("'1'", nil),
    ] as [(String, Int?)])
  func integers(expression: String, expected: Int?) throws {
    try TestInterpreter.run { py in
      let object = try PythonCode(py).value(expression, py)
      #expect(py.integer(of: object.pointer) == expected)
      #expect(takeException(py) == nil)
    }
  }

  @Test(
    "A description is cut, and there is one whatever repr() does",
    arguments: [
      ("'abc'", 10, "'abc'"), ("'abcdefgh'", 3, "'ab..."), ("[1, 2, 3]", 4, "[1, ..."),
      ("type('T', (), {'__repr__': lambda self: 1 / 0})()", 10, "<a record whose repr() fails>"),
      ("'a' * 10**6", 2, "'a..."), ("b'ab'", 10, "b'ab'"),
    ])
  func descriptions(expression: String, limit: Int, expected: String) throws {
    try TestInterpreter.run { py in
      let object = try PythonCode(py).value(expression, py)
      #expect(py.describe(object.pointer, limit: limit) == expected)
      #expect(takeException(py) == nil)
    }
  }

  @Test("A description leaves an exception that is set")
  func describing() throws {
    try TestInterpreter.run { py in
      let object = try PythonCode(py).value("[]", py)
      Py.raise(.valueError, "kept")
      #expect(py.describe(object.pointer, limit: 9) == "[]")
      #expect(takeException(py) == "ValueError: kept")
    }
  }

  @Test("A list or tuple owns its items, and gives up all of them where one is missing")
  func containers() throws {
    try TestInterpreter.run { py in
      let item = try PythonCode(py).value("object()", py)
      let before = try references(to: item.pointer, py)
      for isList in [true, false] {
        for _ in 0..<2 { Py.retain(item.pointer) }
        let whole =
          isList
          ? py.newList([item.pointer, item.pointer]) : py.newTuple([item.pointer, item.pointer])
        #expect(try references(to: item.pointer, py) == before + 2)
        Py.release(try needed(whole))
        #expect(try references(to: item.pointer, py) == before)
        Py.retain(item.pointer)
        #expect(
          (isList ? py.newList([item.pointer, nil]) : py.newTuple([nil, item.pointer])) == nil)
        #expect(try references(to: item.pointer, py) == before)
      }
    }
  }

  @Test("A reference that is dropped without the interpreter is given up when it is there again")
  func droppedElsewhere() throws {
    let item = try TestInterpreter.run { py in try PythonCode(py).value("object()", py) }
    let before = try TestInterpreter.run { py in try references(to: item.pointer, py) }
    var second: PythonObject? = try TestInterpreter.run { py in
      let second = PythonObject(borrowing: item.pointer)
      let now = try references(to: item.pointer, py)
      #expect(now == before + 1)
      return second
    }
    #expect(second != nil)
    second = nil
    let after = try TestInterpreter.run { py in try references(to: item.pointer, py) }
    #expect(after == before)
  }

  @Test("Names of files that are not UTF-8 come back as they were")
  func paths() throws {
    try TestInterpreter.run { py in
      let path = PythonObject(owning: try needed(py.newText(path: [0x61, 0xFF, 0x2F])))
      #expect(
        try PythonCode(py).holds(
          "__import__('os').fsencode(p) == b'a\\xff/'", where: ["p": path.pointer], py))
    }
  }
}

@Suite struct HashingTests {
  @Test(
    "What decides on a hash is known of each kind of value",
    arguments: [
      ("None", "none"), ("'ab'", "text 2"), ("'\\ud800'", "points 1"), ("b'abc'", "bytes 3"),
      ("(1, 2)", "tuple 2"), ("1", "seedless"), ("True", "seedless"), ("2.5", "seedless"),
      ("__import__('decimal').Decimal(1)", "seedless"),
      ("__import__('fractions').Fraction(1, 2)", "seedless"), ("3j", "seedless"),
      ("frozenset()", "other"), ("object()", "other"),
      ("type('T', (str,), {})('abc')", "text 3"),
      ("type('T', (str,), {'__hash__': lambda self: 1})('abc')", "other"),
    ])
  func forms(expression: String, expected: String) throws {
    try TestInterpreter.run { py in
      let object = try PythonCode(py).value(expression, py)
      let form =
        switch py.hashForm(of: object.pointer) {
        case .none: "none"
        case .text(let bytes): "text \(bytes.count)"
        case .codePoints(let points): "points \(points.count)"
        case .bytes(let bytes): "bytes \(bytes.count)"
        case .tuple(let count): "tuple \(count)"
        case .seedless: "seedless"
        case .other: "other"
        }
      #expect(form == expected)
      #expect(takeException(py) == nil)
    }
  }

  @Test("Remainders are Python's, also of numbers beyond 64 bits")
  func remainders() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      var literals = RandomLiteral()
      for _ in 0..<200 {
        let (number, divisor) = (literals.integer(), literals.number(1...1000))
        let object = try code.value(number, py)
        #expect(
          try py.remainder(of: object.pointer, by: divisor)
            == code.integer("(\(number)) % \(divisor)", py), "seed \(literals.random.seed)")
      }
      #expect(try py.remainder(of: code.value("'a'", py).pointer, by: 2) == nil)
      #expect(takeException(py)?.hasPrefix("TypeError") == true)
    }
  }

  @Test("A test's interpreter has the seed of the host, and says what has no hash")
  func seed() throws {
    try TestInterpreter.run { py in
      let isFixed = py.hasFixedHashSeed
      #expect(isFixed)
      let list = try PythonCode(py).value("[]", py)
      #expect(py.hash(of: list.pointer) == nil)
      #expect(takeException(py)?.hasPrefix("TypeError: unhashable") == true)
    }
  }
}
