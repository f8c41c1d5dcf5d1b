import Archive
import Bulk
import HTTP
import IDF
import ServiceKernel

/// Fetches one URL again and again.
struct HTTPCollector: Collector {
    static let spec = Spec("http", "Fetches a URL, only when it has changed, and unpacks what it gets.", writes: Feed.writes)

    @Setting("URL of the feed.", example: "https://feodotracker.abuse.ch/downloads/ipblocklist.json") var url: String
    @Setting("Time between two fetches.") var interval = Interval(seconds: 3600)
    @Setting("Unpacks gzip, zip and tar answers; each member is a report of its own.") var extract = true
    @Setting("Members to unpack; empty: all.") var members: [String] = []
    @Setting("Largest answer, also after unpacking.") var sizeLimit = ByteCount.mebibytes(256)
    @Setting("Time the server has to answer.") var timeout = Interval(seconds: 60)
    @Setting("Redirects followed.") var redirects = 5
    @Setting(
        "Headers to send, as keys of an API. Redirects are then not followed: they would carry the keys elsewhere.",
        example: "{Accept: text/csv}") var headers: [String: Secret] = [:]
    @Setting("User for basic authentication.") var username: String? = nil
    @Setting("Password for basic authentication.") var password: Secret? = nil
    @Setting("Value of the Authorization header, as a bearer token.") var authorization: Secret? = nil
    @Setting("Checks the server's certificate.") var verifyCertificate = true
    @Setting("Proxy to use.", example: "http://proxy.example:3128") var proxy: String? = nil
    @Setting(Feed.explanation, example: Feed.example) var feed = Feed()

    private let client = HTTPClient(connectionsPerHost: 2)

    func collect(_ context: WorkerContext, hand: @Sendable (Report) async throws(Rejection) -> Void) async throws(Rejection) {
        var seen = SeenFiles(context.stateDirectory)
        let shown = withoutSecrets(url)
        // What was fetched with other settings says nothing about this answer.
        let asked = UUID.derived(from: Array("\(url) \(extract) \(members)".utf8)).description
        let isSame = seen["asked"] == asked
        let (response, content) = try await fetch(
            etag: isSame ? seen["etag"] : nil, modified: isSame ? seen["last-modified"] : nil, shown, context)
        guard response.status != 304 else { return context.log.info("not changed", metadata: ["url": "\(shown)"]) }
        guard response.status == 200 else {
            throw .unavailable("\(shown) answered \(response.status); it is asked again later")
        }
        let name =
            response.effectiveURL.split(separator: "?").first.flatMap { $0.split(separator: "/").last }.map(String.init)
            ?? "report"
        let members: [ArchiveMember]
        do throws(ArchiveError) {
            members =
                extract && isArchive(content)
                ? try unpack(
                    content, only: self.members.isEmpty ? nil : self.members, limit: sizeLimit.bytes, fileName: name,
                    folder: context.folderForLargeReports)
                : [ArchiveMember(name: name, content: content)]
        } catch {
            // A cut answer may be whole the next time.
            throw .unavailable("\(shown): \(error)")
        }
        if let refused = try await feed.hand(members, of: url, shown: shown, context.log, to: hand) { throw refused }
        // Only now may the answer be forgotten: what was handed on is acknowledged.
        seen["asked"] = asked
        seen["etag"] = response.header("ETag")
        seen["last-modified"] = response.header("Last-Modified")
        try seen.save()
    }

    private func fetch(
        etag: String?, modified: String?, _ shown: String, _ context: WorkerContext
    ) async throws(Rejection) -> (HTTPClientResponse, BulkBytes) {
        var sent: [(name: String, value: String)] = [("User-Agent", "IntelMQ-Fleet/\(Version.current)")]
        for (name, value) in headers { sent.append((name, value.revealed)) }
        if let authorization { sent.append(("Authorization", authorization.revealed)) }
        if let etag { sent.append(("If-None-Match", etag)) }
        if let modified { sent.append(("If-Modified-Since", modified)) }
        let request = HTTPClientRequest(
            url: url, headers: sent, timeoutMilliseconds: Int(timeout.seconds * 1000), responseLimit: sizeLimit.bytes,
            followRedirects: headers.isEmpty ? redirects : 0,
            username: username, password: password?.revealed, verifyTLS: verifyCertificate, proxy: proxy, decompress: true)
        let answer = ReceivedBytes(folder: context.folderForLargeReports)
        let response: HTTPClientResponse
        do throws(HTTPClientError) {
            response = try await client.send(request) { answer.take($0) }
        } catch {
            throw .unavailable("cannot fetch \(shown): \(answer.failure?.description ?? "\(error)")")
        }
        do throws(BulkError) { return (response, try answer.finish()) } catch {
            throw .unavailable("cannot fetch \(shown): \(error)")
        }
    }
}

/// An answer while it comes in; if it is large, in a file. It belongs to the client's thread until `send` returns.
private final class ReceivedBytes: @unchecked Sendable {
    private var writer: BulkWriter
    private(set) var failure: BulkError?

    init(folder: String) { writer = BulkWriter(directory: folder) }

    /// Takes a piece; false ends the transfer.
    func take(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        do throws(BulkError) { try writer.append(bytes) } catch { failure = error }
        return failure == nil
    }

    func finish() throws(BulkError) -> BulkBytes { try writer.finish() }
}
