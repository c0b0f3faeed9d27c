import SwiftwaterCore

/// A function of a record's columns, without types yet: what a Python function was understood as,
/// or what a Swift job asked for. Its meaning is Python's, to the last bit.
///
/// A node that occurs twice is computed once.
public final class Expression: Sendable {
  public indirect enum Kind: Sendable {
    /// An argument of the function: 0 is the record.
    case argument(Int)
    case constant(Value)
    case tuple([Expression])
    /// A list of so many items.
    case list([Expression])
    case item(Expression, Expression)
    case slice(Expression, from: Expression, to: Expression)
    /// A method of a value: its name as in Python.
    case method(String, Expression, [Expression])
    /// A builtin function: its name as in Python.
    case call(String, [Expression])
    /// `+ - * / // % ** & | ^ << >>`
    case binary(String, Expression, Expression)
    /// `- + ~ not`
    case unary(String, Expression)
    /// `< <= > >= == != in`, `not in`, `is`, `is not`
    case compare(String, Expression, Expression)
    /// The second where the first is true as Python sees it, otherwise the third.
    case conditional(Expression, Expression, Expression)
    /// A value as text: conversion (`s`, `r`, `a` or nothing) and format.
    case format(Expression, conversion: String?, spec: String)
    /// Texts put together.
    case join([Expression])
    /// An item of a value that has exactly `count`.
    case unpack(Expression, index: Int, count: Int)
  }

  public let kind: Kind
  /// Where it comes from; nil where nobody needs to know.
  public let place: SourcePlace?

  public init(_ kind: Kind, at place: SourcePlace? = nil) {
    self.kind = kind
    self.place = place
  }
}

/// A place in a Python function.
public struct SourcePlace: Sendable, Hashable {
  public let file: String
  public let line: Int
  /// The instruction of the bytecode.
  public let instruction: String

  public init(file: String, line: Int, instruction: String) {
    self.file = file
    self.line = line
    self.instruction = instruction
  }
}

/// A constant.
public indirect enum Value: Sendable, Hashable {
  case none
  case bool(Bool)
  case integer(Int64)
  case double(Double)
  case text(String)
  case tuple([Value])
  /// For `in` only.
  case set([Value])

  /// The type of a column that holds it; nil for a set.
  public var type: ColumnType? {
    switch self {
    case .none: return ColumnType.none
    case .bool: return .bool
    case .integer: return .integer
    case .double: return .double
    case .text: return .text
    case .tuple(let items):
      let types = items.compactMap(\.type)
      return types.count == items.count ? .tuple(types) : nil
    case .set: return nil
    }
  }

  /// A column with one row.
  public var column: Column {
    switch self {
    case .none, .set: .none(count: 1)
    case .bool(let value): .bool(Bitmap(repeating: value, count: 1))
    case .integer(let value): .integer([value])
    case .double(let value): .double([value])
    case .text(let value): .text(TextColumn(value))
    case .tuple(let items): .tuple(items.map(\.column), count: 1)
    }
  }
}

extension TextColumn {
  /// A column with one row.
  init(_ text: String) {
    var builder = TextBuilder()
    var text = text
    text.withUTF8 { bytes in
      let bytes = UnsafeRawBufferPointer(bytes)
      builder.append(bytes, isASCII: SwiftwaterKernels.isASCII(bytes))
    }
    self = builder.finish()
  }
}

/// Why an expression has no native form.
public struct Refusal: Error, Sendable, Hashable {
  public let place: SourcePlace?
  /// In words for the user: lower case, no full stop.
  public let reason: String

  public init(_ reason: String, at place: SourcePlace?) {
    self.reason = reason
    self.place = place
  }
}
