import HTTP
import IDF
import ServiceKernel
import Workflow
import YAML

extension GatewayHandler {
    /// The document of a generation, or of the one in force.
    func document(_ value: String?, _ head: HTTPRequestHead) throws(Problem) -> HTTPResponse {
        let number = try value.map { value throws(Problem) in try generation(value) } ?? gateway.edition.number
        guard let text = gateway.generations.text(number) else { throw Self.noGeneration(number) }
        let headers = [("ETag", "\"\(number)\""), ("Cache-Control", "no-store")]
        guard let mask = try? SecretMask(text, roster: gateway.roster), let shown = mask.masked else {
            throw Problem(
                503, "not-shown",
                "the document holds a secret in a way that cannot be masked; it is in \(gateway.generations.path(number))")
        }
        if head.header("Accept")?.contains("json") == true, let json = try? SecretMask(shown, roster: gateway.roster).json {
            return HTTPResponse(
                status: 200, headers: headers + [("Content-Type", "application/json")], body: Array(json.pretty().utf8) + [0x0A])
        }
        return HTTPResponse(status: 200, headers: headers + [("Content-Type", "application/yaml")], body: shown)
    }

    private func generation(_ value: String) throws(Problem) -> Int {
        guard let number = Int(value), number > 0 else {
            throw Problem(
                404, "no-generation", "found \"\(value.prefix(40))\", wanted the number of a generation (GET /v1/generations)")
        }
        return number
    }

    private static func noGeneration(_ number: Int) -> Problem {
        Problem(404, "no-generation", "no generation \(number); GET /v1/generations lists them")
    }

    /// Puts the graph of a request in force.
    func edit(_ request: HTTPRequest, by caller: String) async throws(Problem) -> HTTPResponse {
        guard let match = request.head.header("If-Match") else {
            throw Problem(
                428, "no-if-match",
                "say which generation this was made of: the header  If-Match: \"\(gateway.edition.number)\"  (GET shows it as ETag)"
            )
        }
        return try await answer { () throws(Problems) in
            let text = try self.text(request)
            return try await self.gateway.change(to: text, from: try self.expected(match), by: caller, change: "put")
        }
    }

    /// Puts a generation in force again.
    func restore(_ value: String?, _ head: HTTPRequestHead, by caller: String) async throws(Problem) -> HTTPResponse {
        let number = try generation(value ?? "")
        guard let text = gateway.generations.text(number) else { throw Self.noGeneration(number) }
        return try await answer { () throws(Problems) in
            let expected = try head.header("If-Match").flatMap { match throws(Problems) in try self.expected(match) }
            return try await self.gateway.change(to: text, from: expected, by: caller, change: "restored from \(number)")
        }
    }

    /// What a graph would change.
    func plan(_ request: HTTPRequest) throws(Problem) -> HTTPResponse {
        do throws(Problems) {
            let graph = try gateway.edition(of: try text(request), number: gateway.edition.number + 1).graph
            let plan = Plan(graph, fleet: gateway.fleet, roster: gateway.roster)
            return .json(.object(["meta": .object(["generation": .integer(gateway.edition.number), "plan": plan.json])]))
        } catch {
            return .problems(error.problems)
        }
    }

    private func answer(_ change: () async throws(Problems) -> Plan) async throws(Problem) -> HTTPResponse {
        var answer: HTTPResponse
        do throws(Problems) {
            let plan = try await change()
            answer = .json(
                .object([
                    "meta": .object([
                        "generation": .integer(gateway.edition.number), "plan": plan.json, "draining": gateway.draining,
                    ])
                ]))
        } catch {
            answer = .problems(error.problems)
        }
        answer.headers.append(("ETag", "\"\(gateway.edition.number)\""))
        return answer
    }

    /// The generation of an If-Match header; nil for `*`.
    private func expected(_ match: String) throws(Problems) -> Int? {
        if match == "*" { return nil }
        guard let number = Int(match.filter { $0 != "\"" }) else {
            throw gateway.conflict("If-Match is \(match.prefix(40)), and generation \(gateway.edition.number) is in force")
        }
        return number
    }

    /// The document of a request, with the secrets that are masked in it.
    private func text(_ request: HTTPRequest) throws(Problems) -> [UInt8] {
        let media = (request.head.header("Content-Type") ?? "").prefix { $0 != ";" }.lowercased()
        guard Route.yaml.contains(media) else {
            throw Problems([
                Problem(415, "media-type", "found \"\(media.prefix(80))\", wanted \(Route.yaml.joined(separator: " or "))")
            ])
        }
        let mask: SecretMask
        do throws(YAMLError) { mask = try SecretMask(request.body, roster: gateway.roster) } catch {
            throw Problems([
                Problem(422, "malformed-yaml", error.message, line: error.mark?.line, column: error.mark?.column)
            ])
        }
        let current = gateway.generations.text(gateway.edition.number).flatMap { try? SecretMask($0, roster: gateway.roster) }
        return try mask.unmasked(by: current)
    }
}
