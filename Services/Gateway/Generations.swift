import Glibc
import IDF
import ServiceKernel

/// The workflow's history: every document that was in force, as files `etc/graph/NUMBER.yaml` in its folder.
struct Generations {
    /// One of them, without its document.
    struct Record {
        let number: Int
        let time: String
        /// The token's name, or what else let the caller in.
        let by: String
        /// What it came from.
        let change: String

        var json: JSONValue {
            .object([
                "generation": .integer(number), "time": .string(time), "by": .string(by), "change": .string(change),
            ])
        }
    }

    private let folder: String

    init(_ directory: String) { folder = "\(directory)/etc/graph" }

    /// The file of a generation.
    func path(_ number: Int) -> String { "\(folder)/\(number).yaml" }

    /// A file of its own for a document that is not in force yet.
    var candidate: String { "\(folder)/candidate-\(UUID.v7()).yaml" }

    /// Numbers of all that are kept, oldest first.
    var numbers: [Int] {
        fileNames(in: folder).compactMap { $0.hasSuffix(".yaml") ? Int($0.dropLast(5)) : nil }.sorted()
    }

    /// What is known of them, newest first.
    var all: [Record] {
        numbers.reversed().map { number in
            let value = readFile("\(folder)/\(number).json").flatMap { try? JSONValue(parsing: $0) }
            return Record(
                number: number, time: value?["time"]?.string ?? "", by: value?["by"]?.string ?? "",
                change: value?["change"]?.string ?? "")
        }
    }

    /// The document of one.
    func text(_ number: Int) -> [UInt8]? { numbers.contains(number) ? readFile(path(number)) : nil }

    /// Keeps a document as the next generation. From then on it is the one in force, also after a crash.
    func add(_ text: [UInt8], by: String, change: String) throws(Rejection) -> Int {
        try makeFolder(folder)
        let number = (numbers.last ?? 0) + 1
        let record = Record(number: number, time: "\(Timestamp.now())", by: by, change: change)
        try replaceFile("\(folder)/\(number).json", with: record.json.bytes, mode: 0o600)
        // Documents may hold secrets.
        try replaceFile(path(number), with: text, mode: 0o600)
        return number
    }
}
