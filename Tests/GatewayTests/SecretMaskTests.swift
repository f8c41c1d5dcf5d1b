import IDF
import ServiceKernel
import Testing
import YAML

@testable import Gateway

/// Secrets of a graph are not shown, and stay what they are when the masked document comes back.
@Suite struct SecretMaskTests {
    struct Keeper: Expert {
        static let spec = Spec("keeper", "Has secrets.")
        @Setting("One.") var password: Secret? = nil
        @Setting("Several.") var headers: [String: Secret] = [:]
        @Setting("None.") var user = ""
        func process(_ event: inout Event) throws(Rejection) -> Verdict { .forward }
    }
    private let roster = Roster([RosterEntry(Keeper.self)])

    private func graph(_ settings: String) -> [UInt8] {
        Array(
            """
            openapi: 3.1.0  # ä
            paths:
              /a: {post: {operationId: a, x-intelmq-worker: {uses: keeper-expert, settings: {user: me, password: plain word}}}}
              /b:
                post:
                  operationId: b
                  x-intelmq-worker:
                    uses: keeper-expert
                    settings:
            \(settings)
              /c: {servers: [{url: "http://me:hidden@192.0.2.1/"}]}

            """.utf8)
    }

    private static let forms = [
        "          password: secret5", "          password: \"se\\\"cret5\"  # why", "          password: 'secret5 '",
        "          user: ü\n          password: secret5", "          {password: secret5, user: x}",
        "          headers: {X-Key: secret5, Accept: cret5}", "          headers:\n            X-Key: secret5\n          user: x",
        "          password: |\n            secret5\n          user: x",
        "          password: >-\n            secret5\n            more",
    ]

    @Test(arguments: forms) func `every form of a secret is masked, and comes back`(_ settings: String) throws {
        let text = graph(settings)
        let mask = try SecretMask(text, roster: roster)
        let shown = String(decoding: try #require(mask.masked), as: UTF8.self)
        for secret in ["secret5", "cret5", "plain word", "hidden"] { #expect(!shown.contains(secret)) }
        #expect(shown.contains("user: me"))
        let back = try SecretMask(try SecretMask(Array(shown.utf8), roster: roster).unmasked(by: mask), roster: roster)
        #expect(back.json == mask.json)
    }

    @Test(arguments: ["password", "username"]) func `a mask without a secret behind it is refused with its place`(_ name: String)
        throws
    {
        let mask = try SecretMask(graph("          \(name): \"***\""), roster: roster)
        do {
            _ = try mask.unmasked(by: nil)
            Issue.record("it was taken")
        } catch {
            #expect(error.problems.count == 1)
            #expect(error.problems[0].line == 10)
        }
    }
}
