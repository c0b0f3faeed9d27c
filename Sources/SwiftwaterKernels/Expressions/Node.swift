import SwiftwaterCore

/// An expression whose types are known: an operation on the columns of its inputs.
final class Node: Sendable {
  let operation: Operation
  let inputs: [Node]
  let type: ColumnType
  /// Its place in a frame's memory of what is computed.
  let id: Int
  /// True where it flags no row, whatever the arguments are: it may be left out where nobody looks
  /// at its value.
  let neverFlags: Bool

  init(_ operation: Operation, _ inputs: [Node], type: ColumnType, id: Int) {
    self.operation = operation
    self.inputs = inputs
    self.type = type
    self.id = id
    neverFlags = operation.neverFlags(inputs) && inputs.allSatisfy(\.neverFlags)
  }
}

extension Operation {
  fileprivate func neverFlags(_ inputs: [Node]) -> Bool {
    switch self {
    case .argument, .constant, .afterInputs, .tuple, .list, .emptyList, .joinLists, .withoutFirst,
      .tupleItem, .joinTuples, .isNone,
      .widen, .length, .splitSpace, .strip, .startsWith, .endsWith, .find, .contains,
      .occurrences, .negate, .invert, .integerOfBool, .doubleOfInteger, .textOf, .compare,
      .compareOptional, .member, .listContains, .truth, .not, .and, .or, .conditional, .choose:
      // The least integer has no opposite of 64 bits.
      if case .negate = self { inputs[0].type == .double } else { true }
    case .split:
      if case .constant(.text(let separator)) = inputs[1].operation {
        !separator.isEmpty
      } else {
        false
      }
    default: false
    }
  }
}

/// What a node does. Where Python's result on a row could differ, the row is flagged.
enum Operation: Sendable {
  case argument(Int)
  case constant(Value)
  /// A constant; the inputs are computed for the rows on which they raise.
  case afterInputs(Value)

  // Values of several parts.
  case tuple
  case list
  case tupleItem(Int)
  /// Lists without items, of the type's.
  case emptyList
  /// The items of one list behind those of another.
  case joinLists
  /// A list without as many of its first items as a number says.
  case withoutFirst
  case listItem
  /// Numbers added up from a first one on, as `sum` does; rows without any are Python's where the
  /// first can be an int and the others are floats.
  case sumOfList(isFromInteger: Bool)
  /// The first item that no other one compares so with.
  case extremeOfList(Comparison)
  /// An item of a list that must have exactly so many.
  case unpack(index: Int, count: Int)
  case joinTuples

  // Nothing.
  case isNone
  /// The value of an optional; flags rows without one.
  case required
  case widen

  // Text.
  case length
  case splitSpace(most: Int)
  case split(most: Int)
  case strip(Ends, characters: [UInt8]?)
  case changeCase(CaseChange)
  case startsWith([String])
  case endsWith([String])
  case find
  case contains
  case occurrences
  case replace(of: String, with: String)
  case hasOnly(CharacterKind)
  case concatenate
  /// Items of a list of text, the second input, with the first between them.
  case joinList
  case textItem
  case slice(hasStart: Bool, hasEnd: Bool)

  // Numbers.
  case arithmetic(Arithmetic)
  case negate
  case absolute
  case invert
  case integerOfBool
  case integerOfDouble
  case integerOfText
  case roundDouble
  case doubleOfInteger
  case doubleOfText
  case textOf
  case textWithDecimals(Int)

  // Conditions.
  case compare(Comparison)
  /// As `compare`, of an optional first input with the second.
  case compareOptional(Comparison)
  case member(of: [Value])
  case listContains
  case truth
  case not
  case and
  case or
  case conditional
  /// The second where it compares so with the first, otherwise the first.
  case choose(Comparison)
}

enum Ends: Sendable {
  case both, left, right
}

enum CaseChange: Sendable {
  case lower, upper
}

enum CharacterKind: String, Sendable {
  case digits = "isdigit"
  case letters = "isalpha"
  case lettersAndDigits = "isalnum"
  case spaces = "isspace"
  case upper = "isupper"
  case lower = "islower"
}

enum Arithmetic: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case modulo = "%"
  case power = "**"
  case and = "&"
  case or = "|"
  case exclusiveOr = "^"
  case shiftLeft = "<<"
  case shiftRight = ">>"
}

enum Comparison: String, Sendable {
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case equal = "=="
  case notEqual = "!="

  var isOrdering: Bool { self != .equal && self != .notEqual }

  /// What holds of (b, a) where this holds of (a, b).
  var mirrored: Comparison {
    switch self {
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    case .equal, .notEqual: self
    }
  }
}
