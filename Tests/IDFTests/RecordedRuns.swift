import Foundation
import TestSupport

/// The folder with recorded runs of IntelMQ that has this file: `INTELMQ_VECTORS`, or `shared/vectors` beside the source tree; nil where
/// they are not at hand.
func recordedRuns(with file: String) -> URL? {
    let folder =
        ProcessInfo.processInfo.environment["INTELMQ_VECTORS"].map { URL(fileURLWithPath: $0) }
        ?? URL(fileURLWithPath: sourceTree).deletingLastPathComponent().appendingPathComponent("shared/vectors")
    return FileManager.default.fileExists(atPath: folder.appendingPathComponent(file).path) ? folder : nil
}
