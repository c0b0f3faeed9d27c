import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD

/// What is known of jobs and stages.
let statusFunctions: [(String, NativeFunction, String)] = [
  (
    "watch_jobs",
    { _, arguments in
      entry(arguments, count: 1) { _, arguments in
        let owner: PythonContext = try arguments.handle(0)
        _ = owner.context.status
        return Py.none()
      }
    }, "From now on takes note of jobs and stages."
  ),
  (
    "jobs",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        return py.newList(
          owner.context.status.jobs.map { job in
            py.newTuple([
              py.newInteger(job.id), job.group.map { py.newText($0) } ?? Py.none(),
              py.newText(job.status.rawValue), py.newTuple(job.stages.map { py.newInteger($0) }),
            ])
          })
      }
    }, "The jobs that are known: id, group or None, status, the ids of their stages so far."
  ),
  (
    "stages",
    { _, arguments in
      entry(arguments, count: 1) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        return py.newList(
          owner.context.status.stages.map { stage in
            py.newTuple([
              py.newInteger(stage.id), py.newText(stage.name), py.newBool(stage.isActive),
              py.newInteger(stage.taskCount), py.newInteger(stage.activeTasks),
              py.newInteger(stage.completedTasks), py.newInteger(stage.failedTasks),
            ])
          })
      }
    }, "The known stages: id, name, whether it runs, tasks: all, running, completed, failed."
  ),
  (
    "set_job_group",
    { _, arguments in
      entry(arguments, count: 2) { py, arguments in
        let owner: PythonContext = try arguments.handle(0)
        owner.context.setJobGroup(arguments.isNone(1) ? nil : try arguments.text(1, py))
        return Py.none()
      }
    }, "The group of the jobs of this thread, or None."
  ),
]
