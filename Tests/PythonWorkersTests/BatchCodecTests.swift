import PythonFunctions
import PythonInterop
import PythonTesting
import SwiftwaterCore
import SwiftwaterKernels
import Testing

@testable import PythonWorkers

@Suite struct BatchCodecTests {
  private struct Sent {
    let form: Int
    let count: Int
    let bytes: [UInt8]
  }

  private func sent(_ batch: any RecordBatch, _ pickling: Pickling) throws -> [Sent] {
    try BatchCodec.encode(batch, with: pickling).map { part in
      var bytes = [UInt8](repeating: 0, count: part.byteCount)
      bytes.withUnsafeMutableBytes { if let start = $0.baseAddress { part.write(start) } }
      return Sent(form: part.form.rawValue, count: part.count, bytes: bytes)
    }
  }

  private func received(_ sent: Sent, _ pickling: Pickling) throws -> any RecordBatch {
    try sent.bytes.withUnsafeBytes {
      try BatchCodec.decode($0, form: sent.form, count: sent.count, with: pickling)
    }
  }

  @Test(
    "Lists come back, as columns where they have a type",
    arguments: [
      ("range(10)", BatchCodec.Form.column), ("['a', 'é', '']", .column),
      ("[('a', 1)] * 3", .column), ("[1, 'a', [2]]", .pickle), ("[{'a': 1}]", .pickle),
      ("[2**100]", .pickle), ("[float('nan')] * 0 + [b'x']", .pickle),
    ])
  func lists(expression: String, form: BatchCodec.Form) throws {
    try TestInterpreter.run { py in
      let (code, pickling) = (try PythonCode(py), try Pickling(py))
      for batch in try code.batches(expression, of: 100, py) {
        let parts = try sent(batch, pickling)
        #expect(parts.map(\.form) == [form.rawValue])
        let found = try records(of: ArrayCursor(try parts.map { try received($0, pickling) }), py)
        #expect(
          try code.holds("same(list(\(expression)), a)", where: ["a": found.pointer], py))
      }
    }
  }

  @Test("Text comes back line by line, and many records in several parts")
  func text() throws {
    try TestInterpreter.run { py in
      let (code, pickling) = (try PythonCode(py), try Pickling(py))
      var assembler = LineAssembler(blockSize: 1 << 20, maxLineLength: 1 << 20)
      Array("to be\n\né\n".utf8).withUnsafeBytes { assembler.append($0) }
      let parts = try sent(assembler.takeBlock()!, pickling)
      #expect(parts.map(\.form) == [BatchCodec.Form.text.rawValue])
      let found = try records(of: ArrayCursor([try received(parts[0], pickling)]), py)
      #expect(try code.holds("same(['to be', '', 'é'], a)", where: ["a": found.pointer], py))

      let many = try code.batches("[[n] for n in range(20000)]", of: 20000, py)
      let pieces = try sent(many[0], pickling)
      #expect(pieces.count == 3 && pieces.map(\.count).reduce(0, +) == 20000)
      let all = try records(of: ArrayCursor(try pieces.map { try received($0, pickling) }), py)
      #expect(try code.holds("a == [[n] for n in range(20000)]", where: ["a": all.pointer], py))
    }
  }

  @Test("What is cut off, changed or counted wrongly is refused, or is some batch of that length")
  func forged() throws {
    try TestInterpreter.run { py in
      let (code, pickling) = (try PythonCode(py), try Pickling(py))
      var assembler = LineAssembler(blockSize: 1 << 20, maxLineLength: 1 << 20)
      Array("to be\nor not\n".utf8).withUnsafeBytes { assembler.append($0) }
      let text: any RecordBatch = assembler.takeBlock()!
      var literals = RandomLiteral()
      for batch in [text] + (try code.batches("[('ab', 1, None), ('é', 2, 2.5)]", of: 2, py)) {
        let whole = try sent(batch, pickling)[0]
        for length in 0..<whole.bytes.count {
          let cut = Sent(
            form: whole.form, count: whole.count, bytes: Array(whole.bytes[..<length]))
          #expect(throws: (any Error).self, "\(length) bytes") { try received(cut, pickling) }
        }
        #expect(throws: EngineError.self) {
          try received(
            Sent(form: whole.form, count: whole.count + 1, bytes: whole.bytes), pickling)
        }
        for _ in 0..<300 {
          var bytes = whole.bytes
          bytes[literals.number(0...(bytes.count - 1))] = UInt8(literals.number(0...255))
          let forged = Sent(form: whole.form, count: whole.count, bytes: bytes)
          // What is no UTF-8 shows when it becomes an object.
          if let batch = try? received(forged, pickling),
            let found = try? records(of: ArrayCursor([batch]), py)
          {
            #expect(Py.listCount(found.pointer) == whole.count, "seed \(literals.random.seed)")
          }
        }
      }
      #expect(throws: EngineError.self) {
        try received(Sent(form: 9, count: 0, bytes: []), pickling)
      }
    }
  }

  @Test("Records that cannot be pickled, or be read again, stay in the driver")
  func refused() throws {
    try TestInterpreter.run { py in
      let (code, pickling) = (try PythonCode(py), try Pickling(py))
      let batch = try code.batches("[__import__('threading').Lock()]", of: 1, py)[0]
      #expect(throws: CannotMove.self) { try BatchCodec.encode(batch, with: pickling) }
      #expect(throws: CannotMove.self) {
        try received(
          Sent(form: BatchCodec.Form.pickle.rawValue, count: 1, bytes: [1, 2, 3]), pickling)
      }
    }
  }
}
