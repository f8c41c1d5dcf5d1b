import Archive
import Bulk
import Glibc
import IDF
import ServiceKernel

/// Reads files that appear in a folder.
struct FileCollector: Collector {
    static let spec = Spec(
        "file", "Reads the files of a folder whose names end in a given way, each once per change.", writes: Feed.writes)

    @Setting("Folder to look into.", example: "/var/spool/intelmq/in") var path: String
    @Setting("End of the names of files to read.") var postfix = ".csv"
    @Setting("Time between two looks.") var interval = Interval(seconds: 300)
    @Setting("A file changed within this time may still be written to and is left for the next look.") var settle = Interval(
        seconds: 2)
    @Setting("Deletes a file when its report is acknowledged, unless it has changed meanwhile.") var delete = false
    @Setting("Unpacks gzip, zip and tar files.") var extract = false
    @Setting("Largest file, also after unpacking.") var sizeLimit = ByteCount.mebibytes(256)
    @Setting(Feed.explanation, example: Feed.example) var feed = Feed()

    func collect(_ context: WorkerContext, hand: @Sendable (Report) async throws(Rejection) -> Void) async throws(Rejection) {
        var seen = SeenFiles(context.stateDirectory)
        var refused: Rejection?
        for name in try names() {
            let file = "\(path)/\(name)"
            guard let (version, changed) = Self.version(of: file), seen[name] != version else { continue }
            guard Double(Timestamp.now().nanoseconds) / 1e9 - changed >= settle.seconds else { continue }
            let content: BulkBytes
            do throws(BulkError) {
                content = try BulkBytes(file: file, limit: sizeLimit.bytes, folder: context.folderForLargeReports)
            } catch {
                context.log.error("cannot read \(file): \(error) (size-limit is \(sizeLimit))")
                continue
            }
            let members: [ArchiveMember]
            do throws(ArchiveError) {
                members =
                    extract && isArchive(content)
                    ? try unpack(
                        content, limit: sizeLimit.bytes, fileName: name, folder: context.folderForLargeReports)
                    : [ArchiveMember(name: name, content: content)]
            } catch {
                context.log.error("cannot unpack \(file): \(error)")
                continue
            }
            if let one = try await feed.hand(members, of: "file://localhost\(file)", shown: file, context.log, to: hand) {
                refused = one
                continue
            }
            // What has been written since is another version, and comes next time.
            guard Self.version(of: file)?.text == version else { continue }
            if delete { unlink(file) }
            seen[name] = delete ? nil : version
            try seen.save()
        }
        if let refused { throw refused }
    }

    /// What tells one state of a file from another, and when it was last changed (seconds since 1970).
    private static func version(of file: String) -> (text: String, changed: Double)? {
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        let time = status.st_mtim
        return (
            "\(status.st_size) \(time.tv_sec).\(time.tv_nsec) \(status.st_ino)", Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        )
    }

    private func names() throws(Rejection) -> [String] {
        guard access(path, R_OK | X_OK) == 0 else {
            throw .unavailable("cannot look into \(path): \(String(cString: strerror(errno)))")
        }
        return fileNames(in: path).filter { !$0.hasPrefix(".") && $0.hasSuffix(postfix) }
    }
}
