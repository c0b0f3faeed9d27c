import PythonInterop
import PythonTesting
import Testing

@testable import PythonRecords

@Suite struct KeyTableTests {
  /// What the table holds, as a list of pairs.
  private func pairs(_ table: KeyTable, _ py: borrowing Python) throws -> PythonObject {
    var found: [PyPointer?] = []
    table.forEach { found.append(Py.newPair($0.key, $0.value)) }
    return PythonObject(owning: try needed(py.newList(found)))
  }

  @Test("It is a dict: the same keys count as one, and keep the order in which they came")
  func model() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("model = {}", py)
      let table = KeyTable()
      var literals = RandomLiteral()
      // Equal keys of several types, and keys that share a hash.
      let few = ["1", "1.0", "True", "0", "False", "-1", "-2", "'a'", "(1, 'a')", "2**61 - 1"]
      for step in 0..<3000 {
        let key = literals.number(0...1) == 0 ? literals.choice(few) : literals.key()
        let object = try code.value(key, py)
        let value = try needed(py.newInteger(step))
        let hash = Py.hash(object.pointer)
        var failed = false
        if let place = table.find(object.pointer, hash: hash, failed: &failed) {
          table.replaceValue(at: place, by: value)
        } else {
          Py.retain(object.pointer)
          table.insert(object.pointer, hash: hash, value: value)
        }
        #expect(!failed)
        code.bind("key", object.pointer)
        try code.run("model[key] = \(step)", py)
      }
      let found = try pairs(table, py)
      #expect(
        try code.holds("same(list(model.items()), found)", where: ["found": found.pointer], py),
        "seed \(literals.random.seed)")
      #expect(try table.count == code.integer("len(model)", py))
      table.removeAll()
      #expect(table.count == 0)
    }
  }

  @Test("It gives up what it holds: when a value is replaced, when it is emptied, at its end")
  func ownership() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      let (key, value) = (try code.value("object()", py), try code.value("object()", py))
      let before = (try references(to: key.pointer, py), try references(to: value.pointer, py))
      for isEmptied in [true, false] {
        var table: KeyTable? = KeyTable()
        Py.retain(key.pointer)
        Py.retain(value.pointer)
        table?.insert(key.pointer, hash: 1, value: value.pointer)
        #expect(try references(to: value.pointer, py) == before.1 + 1)
        Py.retain(value.pointer)
        table?.replaceValue(at: 0, by: value.pointer)
        #expect(try references(to: value.pointer, py) == before.1 + 1)
        if isEmptied { table?.removeAll() } else { table = nil }
        #expect(try references(to: key.pointer, py) == before.0)
        #expect(try references(to: value.pointer, py) == before.1)
        withExtendedLifetime(table) {}
      }
    }
  }

  @Test("A comparison that raises is told")
  func failure() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        """
        class Key:
            def __hash__(self):
                return 7
            def __eq__(self, other):
                raise ValueError("no comparison")
        """, py)
      let table = KeyTable()
      let (first, second) = (try code.value("Key()", py), try code.value("Key()", py))
      Py.retain(first.pointer)
      table.insert(first.pointer, hash: 7, value: Py.none())
      var failed = false
      #expect(table.find(first.pointer, hash: 7, failed: &failed) == 0)
      #expect(!failed)
      #expect(table.find(second.pointer, hash: 7, failed: &failed) == nil)
      #expect(failed)
      #expect(takeException(py) == "ValueError: no comparison")
    }
  }
}
