import SwiftwaterCore

/// Functions on records, one behind the other, over columns: what a chain of `map`, `filter` and
/// `flatMap` compiles to. Immutable; any thread may run it.
public struct Program: Sendable {
  /// How an operator applies its function.
  public enum Kind: String, Sendable {
    case map, flatMap, filter, mapValues, flatMapValues
  }

  private struct Step: Sendable {
    let kind: Kind
    let node: Node
    let nodeCount: Int
  }

  private var steps: [Step] = []
  public let inputType: ColumnType
  public private(set) var outputType: ColumnType

  /// The program without steps.
  public init(inputType: ColumnType) {
    self.inputType = inputType
    outputType = inputType
  }

  /// The number of operators in it.
  public var stepCount: Int { steps.count }

  /// This program with one more operator.
  ///
  /// - Throws: ``Refusal`` where its function has no native form for records of this type.
  public func appending(_ kind: Kind, _ function: Expression) throws -> Program {
    var program = self
    var typing: Typing
    let node: Node
    switch kind {
    case .map, .flatMap, .filter:
      typing = Typing(arguments: [outputType])
      node = try typing.node(function)
    case .mapValues, .flatMapValues:
      guard case .tuple(let items) = outputType, items.count >= 2 else {
        throw Refusal("the records are \(outputType), not pairs", at: function.place)
      }
      typing = Typing(arguments: [items[1]])
      node = try typing.node(function)
    }
    switch kind {
    case .map: program.outputType = node.type
    case .filter: break
    case .flatMap:
      guard case .list(let item) = node.type else {
        throw Refusal("it gives \(node.type), not a list", at: function.place)
      }
      program.outputType = item
    case .mapValues: program.outputType = .tuple([key, node.type])
    case .flatMapValues:
      guard case .list(let item) = node.type else {
        throw Refusal("it gives \(node.type), not a list", at: function.place)
      }
      program.outputType = .tuple([key, item])
    }
    if node.sharesList {
      throw Refusal("its result refers to one list from two places", at: function.place)
    }
    let root = kind == .filter ? typing.truth(of: node) : node
    program.steps.append(Step(kind: kind, node: root, nodeCount: typing.nodeCount))
    return program
  }

  /// The type of the records' first item, where they are pairs.
  private var key: ColumnType {
    guard case .tuple(let items) = outputType else { preconditionFailure("pairs are expected") }
    return items[0]
  }

  /// What a run gave.
  public struct Result: Sendable {
    public let column: Column
    /// The rows of the input that Python must work on; where there are any, `column` is of no use.
    public let flagged: Bitmap?
  }

  /// Runs all steps on all rows of a column of ``inputType``.
  public func run(_ input: Column) -> Result {
    let flags = Frame.Flags(count: input.count)
    var column = input
    var parent: Frame?
    var origin = Frame.Origin.same
    for step in steps {
      let argument = column
      var arguments = [argument]
      var key: Column?
      if step.kind == .mapValues || step.kind == .flatMapValues {
        let items = argument.tupleItems
        (key, arguments) = (items[0], [items[1]])
      }
      let frame = Frame(
        arguments, count: argument.count, nodeCount: step.nodeCount, parent: parent,
        origin: origin, flags: flags)
      let result = frame.column(step.node)
      parent = frame
      switch step.kind {
      case .map:
        column = result
        origin = .same
      case .mapValues:
        column = .tuple([key!, result], count: argument.count)
        origin = .same
      case .filter:
        let chosen = frame.bits(result)
        if chosen.allSet {
          origin = .same
        } else {
          let rows = chosen.indices()
          column = argument.gathered(rows)
          origin = .rows(rows)
        }
      case .flatMap:
        let lists = frame.lists(result)
        column = lists.items
        origin = .expanded(lists.offsets)
      case .flatMapValues:
        let lists = frame.lists(result)
        column = .tuple(
          [key!.gathered(lists.rowOfEachItem()), lists.items], count: lists.items.count)
        origin = .expanded(lists.offsets)
      }
    }
    return Result(column: column, flagged: flags.isEmpty ? nil : flags.rows)
  }
}

extension Column {
  /// The columns of a tuple column's items.
  public var tupleItems: [Column] {
    switch self {
    case .tuple(let items, _): items
    case .repeated(.tuple(let items, _), let count): items.map { .repeated($0, count: count) }
    default: preconditionFailure("tuples are expected, not \(type)")
    }
  }
}

extension ListColumn {
  fileprivate func rowOfEachItem() -> [UInt32] {
    var rows: [UInt32] = []
    rows.reserveCapacity(items.count)
    for row in 0..<count {
      rows.append(
        contentsOf: repeatElement(
          UInt32(truncatingIfNeeded: row), count: Int(offsets[row + 1] - offsets[row])))
    }
    return rows
  }
}

extension Node {
  /// True where the result holds the same list twice: in Python a change of one is then seen in the
  /// other.
  fileprivate var sharesList: Bool {
    var seen: Set<Int> = []
    func visit(_ node: Node) -> Bool {
      if !node.type.hasList { return false }
      if case .tuple = node.operation { return node.inputs.contains(where: visit) }
      return !seen.insert(node.id).inserted
    }
    return visit(self)
  }
}

extension ColumnType {
  fileprivate var hasList: Bool {
    switch self {
    case .list: true
    case .tuple(let items): items.contains(where: \.hasList)
    case .optional(let type): type.hasList
    default: false
    }
  }
}
