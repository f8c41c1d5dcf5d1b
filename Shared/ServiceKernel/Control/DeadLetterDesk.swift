import IDF
import Logging
import Spool

/// What people do with dead letters: look, mend, send again, throw away.
struct DeadLetterDesk: Sendable {
    let service: Service

    /// What became of sending one again.
    enum Replayed: Sendable, Equatable {
        /// It went through, and the letter is gone; in a dry run: it would.
        case done
        /// It failed again: the letter is kept, with the new reason.
        case failed(String)
        /// Not now: nothing answers, or the service stops. The letter is kept as it was.
        case notNow(String)
    }

    func list(_ filter: DeadLetterFilter, limit: Int, after: Int64?) async throws(Rejection) -> (
        letters: [StoredDeadLetter], total: Int
    ) {
        guard let spool = try spool() else { return ([], 0) }
        do throws(SpoolError) {
            return (
                try await spool.deadLetters(filter, limit: limit, after: after), try await spool.countDeadLetters(filter)
            )
        } catch { throw .unavailable("\(error)") }
    }

    /// Nil where nothing was ever kept.
    private func spool() throws(Rejection) -> Spool? {
        guard service.configuration.state != nil else {
            throw .missing("\(service.configuration.name) keeps no dead letters: its configuration has no state: folder")
        }
        return service.deadLetterSpool
    }

    func find(_ id: Int64) async throws(Rejection) -> StoredDeadLetter {
        let found: StoredDeadLetter?
        let spool = try spool()
        do throws(SpoolError) { found = try await spool?.deadLetter(id) } catch { throw .unavailable("\(error)") }
        guard let found else { throw .missing("no dead letter \(id) at \(service.configuration.name)") }
        return found
    }

    /// Replaces the original of a letter by one that a person has mended; it is sent again only when asked for.
    func edit(_ id: Int64, _ original: [UInt8]) async throws(Rejection) {
        let stored = try await find(id)
        var letter = stored.letter
        letter.original = original
        _ = try Self.packet(letter)
        try await replace(id, letter)
        service.log.notice("dead letter edited", metadata: ["id": "\(id)"])
    }

    private func replace(_ id: Int64, _ letter: DeadLetter) async throws(Rejection) {
        let spool = try spool()
        do throws(SpoolError) { _ = try await spool?.replaceDeadLetter(id, with: letter) } catch {
            throw .unavailable("\(error)")
        }
    }

    /// Deletes letters; answers how many there were.
    func delete(_ ids: [Int64]) async throws(Rejection) -> Int {
        guard let spool = try spool() else { return 0 }
        do throws(SpoolError) {
            let count = try await spool.deleteDeadLetters(ids)
            service.log.notice("dead letters deleted", metadata: ["count": "\(count)"])
            return count
        } catch { throw .unavailable("\(error)") }
    }

    /// Keeps letters that were written elsewhere.
    func add(_ letters: [DeadLetter]) async throws(Rejection) {
        guard await service.bury(letters) else { throw .unavailable("the dead letters cannot be kept; see the log") }
    }

    /// Sends one again the way it was going: what could not be processed comes in anew, what an edge refused goes over that edge.
    /// - Parameter dry: only tries whether it would work: nothing is forwarded and the letter stays.
    func replay(_ stored: StoredDeadLetter, dry: Bool) async throws(Rejection) -> Replayed {
        let letter = stored.letter
        let edge = try letter.edge.map { (name) throws(Rejection) in try self.edge(name) }
        let outcome: Replayed
        do throws(Rejection) {
            let packet = try Self.packet(letter)
            outcome = if let edge { await send(packet, over: edge, dry: dry) } else { try await process(packet, dry: dry) }
        } catch {
            return try await settle(stored, error.isTemporary ? .notNow(error.detail) : .failed(error.detail), dry)
        }
        return try await settle(stored, outcome, dry)
    }

    private func settle(_ stored: StoredDeadLetter, _ outcome: Replayed, _ dry: Bool) async throws(Rejection) -> Replayed {
        guard !dry else { return outcome }
        switch outcome {
        case .done: _ = try await delete([stored.id])
        case .failed(let why):
            var letter = stored.letter
            letter.tries += 1
            letter.lastTime = Timestamp.now().nanoseconds / 1_000_000
            letter.detail = why
            try await replace(stored.id, letter)
        case .notNow: break
        }
        return outcome
    }

    private func edge(_ name: String) throws(Rejection) -> Edge {
        guard let edge = (service.edges + service.ending).first(where: { $0.name == name }) else {
            throw .missing("\(service.configuration.name) has no edge \(name) any more; edges: \(service.edges.map(\.name))")
        }
        return edge
    }

    private func send(_ packet: Packet, over edge: Edge, dry: Bool) async -> Replayed {
        if dry { return .done }
        switch await edge.channel.send(Outgoing(packet)) {
        case .delivered: return .done
        case .refused(let status, let why): return .failed("edge \(edge.name) answered \(status): \(why)")
        case .later(let why, _): return .notNow(why)
        }
    }

    private func process(_ packet: Packet, dry: Bool) async throws(Rejection) -> Replayed {
        // Tried before it comes in: what fails again must not become a second letter.
        if case .output = service.role {
            if dry { return .done }
        } else {
            _ = try service.represent(packet)
        }
        if dry { return .done }
        let answer = await service.take(packet, started: .now)
        guard answer.isAccepted else {
            let why = answer.problems.map(\.detail).joined(separator: "; ")
            return answer.status >= 500 || answer.status == 429 ? .notNow(why) : .failed(why)
        }
        // An output says only now what it does not take, and has made a new letter of it.
        return .done
    }

    /// The letter's original as a packet with an identity of its own: the old one may be known as delivered.
    static func packet(_ letter: DeadLetter) throws(Rejection) -> Packet {
        do {
            switch letter.mediaType {
            case "application/json":
                let event = String(decoding: letter.original, as: UTF8.self)
                let text = #"{"meta":{"format-name":"IntelMQ-IDF","version":"3.1"},"data":["# + event + "]}"
                return try Packet(decoding: Array(text.utf8))
            case Packet.mediaType:
                var packet = try Packet(decoding: letter.original, eventLimit: .max)
                packet.meta.id = .v7()
                return packet
            default: return Packet(reports: [Report(content: letter.original)])
            }
        } catch {
            throw .malformed(error.problems.map(\.description).joined(separator: "; "))
        }
    }
}

extension DeadLetter {
    /// The letter for programs: a JSON:API resource.
    func resource(_ id: Int64) -> JSONValue {
        func time(_ milliseconds: Int64) -> JSONValue {
            .string(Timestamp(nanoseconds: milliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue).description)
        }
        var attributes: [JSONValue.Member] = [
            .init("code", .string(code)), .init("detail", .string(detail)), .init("worker", .string(worker)),
            .init("edge", edge.map { .string($0) } ?? .null), .init("event", .string(eventID)),
            .init("packet", .string(packetID)), .init("tries", .integer(tries)), .init("first-time", time(firstTime)),
            .init("last-time", time(lastTime)), .init("media-type", .string(mediaType)),
        ]
        attributes.append(.init("excerpt", .string(excerpt)))
        if let text = String(validating: original, as: UTF8.self) {
            attributes.append(.init("original", .string(text)))
        } else {
            attributes.append(.init("original-base64", .string(Base64.encode(original))))
        }
        return .object([
            "type": .string("dead-letter"), "id": .string(String(id)), "attributes": .object(attributes),
        ])
    }

    /// What a person recognises the letter by: the beginning of the original, of a report its last line.
    private var excerpt: String {
        var bytes = original[...]
        if mediaType == Packet.mediaType, let content = try? Packet(decoding: original, eventLimit: .max).reports.first?.content {
            bytes = content.array[...]
            while bytes.last == 0x0A { bytes = bytes.dropLast() }
            if let line = bytes.lastIndex(of: 0x0A) { bytes = bytes[(line + 1)...] }
        }
        return String(decoding: bytes.prefix(160), as: UTF8.self)
    }
}
