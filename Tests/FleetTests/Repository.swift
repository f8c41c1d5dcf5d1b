import Glibc
import ServiceKernel
import ServiceKernelTesting

/// The source tree that the tests were built from.
enum Repository {
    /// Its folder: two above this file's.
    static let path: String = {
        if let given = getenv("INTELMQ_SOURCE") { return String(cString: given) }
        return #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/\($1)" }
    }()

    /// The folder of a worker's family, as `Services/Experts`.
    static func folder(of family: Family) -> String { "\(path)/Services/\(name(of: family))" }

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
    static func text(_ name: String) -> String? { readFile("\(path)/\(name)").map { String(decoding: $0, as: UTF8.self) } }

    /// The names of the sub-folders of a folder.
    static func folders(in path: String) -> [String] {
        TemporaryFolder.names(in: path).filter { name in
            var status = stat()
            return stat("\(path)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        }
    }

    /// The cases of a worker: those beside it, or those of its mapping file.
    static func cases(of entry: RosterEntry) throws -> [Case] {
        try CaseFile.all(besideWorkerIn: folder(of: entry)).flatMap(\.cases) + mappingCases(of: entry)
    }
}
