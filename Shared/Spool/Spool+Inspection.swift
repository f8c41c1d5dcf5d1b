import Glibc
import SQLite

/// Looking at a spool from outside, and repairing one that nobody has open.
extension Spool {
    /// What lies in a spool's folder, also while another process has it open: it only looks.
    ///
    /// - Parameter limit: how many packets are told at most, oldest first.
    ///
    /// Throws `.disk` when there is no spool, it cannot be read, or it is of a later version.
    public static func inspect(directory: String, limit: Int = 100) throws(SpoolError) -> SpoolInspection {
        let files = SpoolFiles(directory: directory)
        guard files.exists(files.main) else { throw .disk("no spool in \(directory): there is no \(files.main)") }
        do throws(SQLiteError) {
            let inspector = try Inspector(files)
            let version = try inspector.formatVersion
            guard version <= Store.version else { throw later(version) }
            return try inspector.inspection(limit: limit)
        } catch {
            throw .disk("cannot read \(files.main): \(error.message); see  spool check")
        }
    }

    static func later(_ version: Int) -> SQLiteError {
        SQLiteError(
            code: 21, message: "written by a later version (format \(version), this one reads \(Store.version)); run that one",
            sql: "PRAGMA user_version")
    }

    /// Everything that is wrong with a spool: its log, its structure, each packet's checksum, its accounts. Empty: it is sound.
    ///
    /// Reads the whole file and changes nothing; another process may have it open. A folder without a spool is sound.
    public static func check(directory: String) -> [String] {
        let files = SpoolFiles(directory: directory)
        var problems: [String] = []
        if files.exists(files.repaired) {
            problems.append("a repair was not finished: \(files.repaired); the next start does that")
        }
        guard files.exists(files.main) else {
            if files.size(files.log) > 0 { problems.append("\(files.log) is there without its file") }
            return problems
        }
        if files.isEmptyMain, files.size(files.log) == 0 {
            return problems + ["\(files.main) is empty (cut or never finished)"]
        }
        if let words = damagedLog(files) { problems.append("log: \(words)") }
        do throws(SQLiteError) {
            let inspector = try Inspector(files)
            let version = try inspector.formatVersion
            guard version <= Store.version else { return problems + [later(version).message] }
            guard try inspector.isSpool else { return problems + ["\(files.main) is not a spool"] }
            do throws(SQLiteError) {
                problems += try inspector.structure()
            } catch {
                problems.append("structure: \(error.message)")
            }
            problems += try inspector.contents()
        } catch {
            problems.append("\(files.main): \(error.message)")
        }
        return problems
    }

    /// The log of a spool that is being written may look damaged for a moment.
    private static func damagedLog(_ files: SpoolFiles) -> String? {
        for _ in 0..<3 {
            guard let damage = SpoolLog(path: files.log)?.damage else { return nil }
            guard files.isInUse else { return damage.words }
            usleep(50_000)
        }
        return SpoolLog(path: files.log)?.damage?.words
    }

    /// Repairs a spool that no process has open, when `check` finds something: what is readable is kept, the damaged files are set
    /// aside.
    ///
    /// - Returns: what was done, for people.
    ///
    /// Throws `.disk` when there is no spool, it is in use, it is of a later version, or there is no room.
    public static func repair(directory: String) throws(SpoolError) -> String {
        let files = SpoolFiles(directory: directory)
        guard files.exists(files.main) || files.exists(files.repaired) else {
            throw .disk("no spool in \(directory): there is no \(files.main)")
        }
        guard let lock = try files.lockNow() else {
            throw .disk("the spool in \(directory) is in use; stop its service first, or let it repair by itself")
        }
        defer { Glibc.close(lock) }
        var notes: [String] = []
        if let aside = files.exchange(at: milliseconds(CLOCK_REALTIME) / 1_000) {
            notes.append("a repair of \(files.main) was finished; before: \(aside)")
        }
        let problems = check(directory: directory)
        if let first = problems.first {
            if let version = try? Inspector(files).formatVersion, version > Store.version { throw .disk(first) }
            let more = problems.count > 1 ? " and \(problems.count - 1) more" : ""
            notes.append(try Salvage.run(files, because: first + more).note)
        }
        return notes.isEmpty ? "\(files.main) is sound: nothing was done" : notes.joined(separator: "; ")
    }
}
