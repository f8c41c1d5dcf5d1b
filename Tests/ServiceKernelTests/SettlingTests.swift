import IDF
import ServiceKernelTesting
import Spool
import TestSupport
import Testing

@testable import ServiceKernel

/// A packet of the spool and the dead letters that come of it: both are done, or none.
@Suite struct SettlingTests {
    let folder = TemporaryFolder()

    @Test func letterAndAcknowledgementAreOneTransaction() async throws {
        let channel = RecordingChannel.refusing { $0[Key<String>("message")] == "bad" }
        let service = try service("obedient-expert", edges: [("a", channel)], state: folder) { $0.ack = .durable }
        let pump = Task { await service.pump(service.edges[0]) }
        for round in 1...20 {
            #expect(await service.take(packet("good", "bad")).status == 202)
            // What a kill at the first moment that the letter is on the disk would leave.
            while try Spool.countDeadLetters(in: folder.path) < round { await Task.yield() }
            let left = try Spool.inspect(directory: folder.path)
            #expect(left.edges.first?.backlogPackets == 0, "the packet would come again, and its letter with it")
            #expect(left.edges.first?.deadLetteredEvents == round)
        }
        await service.close()
        await pump.value
    }

    @Test func noLetterBeforeTheRestIsDelivered() async throws {
        let channel = RecordingChannel { packet, attempt in
            let messages = packet.events.compactMap { $0[Key<String>("message")] }
            if messages.contains("bad") { return .refused(status: 422, "it is bad") }
            return attempt < 12 ? .later("not yet", afterSeconds: nil) : .delivered
        }
        let service = try service("obedient-expert", edges: [("a", channel)], state: folder) { $0.ack = .durable }
        #expect(await service.take(packet("bad", "good")).status == 202)
        let pump = Task { await service.pump(service.edges[0]) }
        #expect(await eventually { service.spool?.status().packets == 0 })
        let letters = try await #require(service.spool).deadLetters(limit: 10, after: nil).map(\.letter)
        #expect(letters.count == 1 && letters.first?.tries ?? 0 > 1, "one letter, of the last try")
        #expect(channel.messages == ["good"])
        #expect(await eventually { service.metrics.page().contains("intelmq_events_dead_lettered_total{code=\"malformed\"} 1") })
        await service.close()
        await pump.value
    }

    @Test func aRelayKeepsNoLetterOfAPacketThatComesAgain() async throws {
        let channel = RecordingChannel { packet, _ in
            let messages = packet.events.compactMap { $0[Key<String>("message")] }
            return messages.contains("bad") ? .refused(status: 422, "it is bad") : .later("not yet", afterSeconds: nil)
        }
        let service = try service("obedient-expert", edges: [("a", channel)], state: folder)
        #expect(await service.take(packet("bad", "good")).status == 503)
        #expect(service.deadLetterSpool?.deadLetterCount() ?? 0 == 0)
        await service.close()
    }
}
