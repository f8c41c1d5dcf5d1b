import Foundation
import HTTP
import IDF

/// Where one case runs: a folder with the files that were there before, and a server that plays the recorded answers.
final class Place {
    /// The case, its files and URLs moved here.
    let vector: VectorCase
    private let folder = NSTemporaryDirectory() + "intelmq-vector-\(ProcessInfo.processInfo.globallyUniqueString)"
    private var server: HTTPServer?

    init(_ vector: VectorCase) {
        var moved = vector
        for (name, content) in vector.files("files_before") {
            let path = folder + "/" + name
            try? FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            _ = FileManager.default.createFile(atPath: path, contents: Data(content))
        }
        try? FileManager.default.createDirectory(atPath: folder + "/tmp", withIntermediateDirectories: true)
        moved.folder = folder
        if let played = Played(vector), let server = try? HTTPServer(HTTPServerConfiguration(), handler: played) {
            self.server = server
            moved.server = "http://127.0.0.1:\(server.port)"
        }
        self.vector = moved
    }

    /// The bytes of a file of the case after it ran.
    func read(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: folder + "/" + name).map { Array($0) } }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }
}

/// Plays the recorded answers, by path.
private struct Played: HTTPHandler {
    private var answers: [String: HTTPResponse] = [:]

    init?(_ vector: VectorCase) {
        for exchange in vector.content["http"]?.items ?? [] {
            guard let url = exchange["request"]?["url"]?.string, let path = URLComponents(string: url)?.percentEncodedPath,
                let response = exchange["response"]
            else { continue }
            let headers = (response["headers"]?.members ?? []).compactMap { member in
                member.value.string.map { (name: member.name, value: $0) }
            }
            answers[path] = HTTPResponse(
                status: Int(response["status"]?.integer ?? 200), headers: headers, body: VectorCase.bytes(response["body"]))
        }
        if answers.isEmpty { return nil }
    }

    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? { answers[head.path] ?? HTTPResponse(status: 404) }
    func bodyLimit(_ head: HTTPRequestHead) -> Int { 0 }
    func respond(to request: HTTPRequest) async -> HTTPResponse { HTTPResponse(status: 404) }
}
