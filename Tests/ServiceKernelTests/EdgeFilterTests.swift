import Conditions
import Glibc
import IDF
import ServiceKernelTesting
import TestSupport
import Testing

@testable import ServiceKernel

/// Which events go over an edge.
@Suite(.timeLimit(.minutes(3))) struct EdgeFilterTests {
    private func event(_ port: Int, tlp: String? = nil) -> Event {
        var event = Event(id: .v7())
        _ = event.add(FieldID("source.port")!, text: "\(port)")
        if let tlp { _ = event.add(FieldID("threat.indicator.marking.tlp")!, text: tlp) }
        return event
    }

    private static func lines(_ path: String) -> [String] {
        readFile(path).map { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) } ?? []
    }

    @Test(arguments: ["relay", "durable"]) func eventsGoWhereTheyBelong(_ ack: String) async throws {
        let folder = TemporaryFolder()
        let configuration = try configuration(
            """
            worker: obedient-expert
            ack: \(ack)
            state: \(folder.path)/state
            edges:
              - {to: "file://\(folder.path)/all", name: all}
              - {to: "file://\(folder.path)/web", name: web, when: "source.port in [80, 443]"}
              - {to: "file://\(folder.path)/none", name: none, when: "source.port > 60000"}
              - {to: "file://\(folder.path)/green", name: green, tlp-max: green}

            """)
        let service = try Service(
            configuration, edges: try ServiceRunner.edges(of: configuration, client: nil), log: .recording())
        let pumps = service.edges.map { edge in Task { await service.pump(edge) } }
        let events = [event(80), event(25, tlp: "RED"), event(443, tlp: "white"), event(22, tlp: "GREEN")]
        let answer = await service.take(Packet(events: events))
        #expect(answer.isAccepted)
        @Sendable func count(_ name: String) -> Int {
            Self.lines("\(folder.path)/\(name)").reduce(0) {
                $0 + ((try? Packet(decoding: Array($1.utf8), eventLimit: 100))?.events.count ?? 0)
            }
        }
        #expect(await eventually { count("all") == 4 && count("web") == 2 && count("green") == 3 })
        #expect(count("none") == 0)
        if ack == "durable" {
            #expect(await eventually { service.spool?.status().packets == 0 })
            let accounts = service.status["accounts"]?.items ?? []
            #expect(accounts.count == 4)
            for account in accounts {
                #expect(account["is-balanced"]?.bool == true)
                #expect(account["accepted"]?.integer == 4)
            }
            #expect(accounts.first { $0["edge"]?.string == "web" }?["dropped"]?.integer == 2)
            #expect(accounts.first { $0["edge"]?.string == "none" }?["dropped"]?.integer == 4)
        }
        // The same packet again is the same part again: whoever knows its id keeps it once.
        let part = EdgeFilter(when: try Condition("source.port == 80"), ceiling: nil)
        let packet = Outgoing(Packet(events: events))
        let ids = try #require(part.part(of: packet, over: "web")?.meta.id)
        #expect(part.part(of: packet, over: "web")?.meta.id == ids)
        #expect(ids != packet.meta.id)
        await service.close()
        for pump in pumps {
            pump.cancel()
            await pump.value
        }
    }

    @Test(arguments: [
        ("clear", "CLEAR", true), ("clear", "GREEN", false), ("green", "WHITE", true), ("amber", "AMBER+STRICT", false),
        ("amber+strict", "AMBER", true), ("red", "RED", true), ("amber", "RED", false),
    ]) func ceilingsHold(_ ceiling: String, _ label: String, _ passes: Bool) throws {
        let filter = EdgeFilter(when: nil, ceiling: EdgeFilter.TLP(rawValue: ceiling))
        #expect(filter.admits(event(1, tlp: label)) == passes)
        #expect(filter.admits(event(1)))
    }

    @Test(arguments: [
        ("when: source.prot == 80", "did you mean"), ("when: \"source.port == \"", "when:"), ("tlp-max: pink", "amber+strict"),
        ("when: \"source.port == \\\"x\\\"\"", "test.yaml:2:"), ("whem: x", "when"),
    ]) func mistakesAreNamed(_ member: String, _ part: String) {
        let text = complaint("worker: obedient-expert\nedges: [{to: \"http://127.0.0.1:9\", \(member)}]\n")
        #expect(text.contains(part), "\(text)")
    }
}
