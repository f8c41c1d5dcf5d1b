import Foundation

/// The names of the files in a folder that end so, sorted; none where there is no folder.
public func files(in folder: String, ending suffix: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    return (names ?? []).filter { $0.hasSuffix(suffix) }.sorted()
}
