import SwiftwaterCore

/// Gives expressions their types: finds the operation for each node, or says why there is none.
///
/// A type error that Python raises for every record is a refusal too: Python raises it.
struct Typing {
  private var known: [ObjectIdentifier: Node] = [:]
  /// What has no type, and why: it is tried in several ways.
  private var refused: [ObjectIdentifier: Refusal] = [:]
  /// Expressions that were made here: so that no other one gets their identity.
  var rewritten: [Expression] = []
  private var record: Node?
  private(set) var nodeCount = 0
  /// Nodes with lower numbers belong to functions in front of this one: what they raise is found
  /// whether their values are asked for or not.
  private var firstOfFunction = 0

  /// Begins the next function.
  mutating func beginFunction() { firstOfFunction = nodeCount }

  /// What a function of one argument gives for a node's values.
  mutating func result(of function: Expression, for argument: Node) throws -> Node {
    known = [:]
    refused = [:]
    rewritten = []
    record = argument
    return try node(function)
  }

  mutating func node(_ expression: Expression) throws -> Node {
    let node = try nodeOrEmptyList(expression)
    if node.isListOfUnknownType { throw Self.emptyList(at: expression.place) }
    return node
  }

  /// A node, or a list without items of whose type nothing is known yet: for who finds it out.
  mutating func nodeOrEmptyList(_ expression: Expression) throws -> Node {
    let identity = ObjectIdentifier(expression)
    if let node = known[identity] { return node }
    if let refusal = refused[identity] { throw refusal }
    do {
      let node = try typed(expression)
      known[identity] = node
      return node
    } catch let refusal as Refusal {
      refused[identity] = refusal
      throw refusal
    }
  }

  mutating func make(_ operation: Operation, _ inputs: [Node], _ type: ColumnType) -> Node {
    defer { nodeCount += 1 }
    return Node(operation, inputs, type: type, id: nodeCount)
  }

  /// An item of a tuple; of one that an earlier function made, what it was made of.
  mutating func item(_ index: Int, of tuple: Node) -> Node {
    if case .tuple = tuple.operation, tuple.id < firstOfFunction { return tuple.inputs[index] }
    return make(.tupleItem(index), [tuple], itemType(tuple, index))
  }

  private mutating func typed(_ expression: Expression) throws -> Node {
    let place = expression.place
    switch expression.kind {
    case .argument(let index):
      guard index == 0, let record else {
        throw Refusal("it takes \(index + 1) arguments", at: place)
      }
      return record
    case .constant(let value):
      guard let type = value.type else {
        throw Refusal("it uses a set otherwise than with in", at: place)
      }
      if value.hasNaN { throw Refusal("it uses the constant nan", at: place) }
      return make(.constant(value), [], type)
    case .tuple(let items):
      let nodes = try items.map { try node($0) }
      return make(.tuple, nodes, .tuple(nodes.map(\.type)))
    case .list(let items) where items.isEmpty: return make(.emptyList, [], .list(.none))
    case .list(let items):
      return try list(of: try items.map { try node($0) }, at: place)
    case .item(let object, let index):
      return try ofParts(expression) { try $0.item(of: try $0.node(object), index, at: place) }
    case .slice(let object, let from, let to):
      return try slice(try node(object), from, to, at: place)
    case .method(let name, let object, let arguments):
      return try method(name, of: required(try node(object)), arguments, at: place)
    case .call(let name, let arguments):
      return try callOrSum(name, arguments, at: place)
    case .binary(let symbol, let a, let b):
      let (left, right) = try operands(symbol, a, b)
      return try binary(symbol, left, right, at: place)
    case .unary(let symbol, let operand):
      return try unary(symbol, try node(operand), at: place)
    case .compare(let symbol, let a, let b):
      return try comparison(symbol, a, b, at: place)
    case .conditional(let condition, let first, let second):
      return try conditional(truth(of: try node(condition)), first, second, at: place)
    case .format(let operand, let conversion, let spec):
      return try formatted(try node(operand), conversion, spec, at: place)
    case .join(let parts):
      return make(.concatenate, try parts.map { try node($0) }, .text)
    case .unpack(let object, let index, let count):
      return try ofParts(expression) {
        try $0.unpacked($0.required(try $0.node(object)), index, count, at: place)
      }
    }
  }

  // MARK: - Parts

  /// The value of an optional: rows without one are Python's.
  mutating func required(_ node: Node) -> Node {
    guard case .optional(let type) = node.type else { return node }
    return make(.required, [node], type)
  }

  mutating func widened(_ node: Node, to type: ColumnType) -> Node {
    node.type == type ? node : make(.widen, [node], type)
  }

  private mutating func list(of items: [Node], at place: SourcePlace?) throws -> Node {
    var type = items[0].type
    for item in items.dropFirst() {
      guard let union = ColumnType.union(type, item.type) else {
        throw Refusal("it makes a list of \(type) and \(item.type)", at: place)
      }
      type = union
    }
    let widened = items.map { self.widened($0, to: type) }
    return make(.list, widened, .list(type))
  }

  mutating func item(
    of object: Node, _ index: Expression, at place: SourcePlace?
  ) throws -> Node {
    let object = required(object)
    if case .tuple(let types) = object.type {
      guard case .constant(.integer(let number)) = index.kind else {
        throw Refusal("it takes an item of a tuple with a number that is not constant", at: place)
      }
      let position = number < 0 ? Int(number) + types.count : Int(number)
      guard types.indices.contains(position) else {
        throw Refusal("it takes item \(number) of a tuple of \(types.count)", at: place)
      }
      return item(position, of: object)
    }
    let index = integral(required(try node(index)))
    switch (object.type, index.type) {
    case (.list(let type), .integer): return make(.listItem, [object, index], type)
    case (.text, .integer): return make(.textItem, [object, index], .text)
    default:
      throw Refusal("it takes an item [\(index.type)] of \(object.type)", at: place)
    }
  }

  private mutating func slice(
    _ object: Node, _ from: Expression, _ to: Expression, at place: SourcePlace?
  ) throws -> Node {
    let object = required(object)
    guard object.type == .text else {
      throw Refusal("it slices \(object.type), for which there is no native form", at: place)
    }
    let bounds = [integral(try node(from)), integral(try node(to))]
    guard bounds.allSatisfy({ $0.type == .integer || $0.type == .none }) else {
      throw Refusal("it slices with other bounds than int", at: place)
    }
    return make(
      .slice(hasStart: bounds[0].type == .integer, hasEnd: bounds[1].type == .integer),
      [object] + bounds, .text)
  }

  private mutating func unpacked(
    _ object: Node, _ index: Int, _ count: Int, at place: SourcePlace?
  ) throws -> Node {
    switch object.type {
    case .tuple(let types) where types.count == count: return item(index, of: object)
    case .list(let type):
      return make(.unpack(index: index, count: count), [object], type)
    default:
      throw Refusal("it unpacks \(object.type) into \(count) variables", at: place)
    }
  }

  // MARK: - Operators

  /// A bool as the int that it is; anything else as it is.
  mutating func integral(_ node: Node) -> Node {
    node.type == .bool ? make(.integerOfBool, [node], .integer) : node
  }

  mutating func double(_ node: Node) -> Node {
    node.type == .integer ? make(.doubleOfInteger, [node], .double) : node
  }

  private mutating func binary(
    _ symbol: String, _ a: Node, _ b: Node, at place: SourcePlace?
  ) throws -> Node {
    if symbol == "+", a.type == .text, b.type == .text {
      return make(.concatenate, [a, b], .text)
    }
    if symbol == "+", let joined = joinedLists(a, b) { return joined }
    if symbol == "+", case .tuple(let left) = a.type, case .tuple(let right) = b.type {
      return make(.joinTuples, [a, b], .tuple(left + right))
    }
    guard let operation = Arithmetic(rawValue: symbol) else {
      throw Refusal("it uses the operator \(symbol)", at: place)
    }
    if a.type == .bool, b.type == .bool {
      switch operation {
      case .and: return make(.and, [a, b], .bool)
      case .or: return make(.or, [a, b], .bool)
      case .exclusiveOr: return make(.compare(.notEqual), [integral(a), integral(b)], .bool)
      default: break
      }
    }
    let (left, right) = (integral(a), integral(b))
    switch (left.type, right.type) {
    case (.integer, .integer):
      if operation == .power {
        guard case .constant(.integer(let exponent)) = right.operation, exponent >= 0 else {
          throw Refusal("it uses ** with an exponent that is not a constant from 0 on", at: place)
        }
      }
      return make(
        .arithmetic(operation), [left, right], operation == .divide ? .double : .integer)
    case (.integer, .double), (.double, .integer), (.double, .double):
      switch operation {
      case .add, .subtract, .multiply, .divide, .floorDivide, .modulo:
        return make(.arithmetic(operation), [double(left), double(right)], .double)
      default: break
      }
    default: break
    }
    throw Refusal("it uses \(a.type) \(symbol) \(b.type), which has no native form", at: place)
  }

  private mutating func unary(
    _ symbol: String, _ operand: Node, at place: SourcePlace?
  ) throws -> Node {
    if symbol == "not" { return make(.not, [truth(of: operand)], .bool) }
    let operand = integral(required(operand))
    switch (symbol, operand.type) {
    case ("-", .integer), ("-", .double): return make(.negate, [operand], operand.type)
    case ("+", .integer), ("+", .double): return operand
    case ("~", .integer): return make(.invert, [operand], .integer)
    default: throw Refusal("it uses \(symbol) on \(operand.type)", at: place)
    }
  }

  mutating func truth(of node: Node) -> Node {
    node.type == .bool ? node : make(.truth, [node], .bool)
  }

  private mutating func comparison(
    _ symbol: String, _ a: Expression, _ b: Expression, at place: SourcePlace?
  ) throws -> Node {
    switch symbol {
    case "in", "not in":
      let member = try membership(try node(a), of: b, at: place)
      return symbol == "in" ? member : make(.not, [member], .bool)
    case "is", "is not":
      guard case .constant(.none) = b.kind else {
        throw Refusal("it uses \(symbol) with something else than None", at: place)
      }
      let isNone = make(.isNone, [try node(a)], .bool)
      return symbol == "is" ? isNone : make(.not, [isNone], .bool)
    default:
      guard let comparison = Comparison(rawValue: symbol) else {
        throw Refusal("it uses the operator \(symbol)", at: place)
      }
      return try compared(comparison, try node(a), try node(b), at: place)
    }
  }

  private mutating func compared(
    _ comparison: Comparison, _ a: Node, _ b: Node, at place: SourcePlace?
  ) throws -> Node {
    if comparison.isOrdering {
      let (left, right) = (integral(required(a)), integral(required(b)))
      switch (left.type, right.type) {
      case (.integer, .integer), (.integer, .double), (.double, .integer), (.double, .double),
        (.text, .text):
        return make(.compare(comparison), [left, right], .bool)
      default:
        throw Refusal("it compares \(a.type) \(comparison.rawValue) \(b.type)", at: place)
      }
    }
    let isEqual = try equality(a, b, at: place)
    return comparison == .equal ? isEqual : make(.not, [isEqual], .bool)
  }

  /// `a == b`.
  private mutating func equality(_ a: Node, _ b: Node, at place: SourcePlace?) throws -> Node {
    switch (a.type, b.type) {
    case (.none, .none): return make(.afterInputs(.bool(true)), [a, b], .bool)
    case (.optional, .none): return make(.isNone, [a], .bool)
    case (.none, .optional): return make(.isNone, [b], .bool)
    case (.optional, .optional):
      throw Refusal("it compares two values that can be None", at: place)
    case (_, .optional): return try equality(b, a, at: place)
    case (.optional(let type), let other):
      guard type == other, isSimple(type) else {
        throw Refusal("it compares \(a.type) with \(other)", at: place)
      }
      return make(.compareOptional(.equal), [a, b], .bool)
    case (.tuple(let left), .tuple(let right)):
      guard left.count == right.count else {
        return make(.afterInputs(.bool(false)), [a, b], .bool)
      }
      var result = make(.afterInputs(.bool(true)), [a, b], .bool)
      for index in left.indices {
        let items = [a, b].map { item(index, of: $0) }
        // Identical NaNs are equal inside of tuples: Python looks at the objects.
        if items.contains(where: { $0.type == .double }) {
          throw Refusal("it compares tuples with floats in them", at: place)
        }
        result = make(.and, [result, try equality(items[0], items[1], at: place)], .bool)
      }
      return result
    case (.list, .list): throw Refusal("it compares lists", at: place)
    default: break
    }
    let (left, right) = (integral(a), integral(b))
    switch (left.type, right.type) {
    case (.integer, .integer), (.integer, .double), (.double, .integer), (.double, .double),
      (.text, .text):
      return make(.compare(.equal), [left, right], .bool)
    default:
      // Python: values of unlike types are not equal.
      return make(.afterInputs(.bool(false)), [a, b], .bool)
    }
  }

  private func itemType(_ node: Node, _ index: Int) -> ColumnType {
    guard case .tuple(let types) = node.type else { preconditionFailure("not a tuple") }
    return types[index]
  }

  private func isSimple(_ type: ColumnType) -> Bool {
    switch type {
    case .bool, .integer, .double, .text: true
    default: false
    }
  }

  private mutating func membership(
    _ item: Node, of container: Expression, at place: SourcePlace?
  ) throws -> Node {
    switch container.kind {
    case .constant(.set(let values)), .constant(.tuple(let values)):
      let item = required(item)
      guard isSimple(item.type) else {
        throw Refusal("it looks for \(item.type) in a constant", at: place)
      }
      if item.type == .double || values.contains(where: { $0.isCompound }) {
        throw Refusal("it looks for \(item.type) among such constants", at: place)
      }
      return make(.member(of: values), [integral(item)], .bool)
    default: break
    }
    let container = required(try node(container))
    let item = required(item)
    switch (item.type, container.type) {
    case (.text, .text): return make(.contains, [container, item], .bool)
    case (.text, .list(.text)), (.integer, .list(.integer)):
      return make(.listContains, [container, item], .bool)
    default:
      throw Refusal("it looks for \(item.type) in \(container.type)", at: place)
    }
  }

  // MARK: - Functions

  mutating func call(
    _ name: String, _ arguments: [Node], at place: SourcePlace?
  ) throws -> Node {
    func refusal() -> Refusal {
      let types = arguments.map(\.type.description).joined(separator: ", ")
      return Refusal("it calls \(name)(\(types)), which has no native form", at: place)
    }
    if name == "bool", arguments.count == 1 { return truth(of: arguments[0]) }
    if name == "str" || name == "repr", arguments.count == 1 {
      if name == "repr", arguments[0].type == .text { throw refusal() }
      return try text(of: arguments[0]) ?? { throw refusal() }()
    }
    let values = arguments.map { required($0) }
    switch (name, values.count) {
    case ("len", 1):
      switch values[0].type {
      case .text, .list: return make(.length, values, .integer)
      case .tuple(let items):
        return make(.afterInputs(.integer(Int64(items.count))), values, .integer)
      default: throw refusal()
      }
    case ("int", 1):
      switch values[0].type {
      case .bool, .integer: return integral(values[0])
      case .double: return make(.integerOfDouble, values, .integer)
      case .text: return make(.integerOfText, values, .integer)
      default: throw refusal()
      }
    case ("float", 1):
      switch values[0].type {
      case .bool, .integer, .double: return double(integral(values[0]))
      case .text: return make(.doubleOfText, values, .double)
      default: throw refusal()
      }
    case ("abs", 1):
      let value = integral(values[0])
      guard value.type == .integer || value.type == .double else { throw refusal() }
      return make(.absolute, [value], value.type)
    case ("round", 1):
      switch values[0].type {
      case .integer: return values[0]
      case .double: return make(.roundDouble, values, .integer)
      default: throw refusal()
      }
    case ("list", 1):
      guard case .list = values[0].type else { throw refusal() }
      return values[0]
    case ("min", 2...), ("max", 2...):
      let type = values[0].type
      guard values.allSatisfy({ $0.type == type }), [.integer, .double, .text].contains(type)
      else { throw refusal() }
      // Python keeps the first unless another one is really smaller or larger.
      return values.dropFirst().reduce(values[0]) { best, next in
        make(.choose(name == "min" ? .less : .greater), [best, next], type)
      }
    default: return try ofList(name, values) ?? { throw refusal() }()
    }
  }

  /// `str(node)`; nil where there is no native form.
  private mutating func text(of node: Node) throws -> Node? {
    switch node.type {
    case .text: node
    case .none, .bool, .integer, .double: make(.textOf, [node], .text)
    default: nil
    }
  }

  private mutating func formatted(
    _ operand: Node, _ conversion: String?, _ spec: String, at place: SourcePlace?
  ) throws -> Node {
    if spec.isEmpty {
      if conversion == nil || conversion == "s" || operand.type != .text,
        let text = try text(of: operand)
      {
        return text
      }
    } else if conversion == nil, let decimals = Self.decimals(in: spec) {
      let value = required(operand)
      if value.type == .double { return make(.textWithDecimals(decimals), [value], .text) }
    }
    let mark = conversion.map { "!\($0)" } ?? ""
    let format = spec.isEmpty ? "" : ":\(spec)"
    throw Refusal(
      "it formats \(operand.type) with {\(mark)\(format)}, which has no native form", at: place)
  }

  /// The N of a format `.Nf`.
  private static func decimals(in spec: String) -> Int? {
    guard spec.hasPrefix("."), spec.hasSuffix("f") else { return nil }
    let digits = spec.dropFirst().dropLast()
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
      let count = Int(digits), count <= 20
    else { return nil }
    return count
  }

  // MARK: - Methods

  private mutating func method(
    _ name: String, of object: Node, _ arguments: [Expression], at place: SourcePlace?
  ) throws -> Node {
    func refusal() -> Refusal {
      Refusal("it calls the method \(name) of \(object.type), which has no native form", at: place)
    }
    guard object.type == .text else { throw refusal() }
    switch (name, arguments.count) {
    case ("lower", 0): return make(.changeCase(.lower), [object], .text)
    case ("upper", 0): return make(.changeCase(.upper), [object], .text)
    case ("split", 0...2): return try split(object, arguments, at: place)
    case ("strip", 0...1), ("lstrip", 0...1), ("rstrip", 0...1):
      let ends: Ends = name == "strip" ? .both : name == "lstrip" ? .left : .right
      guard let argument = arguments.first, !isNone(argument) else {
        return make(.strip(ends, characters: nil), [object], .text)
      }
      guard case .constant(.text(let characters)) = argument.kind,
        characters.utf8.allSatisfy({ $0 < 0x80 })
      else {
        throw Refusal("it calls \(name) with other characters than constant ASCII", at: place)
      }
      return make(.strip(ends, characters: Array(characters.utf8)), [object], .text)
    case ("startswith", 1), ("endswith", 1):
      let affixes: [String]
      switch arguments[0].kind {
      case .constant(.text(let text)): affixes = [text]
      case .constant(.tuple(let items)):
        affixes = items.compactMap { if case .text(let text) = $0 { text } else { nil } }
        guard affixes.count == items.count else { throw refusal() }
      default: throw Refusal("it calls \(name) with something else than a constant", at: place)
      }
      return make(
        name == "startswith" ? .startsWith(affixes) : .endsWith(affixes), [object], .bool)
    case ("find", 1), ("count", 1):
      let needle = required(try node(arguments[0]))
      guard needle.type == .text else { throw refusal() }
      return make(name == "find" ? .find : .occurrences, [object, needle], .integer)
    case ("replace", 2):
      guard case .constant(.text(let old)) = arguments[0].kind, !old.isEmpty,
        case .constant(.text(let new)) = arguments[1].kind
      else { throw Refusal("it calls replace with other than constant texts", at: place) }
      return make(.replace(of: old, with: new), [object], .text)
    case ("join", 1):
      let list = required(try node(arguments[0]))
      guard list.type == .list(.text) else { throw refusal() }
      return make(.joinList, [object, list], .text)
    case (_, 0):
      guard let kind = CharacterKind(rawValue: name) else { throw refusal() }
      return make(.hasOnly(kind), [object], .bool)
    default: throw refusal()
    }
  }

  private mutating func split(
    _ object: Node, _ arguments: [Expression], at place: SourcePlace?
  ) throws -> Node {
    var most = Int.max
    if arguments.count == 2 {
      guard case .constant(.integer(let number)) = arguments[1].kind else {
        throw Refusal("it calls split with a maximum that is not constant", at: place)
      }
      most = number < 0 ? .max : Int(number)
    }
    guard let separator = arguments.first, !isNone(separator) else {
      return make(.splitSpace(most: most), [object], .list(.text))
    }
    let node = required(try node(separator))
    guard node.type == .text else { throw Refusal("it splits at \(node.type)", at: place) }
    return make(.split(most: most), [object, node], .list(.text))
  }

  private func isNone(_ expression: Expression) -> Bool {
    if case .constant(.none) = expression.kind { true } else { false }
  }
}

extension Value {
  /// A dict finds a NaN by its identity, which a column does not keep: there is none in columns.
  fileprivate var hasNaN: Bool {
    switch self {
    case .double(let value): value.isNaN
    case .tuple(let items), .set(let items): items.contains(where: \.hasNaN)
    default: false
    }
  }

  fileprivate var isCompound: Bool {
    switch self {
    case .tuple, .set: true
    default: false
    }
  }
}

extension Node {
  /// The numbers of the nodes that are computed for every row where this one is.
  var computedNodes: Set<Int> {
    var numbers: Set<Int> = []
    func visit(_ node: Node) {
      guard numbers.insert(node.id).inserted else { return }
      if case .conditional = node.operation { return visit(node.inputs[0]) }
      node.inputs.forEach(visit)
    }
    visit(self)
    return numbers
  }

  /// True where it flags no row that was not flagged already, and costs little.
  ///
  /// - Parameter computed: nodes whose values are there; gets those that were found to be total.
  func isTotal(behind computed: inout Set<Int>) -> Bool {
    if computed.contains(id) { return true }
    switch operation {
    case .argument, .constant, .afterInputs, .tuple, .tupleItem, .isNone, .widen, .startsWith,
      .endsWith, .compare, .compareOptional, .member, .truth, .not, .and, .or, .integerOfBool,
      .doubleOfInteger:
      for input in inputs where !input.isTotal(behind: &computed) { return false }
      computed.insert(id)
      return true
    default: return false
    }
  }
}
