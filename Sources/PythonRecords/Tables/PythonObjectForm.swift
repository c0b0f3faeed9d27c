import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// What a table asks of the form that it goes over to.
extension PythonForm: ObjectForm {
  package func asObjects(_ vector: any RecordBatch) throws -> any RecordBatch {
    let column: Column
    switch vector {
    case let columns as ColumnBatch: column = columns.column
    case let block as TextBlock: column = .text(block.column())
    default: return vector
    }
    return try Interpreter.attach { py in try newBatch(OwnedObjects(of: column, py), py) }
  }

  package func missing(in vector: any RecordBatch) throws -> [UInt32] {
    let vector = python(vector)
    return Interpreter.attach { _ in
      let list = vector.list.pointer
      return (0..<vector.recordCount).filter { Py.isNone(Py.listItem(list, $0)) }
        .map { UInt32(truncatingIfNeeded: $0) }
    }
  }

  package func directory(
    of columns: any KeyDirectory, _ numbers: [UInt32]
  ) throws -> any KeyDirectory {
    guard let columns = columns as? ColumnDirectory else {
      preconditionFailure("only what is in columns goes over to objects")
    }
    return try converted(columns)
  }
}
