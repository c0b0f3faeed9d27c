import PythonFunctions
import PythonInterop
import PythonRecords
import SwiftwaterCore
import SwiftwaterPlan

extension PythonLanguage {
  package func zipped(
    _ inputs: [any BatchCursor], _ zip: ZipPartitions, partition: Int, _ task: TaskContext
  ) throws -> any BatchCursor {
    guard let function = zip.function.map(PythonFunction.of) else {
      preconditionFailure("a function of Python's")
    }
    return try Interpreter.attach { py in
      let inputs = inputs.map { UpstreamRecords(RecordReader(.batches($0)), through: []) }
      do {
        let reader = try Self.reader(function, partition: partition, inputs, zip.place, py)
        return ReaderCursor(reader, of: inputs, task: task)
      } catch {
        for input in inputs { input.close() }
        throw error
      }
    }
  }

  private static func reader(
    _ function: PythonFunction, partition: Int, _ inputs: [UpstreamRecords],
    _ place: OperatorPlace, _ py: borrowing Python
  ) throws -> RecordReader {
    guard let list = py.newList(inputs.map { RecordIteratorType.make($0) }) else {
      throw PythonError.fetch(py)
    }
    defer { Py.release(list) }
    guard let index = py.newInteger(partition) else { throw PythonError.fetch(py) }
    defer { Py.release(index) }
    guard let result = try function.forTask(py).call(index, list) else {
      throw PythonError.fetch(at: place, record: nil, py)
    }
    defer { Py.release(result) }
    guard let output = Py.iterator(over: result) else {
      throw PythonError.fetch(at: place, record: nil, py)
    }
    return RecordReader(.iterator(PythonObject(owning: output), place, nil))
  }
}
