import SwiftwaterCore

extension Frame {
  func ofNumbers(_ node: Node) -> Column {
    let inputs = node.inputs.map { column($0) }
    switch node.operation {
    case .arithmetic(let operation):
      return node.inputs[0].type == .integer
        ? arithmetic(operation, integers(inputs[0]), integers(inputs[1]))
        : .double(arithmetic(operation, doubles(inputs[0]), doubles(inputs[1])))
    case .negate:
      return node.type == .double
        ? .double(transform(doubles(inputs[0]), count: count) { -$1 })
        : .integer(
          checked(integers(inputs[0])) { $0 == .min ? nil : -$0 })
    case .absolute:
      return node.type == .double
        ? .double(transform(doubles(inputs[0]), count: count) { $1.magnitude })
        : .integer(checked(integers(inputs[0])) { $0 == .min ? nil : abs($0) })
    case .invert: return .integer(transform(integers(inputs[0]), count: count) { ~$1 })
    case .integerOfBool:
      let bits = bits(inputs[0])
      return .integer(Buffer((0..<count).map { bits[$0] ? 1 : 0 }))
    case .integerOfDouble:
      return .integer(checked(doubles(inputs[0])) { PythonNumber.truncate($0) })
    case .roundDouble: return .integer(checked(doubles(inputs[0])) { PythonNumber.round($0) })
    case .integerOfText:
      return .integer(parsed(texts(inputs[0])) { PythonNumber.integer($0) })
    case .doubleOfInteger:
      return .double(transform(integers(inputs[0]), count: count) { PythonNumber.double(of: $1) })
    case .doubleOfText: return .double(parsed(texts(inputs[0])) { PythonNumber.double($0) })
    case .textOf: return .text(text(of: inputs[0]))
    case .textWithDecimals(let decimals):
      return .text(text(of: doubles(inputs[0]), decimals: decimals))
    default: preconditionFailure("not an operation on numbers")
    }
  }

  /// Values of which some are Python's to compute; those are 0 here.
  @inline(__always)
  private func checked<A, Result: AdditiveArithmetic>(
    _ operand: Operand<A>, _ body: (A) -> Result?
  ) -> Buffer<Result> {
    transform(operand, count: count) { row, value in
      if let result = body(value) { return result }
      flag(row)
      return .zero
    }
  }

  @inline(__always)
  private func checked<A, Result: AdditiveArithmetic>(
    _ a: Operand<A>, _ b: Operand<A>, _ body: (A, A) -> Result?
  ) -> Buffer<Result> {
    combine(a, b, count: count) { row, left, right in
      if let result = body(left, right) { return result }
      flag(row)
      return .zero
    }
  }

  @inline(__always)
  private func parsed<Result: AdditiveArithmetic>(
    _ column: TextColumn, _ parse: (UnsafeRawBufferPointer) -> Result?
  ) -> Buffer<Result> {
    column.withRows { rows in
      Buffer(count: count) { output in
        for row in 0..<count {
          let value = parse(rows[row])
          if value == nil { flag(row) }
          (output + row).initialize(to: value ?? .zero)
        }
      }
    }
  }

  private func arithmetic(
    _ operation: Arithmetic, _ a: Operand<Int64>, _ b: Operand<Int64>
  ) -> Column {
    switch operation {
    case .add: return .integer(overflowing(a, b) { $0.addingReportingOverflow($1) })
    case .subtract: return .integer(overflowing(a, b) { $0.subtractingReportingOverflow($1) })
    case .multiply: return .integer(overflowing(a, b) { $0.multipliedReportingOverflow(by: $1) })
    case .divide: return .double(checked(a, b) { PythonNumber.trueDivide($0, $1) })
    case .floorDivide: return .integer(checked(a, b) { PythonNumber.floorDivide($0, $1) })
    case .modulo: return .integer(checked(a, b) { PythonNumber.modulo($0, $1) })
    case .power: return .integer(checked(a, b) { PythonNumber.power($0, $1) })
    case .and: return .integer(combine(a, b, count: count) { $1 & $2 })
    case .or: return .integer(combine(a, b, count: count) { $1 | $2 })
    case .exclusiveOr: return .integer(combine(a, b, count: count) { $1 ^ $2 })
    case .shiftLeft:
      return .integer(
        checked(a, b) { value, places in
          guard (0..<63).contains(places) else { return value == 0 && places >= 0 ? 0 : nil }
          let shifted = value << places
          return shifted >> places == value ? shifted : nil
        })
    case .shiftRight:
      return .integer(checked(a, b) { $1 < 0 ? nil : $0 >> min($1, 63) })
    }
  }

  @inline(__always)
  private func overflowing(
    _ a: Operand<Int64>, _ b: Operand<Int64>,
    _ body: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
  ) -> Buffer<Int64> {
    combine(a, b, count: count) { row, left, right in
      let (value, overflow) = body(left, right)
      if overflow { flag(row) }
      return value
    }
  }

  private func arithmetic(
    _ operation: Arithmetic, _ a: Operand<Double>, _ b: Operand<Double>
  ) -> Buffer<Double> {
    switch operation {
    case .add: checked(a, b) { number($0 + $1) }
    case .subtract: checked(a, b) { number($0 - $1) }
    case .multiply: checked(a, b) { number($0 * $1) }
    case .divide: checked(a, b) { $1 == 0 ? nil : number($0 / $1) }
    case .floorDivide: checked(a, b) { PythonNumber.floorDivide($0, $1).flatMap(number) }
    case .modulo: checked(a, b) { PythonNumber.modulo($0, $1).flatMap(number) }
    default: preconditionFailure("no operation on floats: \(operation)")
    }
  }

  /// Nil for NaN: a NaN is Python's, whose dicts find it by its identity.
  @inline(__always)
  private func number(_ value: Double) -> Double? { value.isNaN ? nil : value }

  // MARK: - Text of numbers

  private func text(of column: Column) -> TextColumn {
    if case .repeated(let value, let count) = column {
      let row = Column.text(text(of: value))
      return texts(.repeated(row, count: count))
    }
    var builder = TextBuilder(rows: column.count)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { buffer in
      let start = buffer.baseAddress!
      func add(_ length: Int) {
        builder.append(UnsafeRawBufferPointer(start: start, count: length), isASCII: true)
      }
      switch column {
      case .integer(let values):
        for value in values { add(PythonNumber.write(value, to: start)) }
      case .double(let values):
        for value in values { add(PythonNumber.write(value, to: start)) }
      case .bool(let bits):
        for row in 0..<bits.count { builder.append(bits[row] ? "True" : "False") }
      case .none(let count):
        for _ in 0..<count { builder.append("None") }
      default: preconditionFailure("no text of \(column.type)")
      }
    }
    return builder.finish()
  }

  private func text(of values: Operand<Double>, decimals: Int) -> TextColumn {
    var builder = TextBuilder(rows: count)
    withUnsafeTemporaryAllocation(byteCount: 400, alignment: 8) { buffer in
      for row in 0..<count {
        let length = PythonNumber.write(
          values.values[row * values.step], decimals: decimals, to: buffer)
        if length == nil { flag(row) }
        builder.append(
          UnsafeRawBufferPointer(start: buffer.baseAddress!, count: length ?? 0), isASCII: true)
      }
    }
    return builder.finish()
  }
}

extension TextBuilder {
  /// Adds ASCII text.
  mutating func append(_ text: StaticString) {
    append(
      UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), isASCII: true)
  }
}
