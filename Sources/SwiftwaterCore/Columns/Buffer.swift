/// Values one behind the other in memory, and the object that the memory lives as long as.
///
/// What lies under a column. A copy, and a slice, shares the memory; where the last of them goes, the
/// owner goes, and with it the memory: it is freed, goes back into stock, or its maker's release
/// function is called. Memory that the engine allocates for it is aligned to 64 bytes and has
/// ``TextBlock/padding`` readable bytes behind it, of memory that it adopts nothing is known but that
/// the values are aligned. Immutable but through its only user.
@frozen
public struct Buffer<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  // SAFETY (@unchecked Sendable): the memory is written before the buffer is there, and later only
  // while its owner has no other user.

  /// The first value. Valid while the buffer lives.
  public let base: UnsafePointer<Element>
  public let count: Int
  @usableFromInline var owner: AnyObject

  /// - Parameter owner: what the memory lives as long as.
  @inlinable @inline(__always)
  init(base: UnsafePointer<Element>, count: Int, owner: AnyObject) {
    self.base = base
    self.count = count
    self.owner = owner
  }

  /// New memory that a function fills, as that of an array.
  ///
  /// - Parameter initialize: gets the memory, and sets how many values it has written from the first
  ///   one on.
  @inlinable @inline(__always)
  public init(
    unsafeUninitializedCapacity capacity: Int,
    initializingWith initialize: (
      _ values: inout UnsafeMutableBufferPointer<Element>, _ used: inout Int
    ) throws -> Void
  ) rethrows {
    let (memory, owner) = OwnMemory.allocate(
      byteCount: capacity * MemoryLayout<Element>.stride)
    // SAFETY: the memory is new, as large as that, and aligned for any element.
    let first = memory.bindMemory(to: Element.self, capacity: capacity)
    var values = UnsafeMutableBufferPointer(start: first, count: capacity)
    var used = 0
    // The owner lives until it is stored below, or this throws.
    try initialize(&values, &used)
    precondition(used <= capacity)
    // What lies behind is not left to chance: the memory may be lent to others.
    UnsafeMutableRawPointer(first + used).initializeMemory(
      as: UInt8.self, repeating: 0, count: TextBlock.padding)
    self.init(base: UnsafePointer(first), count: used, owner: owner)
  }

  /// The values of an array, where they are: nothing is copied.
  @inlinable
  public init(_ array: [Element]) {
    let base = array.withUnsafeBufferPointer { $0.baseAddress }
    guard let base, !array.isEmpty else {
      self.init(unsafeUninitializedCapacity: 0) { _, _ in }
      return
    }
    // SAFETY: the values of an array are one piece of memory that does not move or change while a
    // copy of the array is held.
    self.init(adopting: base, count: array.count) { withExtendedLifetime(array) {} }
  }

  /// Memory that somebody else has made. Nothing is copied, unless the address is none for such
  /// values.
  ///
  /// SAFETY: the values must be there, and nobody may change them, until `release` is called.
  ///
  /// - Parameter release: called once, when the last user has let go, on that one's thread.
  public init(
    adopting start: UnsafeRawPointer, count: Int, release: @escaping @Sendable () -> Void
  ) {
    let byteCount = count * MemoryLayout<Element>.stride
    guard UInt(bitPattern: start) % UInt(MemoryLayout<Element>.alignment) == 0 else {
      self.init(unsafeUninitializedCapacity: count) { values, used in
        UnsafeMutableRawBufferPointer(values).copyMemory(
          from: UnsafeRawBufferPointer(start: start, count: byteCount))
        used = count
      }
      release()
      return
    }
    self.init(
      base: start.assumingMemoryBound(to: Element.self), count: count,
      owner: AdoptedMemory(byteCount: byteCount, release: release))
  }

  /// The values in a range, in the same memory.
  @inlinable
  public func sliced(_ range: Range<Int>) -> Buffer {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return Buffer(base: base + range.lowerBound, count: range.count, owner: owner)
  }

  /// The same memory for somebody who does not count references, until that one gives it back.
  public func lent() -> LentMemory {
    LentMemory(
      base: base, byteCount: count * MemoryLayout<Element>.stride, owner: owner)
  }

  /// True where both are the same place in the same memory.
  public func isSame(as other: Buffer) -> Bool {
    owner === other.owner && base == other.base && count == other.count
  }

  @inlinable @inline(__always)
  public func withUnsafeBufferPointer<R>(
    _ body: (UnsafeBufferPointer<Element>) throws -> R
  ) rethrows -> R {
    // SAFETY: the memory lives as long as its owner.
    defer { withExtendedLifetime(owner) {} }
    return try body(UnsafeBufferPointer(start: base, count: count))
  }

  @inlinable @inline(__always)
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeBufferPointer { try body(UnsafeRawBufferPointer($0)) }
  }

  /// Calls `body` with the values for writing; in memory of its own, where this one is shared or
  /// somebody else's.
  public mutating func withUnsafeMutableBufferPointer<R>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws -> R
  ) rethrows -> R {
    if !isOnlyUserOfOwnMemory() { self = copied() }
    // SAFETY: the engine has allocated the memory, and nobody else has it.
    defer { withExtendedLifetime(owner) {} }
    return try body(
      UnsafeMutableBufferPointer(start: UnsafeMutablePointer(mutating: base), count: count))
  }

  private mutating func isOnlyUserOfOwnMemory() -> Bool {
    guard type(of: owner) == OwnMemory.self else { return false }
    return withUnsafeMutablePointer(to: &owner) { owner in
      // SAFETY: it is one, and a reference to a class lies in memory like one to any object. The
      // question is answered for references to a class, not for ones to any object.
      owner.withMemoryRebound(to: OwnMemory.self, capacity: 1) {
        isKnownUniquelyReferenced(&$0.pointee)
      }
    }
  }

  /// The same values in memory of their own.
  public func copied() -> Buffer {
    withUnsafeBufferPointer { values in
      Buffer(count: count) { $0.initialize(from: values.baseAddress!, count: values.count) }
    }
  }

  /// True where it keeps much more memory from being freed than it has values.
  var isSmallPart: Bool {
    let held =
      switch owner {
      case let memory as OwnMemory: memory.header
      case let memory as AdoptedMemory: memory.byteCount
      default: 0
      }
    return held > 2 * count * MemoryLayout<Element>.stride + OwnMemory.padding
  }

  /// Itself; or a copy, where it is a small part of its memory.
  func compacted() -> Buffer { isSmallPart ? copied() : self }
}

extension Buffer {
  /// New memory that a function fills.
  ///
  /// - Parameter fill: initialises `count` values from the address on.
  @inlinable @inline(__always)
  public init(
    count: Int, filledBy fill: (UnsafeMutablePointer<Element>) throws -> Void
  ) rethrows {
    try self.init(unsafeUninitializedCapacity: count) { values, used in
      try fill(values.baseAddress!)
      used = count
    }
  }

  /// The values of several buffers, one behind the other.
  ///
  /// - Parameter count: of all of them.
  init(concatenating parts: some Sequence<Buffer>, count: Int) {
    self.init(count: count) { output in
      var next = 0
      for part in parts {
        precondition(next + part.count <= count)
        part.withUnsafeBufferPointer { part in
          (output + next).initialize(from: part.baseAddress!, count: part.count)
        }
        next += part.count
      }
      precondition(next == count)
    }
  }
}

extension Buffer: RandomAccessCollection {
  @inlinable @inline(__always)
  public var startIndex: Int { 0 }

  @inlinable @inline(__always)
  public var endIndex: Int { count }

  @inlinable @inline(__always)
  public subscript(index: Int) -> Element {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
    // As `withExtendedLifetime`, which is a call for each value where it is not inlined.
    defer { _fixLifetime(owner) }
    return base[index]
  }

  @frozen
  public struct Iterator: IteratorProtocol {
    @usableFromInline let values: Buffer
    @usableFromInline var place = 0

    @inlinable @inline(__always)
    init(_ values: Buffer) { self.values = values }

    @inlinable @inline(__always)
    public mutating func next() -> Element? {
      if place == values.count { return nil }
      defer {
        place &+= 1
        _fixLifetime(values.owner)
      }
      return values.base[place]
    }
  }

  @inlinable @inline(__always)
  public func makeIterator() -> Iterator { Iterator(self) }

  @inlinable @inline(__always)
  public func withContiguousStorageIfAvailable<R>(
    _ body: (UnsafeBufferPointer<Element>) throws -> R
  ) rethrows -> R? {
    try withUnsafeBufferPointer(body)
  }

  // Over the memory as a whole: what keeps the owner alive stays out of the loop.

  @inlinable @inline(__always)
  public func map<Result>(_ transform: (Element) throws -> Result) rethrows -> [Result] {
    try withUnsafeBufferPointer { try $0.map(transform) }
  }

  @inlinable @inline(__always)
  public func reduce<Result>(
    _ first: Result, _ next: (Result, Element) throws -> Result
  ) rethrows -> Result {
    try withUnsafeBufferPointer { try $0.reduce(first, next) }
  }

  @inlinable @inline(__always)
  public func allSatisfy(_ predicate: (Element) throws -> Bool) rethrows -> Bool {
    try withUnsafeBufferPointer { try $0.allSatisfy(predicate) }
  }
}

extension Buffer: ExpressibleByArrayLiteral {
  @inlinable
  public init(arrayLiteral values: Element...) { self.init(values) }
}

extension Buffer: Equatable where Element: Equatable {
  @inlinable
  public static func == (a: Buffer, b: Buffer) -> Bool {
    a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { a.elementsEqual($0) } }
  }
}

extension Buffer: Hashable where Element: Hashable {
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for value in self { hasher.combine(value) }
  }
}

extension Buffer<UInt8> {
  /// The bytes of a block, which lives as long as they are used.
  public init(_ block: TextBlock) {
    // SAFETY: the block's bytes do not move.
    let base = block.withBytes { $0.baseAddress!.assumingMemoryBound(to: UInt8.self) }
    self.init(base: base, count: block.byteCount, owner: block)
  }

  /// The bytes that are kept from being freed for the texts in it. The engine's own memory is not
  /// counted as a whole: what it has more is room that a new buffer would have too.
  var textBytesHeld: Int { (owner as? AdoptedMemory)?.byteCount ?? count }

  /// Takes over memory from stock, which gets it back.
  public init(adopting memory: TextMemory, count: Int) {
    precondition(count <= memory.byteCount)
    self.init(adopting: memory.base, count: count) { memory.release() }
  }

  /// Bytes for the views of a text column, behind whose end wide reads go on; where that is not so,
  /// they are copied.
  ///
  /// - Parameter readable: how many bytes from the first on can be read.
  public func padded(readable: Int) -> Buffer {
    readable >= count + TextBlock.padding ? self : copied()
  }
}
