import Glibc
import ServiceKernel
import ServiceKernelTesting
import TestSupport

/// What stands where in the source tree.
enum Repository {
    /// The folder of a worker's family, as `Services/Experts`.
    static func folder(of family: Family) -> String { "\(sourceTree)/Services/\(name(of: family))" }

    /// The name of a family's target.
    static func name(of family: Family) -> String {
        switch family {
        case .collector: "Collectors"
        case .parser: "Parsers"
        case .expert: "Experts"
        case .output: "Outputs"
        }
    }

    /// The folder of a worker; of a mapping file, that of all mappings.
    static func folder(of entry: RosterEntry) -> String {
        "\(folder(of: entry.family))/\(entry.spec.tags.contains("mapping") ? "mappings" : entry.spec.name)"
    }

    /// The text of a file of the tree.
    static func text(_ name: String) -> String? { readFile("\(sourceTree)/\(name)").map { String(decoding: $0, as: UTF8.self) } }

    /// The names of the sub-folders of a folder.
    static func folders(in path: String) -> [String] {
        fileNames(in: path).filter { name in
            var status = stat()
            return stat("\(path)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        }
    }

    /// The cases of a worker: those beside it, or those of its mapping file.
    static func cases(of entry: RosterEntry) throws -> [Case] {
        try CaseFile.all(besideWorkerIn: folder(of: entry)).flatMap(\.cases) + mappingCases(of: entry)
    }
}
