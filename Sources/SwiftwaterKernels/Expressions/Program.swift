import SwiftwaterCore

/// Functions on records, one behind the other, over columns: what a chain of `map`, `filter` and
/// `flatMap` compiles to. Immutable; any thread may run it.
public struct Program: Sendable {
  /// How an operator applies its function.
  public enum Kind: String, Sendable {
    case map, flatMap, filter, mapValues, flatMapValues
  }

  /// Functions up to one that makes several records of one: they share what they compute, and what
  /// nobody asks for is not computed.
  fileprivate struct Segment: Sendable {
    enum Action: Sendable {
      /// A function whose result may not be asked for: what it raises must be found.
      case compute(Node)
      case filter(Node)
    }
    enum End: Sendable {
      case records(Node)
      case items(Node)
      case pairs(key: Node, items: Node)

      var nodes: [Node] {
        switch self {
        case .records(let node), .items(let node): [node]
        case .pairs(let key, let items): [key, items]
        }
      }
    }

    var typing = Typing()
    var actions: [Action] = []
    var end: End
    /// By the number of a node that splits texts: which parts are asked for, where not all are.
    var fields: [Int: WantedFields] = [:]

    init(_ type: ColumnType) {
      end = .records(typing.make(.argument(0), [], type))
    }
  }

  private var segments: [Segment]
  /// The number of operators in it.
  public private(set) var stepCount = 0
  public let inputType: ColumnType
  public private(set) var outputType: ColumnType

  /// The program without steps.
  public init(inputType: ColumnType) {
    self.inputType = inputType
    outputType = inputType
    segments = [Segment(inputType)]
  }

  /// This program with one more operator.
  ///
  /// - Throws: ``Refusal`` where its function has no native form for records of this type.
  public func appending(_ kind: Kind, _ function: Expression) throws -> Program {
    var program = self
    try program.append(kind, function)
    program.finish()
    return program
  }

  /// The program of the first of some functions, as many as have a native form, and why the next one
  /// has none; nil where all have.
  public static func longest(
    inputType: ColumnType, _ steps: [(kind: Kind, function: Expression)]
  ) -> (program: Program, refusal: Refusal?) {
    var program = Program(inputType: inputType)
    for (index, step) in steps.enumerated() {
      do {
        try program.append(step.kind, step.function)
      } catch let refusal as Refusal {
        // What was refused has left its beginnings: the ones before it are put together again.
        return (longest(inputType: inputType, Array(steps[..<index])).program, refusal)
      } catch {
        preconditionFailure("typing throws refusals only")
      }
    }
    program.finish()
    return (program, nil)
  }

  /// Finds out which parts of texts are asked for, once all functions are there.
  private mutating func finish() {
    for index in segments.indices { segments[index].fields = segments[index].wantedFields() }
  }

  private mutating func append(_ kind: Kind, _ function: Expression) throws {
    if case .records = segments[segments.count - 1].end {
    } else {
      segments.append(Segment(outputType))
    }
    var segment = segments.removeLast()
    guard case .records(let record) = segment.end else { preconditionFailure("a segment is open") }
    var (argument, key) = (record, Node?.none)
    segment.typing.beginFunction()
    if kind == .mapValues || kind == .flatMapValues {
      guard case .tuple(let items) = outputType, items.count >= 2 else {
        throw Refusal("the records are \(outputType), not pairs", at: function.place)
      }
      key = segment.typing.item(0, of: record)
      argument = segment.typing.item(1, of: record)
    }
    let node = try segment.typing.result(of: function, for: argument)
    if node.sharesList {
      throw Refusal("its result refers to one list from two places", at: function.place)
    }
    switch kind {
    case .map, .mapValues:
      segment.actions.append(.compute(node))
      let result =
        key.map { segment.typing.make(.tuple, [$0, node], .tuple([$0.type, node.type])) } ?? node
      segment.end = .records(result)
      outputType = result.type
    case .filter:
      for condition in segment.typing.truth(of: node).conjuncts {
        segment.actions.append(.filter(segment.typing.truth(of: condition)))
      }
    case .flatMap, .flatMapValues:
      guard case .list(let item) = node.type else {
        throw Refusal("it gives \(node.type), not a list", at: function.place)
      }
      if let key, key.type.hasList {
        throw Refusal("the pairs of a record would share a list in their key", at: function.place)
      }
      segment.end = key.map { .pairs(key: $0, items: node) } ?? .items(node)
      outputType = key.map { .tuple([$0.type, item]) } ?? item
    }
    segments.append(segment)
    stepCount += 1
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
    for segment in segments {
      var frame = Frame(
        column, nodeCount: segment.typing.nodeCount, fields: segment.fields,
        parent: parent, origin: origin, flags: flags)
      for action in segment.actions {
        switch action {
        case .compute(let node): frame.touch(node)
        case .filter(let node):
          let chosen = frame.bits(frame.column(node))
          if !chosen.allSet { frame = frame.branch(chosen.indices()) }
        }
      }
      parent = frame
      switch segment.end {
      case .records(let node): column = frame.column(node)
      case .items(let node):
        let lists = frame.lists(frame.column(node))
        column = lists.items
        origin = .expanded(lists.offsets)
      case .pairs(let key, let items):
        let lists = frame.lists(frame.column(items))
        let keys = frame.column(key).gathered(lists.rowOfEachItem())
        column = .tuple([keys, lists.items], count: lists.items.count)
        origin = .expanded(lists.offsets)
      }
    }
    return Result(column: column, flagged: flags.isEmpty ? nil : flags.rows)
  }
}

extension Program.Segment {
  /// For each node that splits texts, which parts are asked for, where all who use it ask for parts
  /// with constant numbers.
  fileprivate func wantedFields() -> [Int: WantedFields] {
    var fields: [Int: WantedFields] = [:]
    var whole: Set<Int> = []
    var seen: Set<Int> = []
    /// - Parameter part: the number of the part that is asked for; nil for all.
    func use(_ node: Node, part: Int? = nil) {
      if case .split(most: .max) = node.operation {
        if let part {
          fields[node.id, default: WantedFields()].insert(part)
        } else {
          whole.insert(node.id)
        }
      }
      guard seen.insert(node.id).inserted else { return }
      if case .listItem = node.operation,
        case .constant(.integer(let number)) = node.inputs[1].operation, number >= 0,
        number < WantedFields.most
      {
        return use(node.inputs[0], part: Int(number))
      }
      for input in node.inputs { use(input) }
    }
    func touch(_ node: Node) {
      if node.neverFlags { return }
      if case .tuple = node.operation { node.inputs.forEach(touch) } else { use(node) }
    }
    for action in actions {
      switch action {
      case .compute(let node): touch(node)
      case .filter(let node): use(node)
      }
    }
    for node in end.nodes { use(node) }
    return fields.filter { !whole.contains($0.key) }
  }
}

extension Column {
  /// The columns of a tuple column's items.
  public var tupleItems: [Column] {
    switch self {
    case .tuple(let items, _): items
    case .repeated(let row, let count): row.tupleItems.map { .repeated($0, count: count) }
    default: preconditionFailure("tuples are expected, not \(type)")
    }
  }
}

extension ListColumn {
  fileprivate func rowOfEachItem() -> [UInt32] {
    var rows: [UInt32] = []
    rows.reserveCapacity(items.count)
    offsets.withUnsafeBufferPointer { offsets in
      for row in 0..<count {
        rows.append(
          contentsOf: repeatElement(
            UInt32(truncatingIfNeeded: row), count: Int(offsets[row + 1] - offsets[row])))
      }
    }
    return rows
  }
}

extension Node {
  /// The conditions that hold one after the other where this one holds: `a and b` keeps the rows of
  /// `a`, and of those the rows of `b`.
  fileprivate var conjuncts: [Node] {
    if case .truth = operation { return inputs[0].type == .bool ? inputs[0].conjuncts : [self] }
    guard case .conditional = operation, inputs[2] === inputs[0] else { return [self] }
    return inputs[0].conjuncts + inputs[1].conjuncts
  }

  /// True where the result could hold the same list twice: in Python a change of one is then seen in
  /// the other.
  fileprivate var sharesList: Bool {
    var seen: Set<Int> = []
    func visit(_ node: Node) -> Bool {
      if !node.type.hasList { return false }
      switch node.operation {
      case .tuple, .joinTuples, .list: return node.inputs.contains(where: visit)
      case .joinLists:
        // The list is new, what is in it is not.
        if !seen.insert(node.id).inserted { return true }
        guard case .list(let item) = node.type, item.hasList else { return false }
        return node.inputs.contains(where: visit)
      case .conditional:
        // A row has only one of the sides.
        let before = seen
        let first = visit(node.inputs[1])
        let ofFirst = seen
        seen = before
        let second = visit(node.inputs[2])
        seen.formUnion(ofFirst)
        return first || second
      case .widen, .required: return visit(node.inputs[0])
      case .tupleItem(let index):
        if case .tuple = node.inputs[0].operation { return visit(node.inputs[0].inputs[index]) }
        return !seen.insert(node.id).inserted
      default: return !seen.insert(node.id).inserted
      }
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
