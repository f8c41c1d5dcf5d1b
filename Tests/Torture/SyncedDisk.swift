import Glibc
import ServiceKernel

/// A folder as a disk that loses its power would give it back: of each file what was synced, of the names what was synced with the
/// folder, and of everything later any part.
struct SyncedDisk {
    private struct File {
        var synced: [UInt8] = []
        /// Changes since, counted on from the file's beginning.
        var pending: [Change] = []
        var done = 0
    }

    private enum Change {
        case write([UInt8], at: Int)
        case cut(Int)

        func apply(to file: inout [UInt8]) {
            switch self {
            case .write(let bytes, let at):
                if file.count < at + bytes.count { file += [UInt8](repeating: 0, count: at + bytes.count - file.count) }
                file.replaceSubrange(at..<at + bytes.count, with: bytes)
            case .cut(let size):
                if file.count > size {
                    file.removeLast(file.count - size)
                } else {
                    file += [UInt8](repeating: 0, count: size - file.count)
                }
            }
        }
    }

    private let folder: String
    private var files: [File] = []
    /// Names as programs see them, and as the disk has them.
    private var names: [String: Int] = [:]
    private var syncedNames: [String: Int] = [:]
    /// Whether the folder itself is in its parent on the disk.
    private(set) var hasFolder = false
    /// What a sync that goes on covers.
    private var syncs: [Int: (upTo: Int, names: [String: Int])] = [:]
    private(set) var syncCount = 0

    init(_ folder: String) { self.folder = folder }

    mutating func take(_ step: Trace.Step) {
        let isSync = step.call == .fsync || step.call == .fdatasync
        if isSync, step.isBegin {
            let file = names[step.target].map { files[$0] }
            syncs[step.number] = (file.map { $0.done + $0.pending.count } ?? 0, names)
            return
        }
        guard !step.isBegin, let result = step.result, result >= 0 else { return }
        switch step.call {
        case .openat where step.makes && names[step.target] == nil:
            files.append(File())
            names[step.target] = files.count - 1
        case .pwrite64:
            guard let file = names[step.target], result <= step.bytes.count else { return }
            files[file].pending.append(.write(Array(step.bytes.prefix(result)), at: step.offset))
        case .ftruncate:
            if let file = names[step.target] { files[file].pending.append(.cut(step.offset)) }
        case .unlink: names[step.target] = nil
        case .rename:
            let parts = step.bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            if parts.count == 2 { names[parts[1]] = names.removeValue(forKey: parts[0]) }
        case .fsync, .fdatasync:
            guard let sync = syncs.removeValue(forKey: step.number) else { return }
            syncCount += 1
            if step.target == folder { syncedNames = sync.names }
            if folder.hasPrefix(step.target + "/") { hasFolder = true }
            guard let file = names[step.target] else { return }
            while files[file].done < sync.upTo, !files[file].pending.isEmpty {
                files[file].pending.removeFirst().apply(to: &files[file].synced)
                files[file].done += 1
            }
        default: break
        }
    }

    /// Writes what would be left.
    /// - Parameter torn: with some of what was not synced; else nothing of it.
    func write(to place: String, torn: Bool, _ dice: inout Dice) throws(TortureError) {
        guard hasFolder else { throw TortureError("the folder of the spool itself was never synced: all of it would be gone") }
        mkdir(place, 0o750)
        for (path, number) in torn && dice.chance(50) ? names : syncedNames {
            let name = path.dropFirst(folder.count + 1)
            // The shared memory of the log is not part of what is kept; the others are made anew.
            if name.hasSuffix("-shm") || !name.hasPrefix("spool.sqlite") { continue }
            var bytes = files[number].synced
            for change in files[number].pending where torn && dice.chance(50) { change.apply(to: &bytes) }
            do { try replaceFile("\(place)/\(name)", with: bytes) } catch { throw TortureError(error.detail) }
        }
    }
}
