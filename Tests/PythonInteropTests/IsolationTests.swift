import PythonInterop
import PythonTesting
import Testing

@Suite struct IsolationTests {
  @Test(
    "What nothing can be changed in is its own copy",
    arguments: [
      "None", "1", "2**100", "'text'", "b'bytes'", "()", "(1, ('a', None))", "frozenset({1, (2,)})",
      "range(3)", "int", "len",
    ])
  func shared(expression: String) throws {
    try TestInterpreter.run { py in
      let value = try PythonCode(py).value(expression, py)
      #expect(Isolation.isImmutable(value.pointer))
      let before = try references(to: value.pointer, py)
      let copy = PythonObject(owning: try needed(Isolation.copy(of: value.pointer)))
      #expect(copy.pointer == value.pointer)
      if before < 1 << 20 { #expect(try references(to: value.pointer, py) == before + 1) }
    }
  }

  @Test(
    "Of what can be changed there is a copy, whose changes are not seen",
    arguments: [
      ("[1, 2]", "append(3)"), ("{'a': [1]}", "__getitem__('a').append(2)"), ("{1, 2}", "add(3)"),
      ("([1], 2)", "__getitem__(0).append(3)"), ("[[0] * 3] * 2", "__getitem__(0).append(1)"),
      ("bytearray(b'a')", "append(1)"), ("__import__('collections').deque([1])", "append(2)"),
    ])
  func copied(expression: String, change: String) throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("value = \(expression); image = repr(value)", py)
      let value = try code.value("value", py)
      #expect(!Isolation.isImmutable(value.pointer))
      let copy = PythonObject(owning: try needed(Isolation.copy(of: value.pointer)))
      #expect(
        try code.holds("copy == value and copy is not value", where: ["copy": copy.pointer], py))
      try code.run("copy.\(change)", py)
      #expect(try code.holds("repr(value) == image and repr(copy) != image", py))
    }
  }

  @Test("What a value has twice its copy has twice, and a value in itself is no end")
  func structure() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        "inner = []\nvalue = [inner, {'k': inner}, (inner,)]\nvalue.append(value)", py)
      let value = try code.value("value", py)
      let copy = PythonObject(owning: try needed(Isolation.copy(of: value.pointer)))
      let expression = """
        copy[0] is copy[1]['k'] is copy[2][0] and copy[3] is copy and copy[0] is not inner
        """
      #expect(try code.holds(expression, where: ["copy": copy.pointer], py))
    }
  }

  @Test("Random values have copies that are the same, and share nothing that can be changed")
  func random() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        """
        def parts(value):
            if isinstance(value, (list, dict, set)):
                yield id(value)
            if isinstance(value, dict):
                value = list(value.values())
            if isinstance(value, (list, tuple)):
                for part in value:
                    yield from parts(part)
        """, py)
      var literals = RandomLiteral()
      for _ in 0..<200 {
        let expression = literals.value()
        let value = try code.value(expression, py)
        let copy = PythonObject(owning: try needed(Isolation.copy(of: value.pointer)))
        #expect(
          try code.holds(
            "same(a, b) and not set(parts(a)) & set(parts(b))",
            where: ["a": value.pointer, "b": copy.pointer], py),
          "seed \(literals.random.seed): \(expression)")
      }
    }
  }

  @Test("What cannot be copied at all is shared, and no exception is left")
  func lock() throws {
    try TestInterpreter.run { py in
      let value = try PythonCode(py).value("__import__('threading').Lock()", py)
      let copy = PythonObject(owning: try needed(Isolation.copy(of: value.pointer)))
      #expect(copy.pointer == value.pointer)
      #expect(takeException(py) == nil)
    }
  }
}
