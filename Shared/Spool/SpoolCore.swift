import Glibc
import SQLite
import Synchronization

/// What the spool's owner, its writer thread and its reader thread hold in common.
final class SpoolCore: Sendable {
    let files: SpoolFiles
    let limitBytes: Int64
    let groupCommitMilliseconds: Int64
    let state: Mutex<SpoolState>
    let writerWakeup = Wakeup()
    let readerWakeup = Wakeup()
    let readerEnded = Wakeup()
    private let lockDescriptor: Mutex<Int32?>

    init(files: SpoolFiles, limitBytes: Int64, groupCommitMilliseconds: Int, lock: Int32, state: consuming SpoolState) {
        self.files = files
        self.limitBytes = limitBytes
        self.groupCommitMilliseconds = Int64(max(0, groupCommitMilliseconds))
        lockDescriptor = Mutex(lock)
        self.state = Mutex(state)
    }

    deinit { unlock() }

    /// Lets others have the directory.
    func unlock() {
        lockDescriptor.withLock { descriptor in
            if let descriptor { close(descriptor) }
            descriptor = nil
        }
    }

    func wakeReaderToEnd() {
        update { _, _ in }
        // It may also be waiting to try again.
        readerWakeup.post()
    }

    /// Makes a dead letter of a packet that changed on the disk, then counts it as done for the edge.
    func bury(_ packet: SpooledPacket, edge: String) {
        let letter = DeadLetter.damaged(packet.packet, edge: edge)
        let settling = Settling(edge: edge, sequence: packet.sequence, deadLettered: packet.packet.events, dropped: 0)
        let work: @Sendable (Store) throws(SQLiteError) -> Void = { (store) throws(SQLiteError) in try store.insert(letter) }
        submit(
            Job.change(
                Change(size: Int64(packet.packet.bytes.count), settling: settling, work: work) { [self] error in
                    guard error == nil else { return }
                    update { state, _ in
                        state.deadLetters += 1
                        state.note("packet \(packet.packet.id) changed on the disk and is a dead letter for edge \(edge) now")
                    }
                }))
    }

    /// The words for an error of the file.
    func words(_ error: SQLiteError) -> String {
        if error.isFull {
            return "no room for \(files.main): \(error.message); free some space on that disk, the spool then goes on alone"
        }
        return "cannot use \(files.main): \(error); check the disk and the file's owner"
    }

    /// Queues work for the writer and wakes it when it has been waiting for that much.
    func submit(_ job: Job) {
        let outcome = state.withLock { state -> (isClosed: Bool, wakes: Bool) in
            if state.isClosing { return (true, false) }
            state.jobs.append(job)
            state.queuedBytes += job.bytes
            return (false, state.wakesWriter())
        }
        if outcome.isClosed { return job.fail(.closed) }
        if outcome.wakes { writerWakeup.post() }
    }

    /// Queues work for the reader.
    func submit(_ read: Read) {
        let outcome = state.withLock { state -> (isClosed: Bool, wakes: Bool) in
            if state.isClosed { return (true, false) }
            state.reads.append(read)
            return (false, state.wakesReader())
        }
        if outcome.isClosed, case .query(_, let reply) = read { reply(.closed) }
        if outcome.wakes { readerWakeup.post() }
    }

    /// Runs `body` on the state, then wakes whoever got something from it.
    func update<R: Sendable>(_ body: (inout SpoolState, inout [Resumption]) -> R) -> R {
        var resumptions: [Resumption] = []
        let (result, wakesReader, wakesWriter) = state.withLock { state in
            let result = body(&state, &resumptions)
            return (result, state.wakesReader(), state.wakesWriter())
        }
        if wakesReader { readerWakeup.post() }
        if wakesWriter { writerWakeup.post() }
        for resumption in resumptions { resumption.continuation.resume(returning: resumption.packet) }
        return result
    }
}

extension SpoolState {
    /// Acknowledgements that make the writer write them at once.
    static let manyAcknowledgements = 512

    /// Whether the writer sleeps and has enough to do now; it counts as awake from then on.
    mutating func wakesWriter() -> Bool {
        guard let enough = writerSleepsUntil else { return false }
        // The first acknowledgement sets the writer's alarm; many are written at once.
        let isFirst = enough == 1 && !hasAlarm
        let acknowledged = acknowledgementsSince != nil && (isFirst || deletes.count >= Self.manyAcknowledgements)
        guard jobs.count >= enough || queuedBytes >= Self.enoughBytes || isClosing || acknowledged else { return false }
        writerSleepsUntil = nil
        return true
    }

    /// Whether the reader sleeps and has something to do now; it counts as awake from then on.
    mutating func wakesReader() -> Bool {
        guard readerSleeps, !reads.isEmpty || isClosed else { return false }
        readerSleeps = false
        return true
    }
}
