import ServiceKernel
import Workflow

extension Gateway {
    /// The checks of `intelmqctl check`, by the same code.
    func check(_ graph: Graph) throws(ConfigurationError) {
        _ = try WorkflowRun(graph, roster: roster)
    }
}
