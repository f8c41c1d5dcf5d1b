import HTTP
import IDF
import ServiceKernel
import Workflow

extension GatewayHandler {
    /// Sends a packet, or an event given as a bare object, through a chain of experts and answers what comes out.
    func enrich(_ request: HTTPRequest) async throws(Problem) -> HTTPResponse {
        let head = request.head
        let media = (head.header("Content-Type") ?? "").prefix { $0 != ";" }.lowercased()
        guard ["application/json", Packet.mediaType].contains(media) else {
            throw Problem(415, "media-type", "found \"\(media.prefix(80))\", wanted application/json or \(Packet.mediaType)")
        }
        guard head.header("Content-Encoding") ?? "identity" == "identity" else {
            throw Problem(415, "content-encoding", "one event is small: send it as it is")
        }
        let nodes = try chain(head.query.first { $0.name == "chain" }?.value ?? "all")
        let isPacket: Bool
        var packet: Packet
        do throws(PacketProblems) { (packet, isPacket) = try read(request.body) } catch { return .problems(error.problems) }
        guard packet.reports.isEmpty else {
            throw Problem(422, "no-event", "experts work on events; reports are for POST /v1/reports", pointer: "/data")
        }
        for node in nodes {
            packet = try await step(packet, node)
            guard isPacket || !packet.events.isEmpty else {
                throw Problem(422, "dropped", "the node \(node.name) drops this event, so nothing comes out of the chain")
            }
        }
        if isPacket || head.header("Accept")?.contains(Packet.mediaType) == true {
            return HTTPResponse(status: 200, headers: [("Content-Type", Packet.mediaType)], body: packet.encoded() + [0x0A])
        }
        var body: [UInt8] = []
        packet.events.first?.encodeAttributes(into: &body)
        return HTTPResponse(status: 200, headers: [("Content-Type", "application/json")], body: body + [0x0A])
    }

    private func chain(_ name: String) throws(Problem) -> [Graph.Node] {
        let chains = gateway.edition.chains.all
        if let found = chains.first(where: { $0.name == name }) { return found.nodes }
        let names = chains.map(\.name).joined(separator: ", ")
        throw Problem(
            404, "no-chain",
            "no chain \"\(name.prefix(80))\" in the workflow (there are: \(names)); x-intelmq-chains at the graph's root makes some"
        )
    }

    private func read(_ body: [UInt8]) throws(PacketProblems) -> (Packet, isPacket: Bool) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: body) } catch {
            throw PacketProblems([Problem(400, "malformed-json", "\(error)", line: error.line, column: error.column)])
        }
        guard value["data"] != nil else { return (try BareEvent.packet(value), false) }
        do throws(PacketError) {
            return (try Packet(decoding: body, eventLimit: gateway.configuration.limits.events), true)
        } catch {
            throw PacketProblems(error.problems)
        }
    }

    /// One expert's work.
    private func step(_ packet: Packet, _ node: Graph.Node) async throws(Problem) -> Packet {
        let request = request(
            .post, to: node, "/v1/packets",
            headers: [("Content-Type", Packet.mediaType), ("Prefer", "return=representation")], body: packet.encoded())
        let answer: HTTPClientResponse
        do throws(HTTPClientError) { answer = try await gateway.client.send(request) } catch {
            throw away(node, "\(error)")
        }
        guard answer.status == 200 else {
            let found = (try? JSONValue(parsing: answer.body))?["errors"]?.items?.first
            guard let code = found?["code"]?.string, (400..<600).contains(answer.status) else {
                throw strange(node, "answered \(answer.status) and no packet")
            }
            // Who the gateway is to its nodes is its own business, not the caller's.
            guard answer.status != 401, answer.status != 403 else {
                throw Problem(
                    502, "not-let-in", "the node \(node.name) does not know the gateway's token: set token: of the gateway")
            }
            throw Problem(
                answer.status, code, "\(node.name): \(found?["detail"]?.string ?? "")",
                pointer: found?["source"]?["pointer"]?.string)
        }
        do throws(PacketError) {
            return try Packet(decoding: answer.body, eventLimit: gateway.configuration.limits.events)
        } catch {
            throw strange(node, "answered no packet (\(error.problems.first?.detail ?? ""))")
        }
    }
}
