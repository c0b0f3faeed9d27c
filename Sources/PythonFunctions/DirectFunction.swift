import PythonInterop
import SwiftwaterKernels

/// A small function of the user's, computed on Python's objects without a call of it: `a + b`,
/// `kv[1] > 3`, `pair is not None`, `(kv[1], kv[0])` behind or between functions that stay in Python.
///
/// Only functions that read nothing but their arguments have such a form, and it is computed only for
/// arguments of builtin types, exactly: what it does there no code of the program can notice. For
/// everything else, errors too, the function itself is called.
///
/// Now and then it asks for a call all the same: there Python looks for signals, and for threads that
/// wait for the interpreter.
///
/// SAFETY: used by threads that hold the interpreter. References on the stack are owned.
package final class DirectFunction: @unchecked Sendable {
  // SAFETY (@unchecked Sendable): the code does not change after `init`, and who counts holds the
  // interpreter.
  private struct Instruction {
    enum Operation {
      case argument
      /// The operand is a number.
      case constant
      case item
      case unpack(Int)
      case tuple
      case isSame
      case isOther
      case binary(Py.Arithmetic)
      case compare(Py.Comparison)
      case contains
      case containsNot
      case not
      case negate
      /// The operand is where it goes on.
      case jump
      case jumpUnless
      /// Goes on there with the value where it is true, or false; without it otherwise.
      case keepIfTrue
      case keepIfFalse
    }

    let operation: Operation
    var operand = 0
    var constant: PyPointer?
  }

  private static let mostInstructions = 32
  private static let deepest = 8
  /// Values between two calls.
  private static let callEvery = 1 << 14

  private let code: UnsafeMutablePointer<Instruction>
  private let count: Int
  /// Keeps those of the code.
  private let constants: [PythonObject]
  private var untilCall = callEvery

  /// Nil for an expression with other parts.
  init?(_ expression: Expression, _ py: borrowing Python) {
    var compiler = Compiler()
    let isUnderstood = compiler.add(expression, py)
    guard isUnderstood, compiler.code.count <= Self.mostInstructions else { return nil }
    constants = compiler.constants
    count = compiler.code.count
    code = .allocate(capacity: count)
    code.initialize(from: compiler.code, count: count)
  }

  deinit { code.deallocate() }

  /// The value for one argument; nil, and no exception, where the function has to be called.
  @inlinable @inline(__always)
  package func value(_ argument: PyPointer) -> PyPointer? { value(argument, argument) }

  /// The value for two arguments; nil, and no exception, where the function has to be called.
  package func value(_ first: PyPointer, _ second: PyPointer) -> PyPointer? {
    untilCall -= 1
    if untilCall == 0 {
      untilCall = Self.callEvery
      return nil
    }
    return withUnsafeTemporaryAllocation(of: PyPointer.self, capacity: Self.deepest) { memory in
      var stack = Stack(memory.baseAddress!)
      if run(first, second, &stack) { return stack.pop() }
      while stack.count > 0 { Py.release(stack.pop()) }
      return nil
    }
  }

  private struct Stack {
    let memory: UnsafeMutablePointer<PyPointer>
    var count = 0

    @inline(__always)
    init(_ memory: UnsafeMutablePointer<PyPointer>) { self.memory = memory }

    @inline(__always)
    mutating func push(_ object: PyPointer) {
      memory[count] = object
      count += 1
    }

    @inline(__always)
    mutating func pop() -> PyPointer {
      count -= 1
      return memory[count]
    }

    @inline(__always)
    var top: PyPointer { memory[count - 1] }

    @inline(__always)
    var second: PyPointer { memory[count - 2] }

    /// Takes over `object`.
    @inline(__always)
    mutating func replace(_ number: Int, by object: PyPointer) {
      for _ in 0..<number { Py.release(pop()) }
      push(object)
    }
  }

  /// False where the function has to be called.
  private func run(_ first: PyPointer, _ second: PyPointer, _ stack: inout Stack) -> Bool {
    var index = 0
    while index < count {
      let instruction = code[index]
      index += 1
      switch instruction.operation {
      case .argument:
        let argument = instruction.operand == 0 ? first : second
        Py.retain(argument)
        stack.push(argument)
      case .constant:
        let constant = instruction.constant!
        Py.retain(constant)
        stack.push(constant)
      case .item:
        guard let item = Self.item(stack.top, instruction.operand) else { return false }
        stack.replace(1, by: item)
      case .unpack(let length):
        guard Py.isExactTuple(stack.top), Py.tupleCount(stack.top) == length else { return false }
        let item = Py.tupleItem(stack.top, instruction.operand)
        Py.retain(item)
        stack.replace(1, by: item)
      case .tuple:
        let length = instruction.operand
        guard let tuple = Py.newTuple(count: length) else { return Self.cleared() }
        for place in (0..<length).reversed() { Py.setItem(stack.pop(), of: tuple, at: place) }
        stack.push(tuple)
      case .isSame: stack.replace(2, by: Py.bool(stack.second == stack.top))
      case .isOther: stack.replace(2, by: Py.bool(stack.second != stack.top))
      case .binary(let operation):
        guard Self.areNumbers(stack.second, stack.top) || operation == .add && areSequences(stack)
        else { return false }
        guard let result = Py.compute(operation, stack.second, stack.top) else {
          return Self.cleared()
        }
        stack.replace(2, by: result)
      case .compare(let comparison):
        guard Self.areNumbers(stack.second, stack.top) || areTexts(stack) else { return false }
        guard let result = Py.compare(stack.second, comparison, stack.top) else {
          return Self.cleared()
        }
        stack.replace(2, by: result)
      case .contains, .containsNot:
        guard areTexts(stack) else { return false }
        let answer = Py.contains(stack.top, stack.second)
        if answer < 0 { return Self.cleared() }
        let wanted: Int32 = if case .contains = instruction.operation { 1 } else { 0 }
        stack.replace(2, by: Py.bool(answer == wanted))
      case .not:
        guard let truth = Self.truth(stack.top) else { return false }
        stack.replace(1, by: Py.bool(!truth))
      case .negate:
        guard Self.isNumber(stack.top) else { return false }
        guard let result = Py.negative(stack.top) else { return Self.cleared() }
        stack.replace(1, by: result)
      case .jump: index = instruction.operand
      case .jumpUnless:
        guard let truth = Self.truth(stack.top) else { return false }
        Py.release(stack.pop())
        if !truth { index = instruction.operand }
      case .keepIfTrue, .keepIfFalse:
        guard let truth = Self.truth(stack.top) else { return false }
        let keptWhen = if case .keepIfTrue = instruction.operation { true } else { false }
        if truth == keptWhen { index = instruction.operand } else { Py.release(stack.pop()) }
      }
    }
    return true
  }

  /// Whatever was raised, the function itself raises it again.
  private static func cleared() -> Bool {
    Py.clearException()
    return false
  }

  @inline(__always)
  private static func isNumber(_ object: PyPointer) -> Bool {
    Py.isExactInteger(object) || Py.isExactDouble(object)
  }

  @inline(__always)
  private static func areNumbers(_ a: PyPointer, _ b: PyPointer) -> Bool {
    isNumber(a) && isNumber(b)
  }

  @inline(__always)
  private func areTexts(_ stack: Stack) -> Bool {
    Py.isExactText(stack.second) && Py.isExactText(stack.top)
  }

  /// Two that can be put together.
  private func areSequences(_ stack: Stack) -> Bool {
    areTexts(stack)
      || Py.isExactTuple(stack.second) && Py.isExactTuple(stack.top)
      || Py.isExactList(stack.second) && Py.isExactList(stack.top)
  }

  /// `object[index]`, new; nil for what is no tuple or list, or too short.
  @inline(__always)
  private static func item(_ object: PyPointer, _ index: Int) -> PyPointer? {
    let isTuple = Py.isExactTuple(object)
    guard isTuple || Py.isExactList(object) else { return nil }
    let count = isTuple ? Py.tupleCount(object) : Py.listCount(object)
    let place = index < 0 ? index + count : index
    guard place >= 0, place < count else { return nil }
    let item = isTuple ? Py.tupleItem(object, place) : Py.listItem(object, place)
    Py.retain(item)
    return item
  }

  /// Nil for objects whose truth could be a matter of code.
  @inline(__always)
  private static func truth(_ object: PyPointer) -> Bool? {
    guard
      Py.isExactBool(object) || Py.isNone(object) || isNumber(object) || Py.isExactText(object)
        || Py.isExactTuple(object) || Py.isExactList(object)
    else { return nil }
    return Py.truth(object) == 1
  }

  // MARK: - Compiling

  private struct Compiler {
    var code: [Instruction] = []
    var constants: [PythonObject] = []
    private var depth = 0
    private var seen: Set<ObjectIdentifier> = []

    /// False for what has no such form. Its value lies on the stack afterwards.
    mutating func add(_ expression: Expression, _ py: borrowing Python) -> Bool {
      guard code.count <= DirectFunction.mostInstructions else { return false }
      // What a function makes once and uses twice is one object.
      if Self.makesObject(expression), !seen.insert(ObjectIdentifier(expression)).inserted {
        return false
      }
      switch expression.kind {
      case .argument(let number): return emit(.argument, number)
      case .constant(let value):
        guard let constant = Self.constant(value, py) else { return false }
        constants.append(PythonObject(owning: constant))
        return emit(.constant, constant: constant)
      case .item(let object, let index):
        guard case .constant(.integer(let number)) = index.kind, add(object, py) else {
          return false
        }
        return emit(.item, Int(number), takes: 1)
      case .unpack(let object, let index, let count):
        return add(object, py) && emit(.unpack(count), index, takes: 1)
      case .tuple(let items):
        for item in items where !add(item, py) { return false }
        return emit(.tuple, items.count, takes: items.count)
      case .unary(let symbol, let operand):
        switch symbol {
        case "not": return add(operand, py) && emit(.not, takes: 1)
        case "-": return add(operand, py) && emit(.negate, takes: 1)
        default: return false
        }
      case .binary(let symbol, let a, let b):
        guard let operation = Py.Arithmetic(rawValue: symbol) else { return false }
        return add(a, py) && add(b, py) && emit(.binary(operation), takes: 2)
      case .compare(let symbol, let a, let b):
        guard let operation = Self.comparison(symbol, a, b) else { return false }
        return add(a, py) && add(b, py) && emit(operation, takes: 2)
      case .conditional(let condition, let yes, let no):
        return addConditional(condition, yes, no, py)
      case .list, .slice, .method, .call, .format, .join: return false
      }
    }

    private mutating func addConditional(
      _ condition: Expression, _ yes: Expression, _ no: Expression, _ py: borrowing Python
    ) -> Bool {
      guard add(condition, py) else { return false }
      let choice = code.count
      // `or`, `and`.
      if condition === yes || condition === no {
        let rest = condition === yes ? no : yes
        guard emit(condition === yes ? .keepIfTrue : .keepIfFalse, takes: 1, gives: 0),
          add(rest, py)
        else { return false }
        code[choice].operand = code.count
        return true
      }
      guard emit(.jumpUnless, takes: 1, gives: 0), add(yes, py) else { return false }
      let end = code.count
      guard emit(.jump, gives: 0) else { return false }
      code[choice].operand = code.count
      depth -= 1
      guard add(no, py) else { return false }
      code[end].operand = code.count
      return true
    }

    private static func comparison(
      _ symbol: String, _ a: Expression, _ b: Expression
    ) -> Instruction.Operation? {
      switch symbol {
      case "is", "is not":
        guard isPart(a), isPart(b) else { return nil }
        return symbol == "is" ? .isSame : .isOther
      case "in": return .contains
      case "not in": return .containsNot
      default: return Py.Comparison(rawValue: symbol).map { .compare($0) }
      }
    }

    /// Whether it is an object that the function finds, and does not make.
    private static func isPart(_ expression: Expression) -> Bool {
      switch expression.kind {
      case .argument, .constant(.none), .constant(.bool): true
      case .item(let object, _), .unpack(let object, _, _): isPart(object)
      default: false
      }
    }

    private static func makesObject(_ expression: Expression) -> Bool {
      switch expression.kind {
      case .tuple, .binary, .conditional: true
      case .unary(let symbol, _): symbol != "not"
      default: false
      }
    }

    private static func constant(_ value: Value, _ py: borrowing Python) -> PyPointer? {
      switch value {
      case .none: Py.none()
      case .bool(let value): Py.bool(value)
      case .integer(let value): Py.newInteger(value)
      case .double(let value): Py.newDouble(value)
      case .text(let value): py.newText(value)
      default: nil
      }
    }

    private mutating func emit(
      _ operation: Instruction.Operation, _ operand: Int = 0, takes: Int = 0, gives: Int = 1,
      constant: PyPointer? = nil
    ) -> Bool {
      code.append(Instruction(operation: operation, operand: operand, constant: constant))
      depth += gives - takes
      return depth <= DirectFunction.deepest
    }
  }
}
