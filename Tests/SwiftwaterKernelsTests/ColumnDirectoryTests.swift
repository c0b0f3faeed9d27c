import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct ColumnDirectoryTests {
  private func integers(_ values: [Int64]) -> ColumnBatch {
    ColumnBatch(.integer(Buffer(values)))
  }

  @Test("New keys get ascending numbers in the order of their rows, though some hashes meet")
  func natural() throws {
    // Of so many keys some tens have the same half of a hash as another one.
    let count = 600_000
    let directory = ColumnDirectory(.integer)
    for start in stride(from: 0, to: count, by: count / 3) {
      var newRows: [UInt32] = []
      // Each key twice: the second row finds what the first one has put there.
      let keys = (0..<count / 3 * 2).map { Int64(start + $0 / 2) }
      let numbers = try #require(try directory.numbers(of: integers(keys), newRows: &newRows))
      #expect(numbers.elementsEqual(keys.lazy.map { UInt32($0) }))
      #expect(newRows.elementsEqual((0..<count / 3).lazy.map { UInt32($0 * 2) }))
    }
    let numbers = (0..<UInt32(count)).map { $0 }
    guard case .integer(let values)? = (try directory.keys(numbers) as? ColumnBatch)?.column
    else {
      Issue.record("integers are expected")
      return
    }
    #expect(values.elementsEqual((0..<count).lazy.map { Int64($0) }))
    var newRows: [UInt32] = []
    let again = integers((0..<count).map { Int64($0) })
    #expect(try directory.numbers(of: again, newRows: &newRows) == numbers)
    #expect(newRows.isEmpty)
    directory.remove(numbers)
    #expect(directory.count == 0)
  }

  @Test("What lies in growing memory stays where it becomes pages of its own, and where these move")
  func growingMemory() {
    var memory = GrowingMemory<Int64>()
    let values = (0..<1_000_000).map { Int64($0) }
    var start = 0
    for count in [10, 100_000, 40_000, 1, 600_000] {
      values[start..<(start + count)].withUnsafeBufferPointer { memory.append($0) }
      start += count
      #expect(UnsafeBufferPointer(start: memory.base, count: start).elementsEqual(values[..<start]))
    }
    memory.extend(to: 2_000_000)
    let all = UnsafeBufferPointer(start: memory.base, count: 2_000_000)
    #expect(all[..<start].elementsEqual(values[..<start]))
    #expect(all[start...].allSatisfy { $0 == 0 })
    #expect(memory.byteCount >= 16_000_000)
  }
}
