import PythonInterop
import PythonTesting
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterTesting
import TableTesting
import Testing

@testable import PythonRecords

@Suite struct PythonFormTests {
  /// What a program says of vectors.
  private struct Shown {
    private let code: PythonCode

    init(_ py: borrowing Python) throws {
      code = try PythonCode(
        """
        known = {}
        def shown(vector):
            return [repr(record) for record in vector]
        def identities(vector):
            return [str(known.setdefault(key, len(known))) for key in vector]
        """, py)
    }

    func callAsFunction(_ function: String, _ vector: any RecordBatch) throws -> [String] {
      try Interpreter.attach { py in
        let list = PythonObject(owning: try needed(Py.newList()))
        try append(vector, to: list.pointer, limit: .max, py)
        code.bind("vector", list.pointer)
        let texts = try code.value("\(function)(vector)", py)
        return try (0..<Py.listCount(texts.pointer)).map {
          try needed(py.text(of: Py.listItem(texts.pointer, $0)))
        }
      }
    }
  }

  private func batch(
    _ code: PythonCode, _ expression: String, _ py: borrowing Python
  ) throws -> PythonBatch { PythonBatch(try code.value("list(\(expression))", py)) }

  @Test(
    "On a random walk it is a dict, also when memory is short at times", arguments: [false, true])
  func walk(isShortAtTimes: Bool) throws {
    defer { SpillStore.shared.configure(limit: .max, folder: "/tmp") }
    try TestInterpreter.run { py in
      let shown = try Shown(py)
      let code = try PythonCode(
        """
        class Key:
            def __init__(self, name):
                self.name = name
            def __eq__(self, other):
                return isinstance(other, Key) and self.name == other.name
            def __hash__(self):
                return self.name % 3
            def __repr__(self):
                return f"Key({self.name})"
        # Each NaN is a key of its own, and some keys are one though their types differ.
        keys = [float("nan"), float("nan"), 1, True, 1.0, 0, False, 0.0, -0.0, "", "a", "é", None,
                (), (1, "a"), (1.0, "a"), 2**61 - 1, 2**70, -1, -2, b"a", frozenset([1])]
        keys += [Key(n // 2) for n in range(30)] + [f"k{n}" for n in range(40)] + list(range(40))
        """, py)
      for _ in 0..<5 {
        var walk = TableWalk(
          PythonForm(), SeededRandom(),
          makePairs: { random, count in
            let pairs = (0..<count).map { _ in
              "(keys[\(Int.random(in: 0..<132, using: &random))], "
                + "[\(Int.random(in: 0...99, using: &random))])"
            }
            return try Interpreter.attach { py in
              PythonBatch(try code.value("[\(pairs.joined(separator: ", "))]", py))
            }
          }, shown: { try shown("shown", $0) }, identities: { try shown("identities", $0) })
        try walk.run(steps: 150) { random in
          guard isShortAtTimes, Int.random(in: 0..<4, using: &random) == 0 else { return }
          let isShort = Bool.random(using: &random)
          SpillStore.shared.configure(limit: isShort ? 1 : .max, folder: "/tmp")
        }
      }
    }
  }

  @Test("What has begun in columns goes on as objects, with the same numbers", arguments: [0, 1])
  func conversion(kind: Int) throws {
    try TestInterpreter.run { py in
      let types: [ColumnType] =
        kind == 0 ? [.text, .integer] : [.tuple([.double, .optional(.integer)]), .list(.integer)]
      func column(
        _ type: ColumnType, _ random: inout SeededRandom, _ count: Int
      ) -> Column {
        switch type {
        case .double:
          return .double(
            Buffer((0..<count).map { _ in [0.0, -0.0, 1.5].randomElement(using: &random)! }))
        case .text:
          var builder = TextBuilder()
          for _ in 0..<count {
            Array("\(UInt8.random(in: 0...60, using: &random))".utf8).withUnsafeBytes {
              builder.append($0, isASCII: true)
            }
          }
          return .text(builder.finish())
        case .tuple(let items):
          return .tuple(items.map { column($0, &random, count) }, count: count)
        case .list(let item):
          return .list(
            ListColumn(
              offsets: (0...UInt32(count)).map { $0 * 2 }, items: column(item, &random, count * 2)))
        case .optional(let inner):
          return .optional(
            validity: Bitmap(count: count) { $0 % 3 != 0 }, column(inner, &random, count))
        default:
          return .integer(
            Buffer((0..<count).map { _ in Int64.random(in: 0...20, using: &random) }))
        }
      }
      let shown = try Shown(py)
      let columns = try needed(ColumnForm(.tuple(types)))
      for _ in 0..<5 {
        var walk = TableWalk(
          columns, SeededRandom(),
          makePairs: { random, count in
            ColumnBatch(
              .tuple(
                [column(types[0], &random, count), column(types[1], &random, count)],
                count: count))
          }, shown: { try shown("shown", $0) }, identities: { try shown("identities", $0) })
        try walk.run(steps: 40)
        let objects = PythonForm()
        walk.replace(
          form: objects,
          directory: try objects.converted(try needed(walk.directory as? ColumnDirectory)),
          values: try objects.converted(
            try needed(walk.values as? ColumnValues), walk.numbers))
        try walk.run(steps: 40)
      }
    }
  }

  @Test(
    "Records are unpacked as Python unpacks them",
    arguments: [
      ("[(1, 'a'), [2, 'b'], 'xy']", "([1, 2, 'x'], ['a', 'b', 'y'])"),
      ("[(1, 2, 3)]", "ValueError: too many values to unpack (expected 2)"),
      ("[(1,)]", "ValueError: not enough values to unpack (expected 2, got 1)"),
      ("[7]", "TypeError: cannot unpack non-iterable int object"),
    ])
  func unpacking(records: String, expected: String) throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      let form = PythonForm(at: OperatorPlace(name: "window", site: "job.py:1"))
      do {
        let (keys, values) = try needed(form.split(try batch(code, records, py)))
        code.bind("keys", python(keys).list.pointer)
        code.bind("values", python(values).list.pointer)
        #expect(try code.text("(keys, values)", py) == expected)
      } catch let error as PythonError {
        #expect(error.description.hasPrefix(expected))
        #expect(error.description.contains("in operator: window at job.py:1"))
      }
    }
  }

  @Test("Text and columns become objects; Swift values have no form here")
  func otherForms() throws {
    try TestInterpreter.run { py in
      let form = PythonForm()
      #expect(try form.split(ValueBatch([1])) == nil)
      let columns = Column.tuple([.integer([1, 2]), .double([0.5, -0.0])], count: 2)
      let shown = try Shown(py)
      let (keys, values) = try needed(form.split(ColumnBatch(columns)))
      #expect(try shown("shown", keys) == ["1", "2"])
      #expect(try shown("shown", values) == ["0.5", "-0.0"])
      #expect(throws: PythonError.self) { try form.split(ColumnBatch(.integer([1]))) }
      let lists = Column.list(ListColumn(offsets: [0, 2], items: .integer([3, 4])))
      let (listKeys, _) = try needed(form.split(ColumnBatch(lists)))
      #expect(try shown("shown", listKeys) == ["3"])
      var newRows: [UInt32] = []
      #expect(
        try form.makeDirectory().numbers(of: ColumnBatch(.integer([1])), newRows: &newRows) == nil)
    }
  }

  @Test(
    "Where a key raises, nothing has changed",
    arguments: [
      ("[1, 'new', Raising('eq')]", "ValueError: no comparison"),
      ("['new', 'newer', Raising('hash')]", "ValueError: no hash"),
      ("['new', []]", "TypeError: unhashable type: 'list'"),
    ])
  func failure(keys: String, expected: String) throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        """
        class Raising:
            def __init__(self, what):
                self.what = what
            def __hash__(self):
                if self.what == "hash":
                    raise ValueError("no hash")
                return 7
            def __eq__(self, other):
                raise ValueError("no comparison")
        """, py)
      let directory = PythonForm().makeDirectory()
      var newRows: [UInt32] = []
      let numbers = try needed(
        directory.numbers(of: batch(code, "[1, 7, 'a', 'b']", py), newRows: &newRows))
      directory.remove([numbers[2], numbers[0]])
      let objects = try batch(code, keys, py)
      let counts = try (0..<3).prefix(objects.recordCount).map {
        try references(to: Py.listItem(objects.list.pointer, $0), py)
      }
      newRows = [5]
      let error = try #require(throws: PythonError.self) {
        try directory.numbers(of: objects, newRows: &newRows)
      }
      #expect(error.description.hasPrefix(expected))
      #expect(newRows == [5])
      #expect(directory.count == 2)
      #expect(directory.bound == 4)
      #expect(!Py.isExceptionSet)
      withExtendedLifetime(error) {}
      // The numbers that are free are those that were free before.
      let again = try needed(
        directory.numbers(of: batch(code, "[7, 'b', 'c', 'd', 'e']", py), newRows: &newRows))
      #expect(again == [numbers[1], numbers[3], numbers[0], numbers[2], 4])
      directory.remove(again)
      let after = try (0..<3).prefix(objects.recordCount).map {
        try references(to: Py.listItem(objects.list.pointer, $0), py)
      }
      // The last one is part of the error's traceback, perhaps.
      #expect(after.dropLast() == counts.dropLast())
    }
  }

  /// A table that is let go of where somebody wants it to be.
  private final class Table {
    let form = PythonForm()
    var directory: (any KeyDirectory)?
    var values: (any ValueArray)?

    /// Puts pairs there, several times, and gives out what is there.
    init(_ pairs: PythonBatch) throws {
      let (directory, values) = (form.makeDirectory(), form.makeValues())
      let split = try needed(form.split(pairs))
      var newRows: [UInt32] = []
      for _ in 0..<3 {
        let numbers = try needed(directory.numbers(of: split.keys, newRows: &newRows))
        try values.set(numbers, to: split.values)
        _ = try form.pairs(directory.keys(numbers), values.gathered(numbers))
      }
      self.directory = directory
      self.values = values
    }

    func end() {
      directory = nil
      values = nil
    }
  }

  @Test("References are given up: when a key goes, when a value is replaced, at the end")
  func ownership() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("key, value = object(), object()", py)
      let (key, value) = (try code.value("key", py), try code.value("value", py))
      let pairs = try batch(code, "[(key, value)]", py)
      let before = (try references(to: key.pointer, py), try references(to: value.pointer, py))
      for isCleared in [true, false] {
        let table = try Table(pairs)
        #expect(try references(to: key.pointer, py) == before.0 + 1)
        #expect(try references(to: value.pointer, py) == before.1 + 1)
        if isCleared {
          table.directory?.remove([0])
          table.values?.clear([0])
        } else {
          // By a thread that does not hold the interpreter, and does not wait for it.
          Interpreter.detach(py) { table.end() }
          Interpreter.attach { _ in }
        }
        #expect(try references(to: key.pointer, py) == before.0)
        #expect(try references(to: value.pointer, py) == before.1)
        withExtendedLifetime(table) {}
      }
    }
  }

  /// Puts pairs there that nobody else keeps.
  private func put(
    _ pairs: String, _ code: PythonCode, _ directory: any KeyDirectory, _ values: any ValueArray,
    _ py: borrowing Python
  ) throws -> [UInt32] {
    let list = PythonObject(owning: try needed(Py.newList()))
    code.bind("to", list.pointer)
    try code.run("to.extend(\(pairs)); del to", py)
    let split = try needed(PythonForm().split(PythonBatch(list)))
    var newRows: [UInt32] = []
    let numbers = try needed(directory.numbers(of: split.keys, newRows: &newRows))
    try values.set(numbers, to: split.values)
    return numbers
  }

  @Test("The end of a key or a value runs Python's code when all is in its place")
  func finalizers() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        """
        import gc
        ended = []
        class Object:
            def __init__(self, name):
                self.name = name
            def __del__(self):
                gc.collect()
                ended.append(self.name)
        """, py)
      let form = PythonForm()
      let (directory, values) = (form.makeDirectory(), form.makeValues())
      let numbers = try put(
        "[(Object(f'k{n}'), Object(f'v{n}')) for n in range(3)]", code, directory, values, py)
      try values.set(numbers, to: try batch(code, "[1, 2, 3]", py))
      #expect(try code.text("ended", py) == "['v0', 'v1', 'v2']")
      directory.remove([numbers[1]])
      values.clear([numbers[1]])
      #expect(try code.text("ended[3:]", py) == "['k1']")
      #expect(directory.count == 2)
      let again = try put("[(0, Object('v3'))]", code, directory, values, py)
      #expect(again == [numbers[1]])
      try values.set(again, to: try batch(code, "[1]", py))
      #expect(try code.text("ended[4:]", py) == "['v3']")
    }
  }

  @Test("Memory stays where keys come and go")
  func bounded() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      let directory = PythonForm().makeDirectory()
      var kept: [UInt32] = []
      for round in 0..<1000 {
        let keys = try batch(code, "range(\(round * 100), \(round * 100 + 100))", py)
        var newRows: [UInt32] = []
        let numbers = try needed(directory.numbers(of: keys, newRows: &newRows))
        #expect(newRows.count == 100)
        directory.remove(kept)
        kept = numbers
      }
      #expect(directory.bound == 200)
      #expect(directory.byteCount < 16 << 10)
    }
  }
}
