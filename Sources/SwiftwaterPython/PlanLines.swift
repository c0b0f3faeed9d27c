import PythonInterop
import SwiftwaterPlan

extension Python {
  /// Lines as tuples of stage, operator, site, form, type, reason, file, line and instruction; nil
  /// with an exception set.
  func newList(of lines: [PlanLine]) -> PyPointer? {
    let tuples = lines.map { line in
      let place = line.refusal?.place
      return newTuple([
        newInteger(line.stage), newText(line.name), newText(line.site), newText(line.formName),
        newText(line.type?.description ?? ""), newText(line.refusal?.reason ?? line.note),
        newText(place?.file ?? ""), newInteger(place?.line ?? 0), newText(place?.instruction ?? ""),
      ])
    }
    return newList(tuples)
  }
}
