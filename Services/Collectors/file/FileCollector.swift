import Archive
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
    @Setting("Deletes a file when its report is acknowledged.") var delete = false
    @Setting("Unpacks gzip, zip and tar files.") var extract = false
    @Setting("Largest file, also after unpacking.") var sizeLimit = ByteCount.mebibytes(256)
    @Setting("Name of the feed.", example: "Internal sensors") var feedName: String? = nil
    @Setting("Provider of the feed.") var feedProvider: String? = nil

    func collect(_ context: WorkerContext, hand: @Sendable (Report) async throws(Rejection) -> Void) async throws(Rejection) {
        var seen = SeenFiles(context.stateDirectory)
        for name in try names() {
            let file = "\(path)/\(name)"
            var status = stat()
            // A file that is still being written is taken when it has been left alone for a moment.
            guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            let version = "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ino)"
            guard seen[name] != version else { continue }
            guard let bytes = readFile(file, limit: sizeLimit.bytes) else {
                context.log.error(
                    "cannot read \(file): \(errno == 0 ? "larger than size-limit \(sizeLimit)" : String(cString: strerror(errno)))"
                )
                continue
            }
            let members: [ArchiveMember]
            do throws(ArchiveError) {
                members =
                    extract && isArchive(bytes)
                    ? try unpack(bytes, only: nil, limit: sizeLimit.bytes, fileName: name)
                    : [ArchiveMember(name: name, bytes: bytes)]
            } catch {
                context.log.error("cannot unpack \(file): \(error)")
                continue
            }
            for member in members {
                try await hand(
                    Feed(name: feedName, provider: feedProvider, url: "file://localhost\(file)").report(
                        member.bytes, fileName: member.name))
            }
            if delete { unlink(file) }
            seen[name] = version
            try seen.save()
        }
    }

    private func names() throws(Rejection) -> [String] {
        guard access(path, R_OK | X_OK) == 0 else {
            throw .unavailable("cannot look into \(path): \(String(cString: strerror(errno)))")
        }
        return fileNames(in: path).filter { !$0.hasPrefix(".") && $0.hasSuffix(postfix) }
    }
}
