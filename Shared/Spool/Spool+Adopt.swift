import Threads

/// The spools of processes that are no more.
extension Spool {
    /// Takes over what the spool in another folder holds, and removes that spool.
    ///
    /// Its packets are appended here for those edges only that have not acknowledged them; an edge that is not in the graph here is
    /// kept with its backlog, like one that left it. Its dead letters are kept here. Taken also beyond the limit, which then refuses
    /// new packets until some are delivered. Only when all is synced here the other spool's files are removed, and its folder when
    /// nothing else is in it. Killed in the middle and done again nothing is lost, and what is here already is known by its id.
    ///
    /// - Returns: the packets and dead letters taken over; (0, 0) when there is no spool, or a process has it open.
    ///
    /// Throws `.disk` when the other spool cannot be read or this one cannot be written: both go on and it can be tried again;
    /// `.closed` is told as `.disk` too when it happens in the middle.
    public func adopt(from directory: String) async throws(SpoolError) -> (packets: Int, deadLetters: Int) {
        let adopter = Adopter(core: core, other: SpoolFiles(directory: directory))
        typealias Answer = CheckedContinuation<Result<Adoption.Outcome, SpoolError>, Never>
        let result = await withCheckedContinuation { (continuation: Answer) in
            guard !startThread({ continuation.resume(returning: adopter.run()) }) else { return }
            let words = "cannot start a thread to adopt \(directory); raise the limit of threads"
            continuation.resume(returning: .failure(.disk(words)))
        }
        let outcome = try result.get()
        return (outcome.packets, outcome.deadLetters)
    }
}
