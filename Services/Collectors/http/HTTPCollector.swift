import Archive
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
        let response = try await fetch(etag: isSame ? seen["etag"] : nil, modified: isSame ? seen["last-modified"] : nil, shown)
        guard response.status != 304 else { return context.log.info("not changed", metadata: ["url": "\(shown)"]) }
        guard response.status == 200 else {
            throw .unavailable("\(shown) answered \(response.status); it is asked again later")
        }
        let name =
            response.effectiveURL.split(separator: "?").first.flatMap { $0.split(separator: "/").last }.map(String.init)
            ?? "report"
        if extract, isArchive(response.body) {
            let found: [ArchiveMember]
            do throws(ArchiveError) {
                found = try unpack(response.body, only: members.isEmpty ? nil : members, limit: sizeLimit.bytes, fileName: name)
            } catch {
                // A cut answer may be whole the next time.
                throw .unavailable("\(shown): \(error)")
            }
            for member in found where !member.bytes.isEmpty {
                try await hand(feed.report(member.bytes, url: url, fileName: member.name))
            }
        } else if !response.body.isEmpty {
            try await hand(feed.report(response.body, url: url, fileName: name))
        }
        // Only now may the answer be forgotten: what was handed on is acknowledged.
        seen["asked"] = asked
        seen["etag"] = response.header("ETag")
        seen["last-modified"] = response.header("Last-Modified")
        try seen.save()
    }

    private func fetch(etag: String?, modified: String?, _ shown: String) async throws(Rejection) -> HTTPClientResponse {
        var sent: [(name: String, value: String)] = [("User-Agent", "IntelMQ-Fleet/\(Version.current)")]
        for (name, value) in headers { sent.append((name, value.revealed)) }
        if let authorization { sent.append(("Authorization", authorization.revealed)) }
        if let etag { sent.append(("If-None-Match", etag)) }
        if let modified { sent.append(("If-Modified-Since", modified)) }
        let request = HTTPClientRequest(
            url: url, headers: sent, timeoutMilliseconds: Int(timeout.seconds * 1000), responseLimit: sizeLimit.bytes,
            followRedirects: headers.isEmpty ? redirects : 0,
            username: username, password: password?.revealed, verifyTLS: verifyCertificate, proxy: proxy, decompress: true)
        do throws(HTTPClientError) {
            return try await client.send(request)
        } catch {
            throw .unavailable("cannot fetch \(shown): \(error)")
        }
    }
}
