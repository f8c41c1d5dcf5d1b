import Foundation

/// The names in a folder that end so, sorted; none where there is no folder.
public func files(in folder: String, ending suffix: String = "") -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    return (names ?? []).filter { $0.hasSuffix(suffix) }.sorted()
}

/// The source tree that the tests were built from: two folders above this file, or `INTELMQ_SOURCE` where it has moved.
public let sourceTree: String = {
    if let given = ProcessInfo.processInfo.environment["INTELMQ_SOURCE"] { return given }
    return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path
}()
