import ServiceKernel
import ServiceKernelTesting
import Testing
import YAML

/// The case runner must fail what is wrong, else all cases prove nothing.
@Suite struct CaseRunnerTests {
    private func run(_ name: String, _ text: String) async throws -> [String] {
        let document = try YAMLDocument.parse(Array(text.utf8), file: "cases.yaml")
        var failures: [String] = []
        for one in try Case.list(document.root, in: document) {
            failures += await CaseRunner(entry(name), here: "/nowhere").run(one)
        }
        return failures
    }

    @Test(arguments: [
        ("obedient-expert", "{title: t, given: {message: a}, expect: {message: a, event.reason: done}}"),
        ("obedient-expert", "{title: t, settings: {words: 5}, given: {message: a}, expect: {message: a, event.reason: '5'}}"),
        (
            "obedient-expert",
            "{title: t, given: {message: a, custom.x.y: [1, {z: 2.5}]}, expect: {message: a, event.reason: done, custom.x.y: [1, {z: 2.5}]}}"
        ),
        (
            "obedient-expert",
            "{title: t, given: [{message: drop}, {message: b}], expect: {message: b, event.reason: done}, drop: told-to}"
        ),
        ("obedient-expert", "{title: t, given: {message: malformed}, reject: the event says so}"),
        ("obedient-expert", "{title: t, settings: {pause: soon}, given: {message: a}, reject: wanted a length of time}"),
        ("obedient-expert", "{title: t, lookup: 192.0.2.1, expect: {source.ip: 192.0.2.1, event.reason: done}}"),
        ("obedient-expert", "{title: t, lookup: nonsense, reject: wanted an IP}"),
        ("obedient-expert", "{title: t, overwrite: true, given: {event.reason: old}, expect: {event.reason: done}}"),
        ("line-parser", "{title: t, given: \"a\\nbad\\n\", expect: [{message: a}], reject: [a bad row]}"),
        (
            "line-parser",
            "{title: t, feed: {threat.feed.name: F}, given: a, expect: [{message: a, threat.feed.name: F, event.original: a}]}"
        ),
        ("line-parser", "{title: t, given-base64: YQo=, keep-original: false, expect: [{message: a}]}"),
        (
            "memory-output",
            "{title: t, settings: {path: '{tmp}/out'}, given: [{message: a}, {message: b}], expect: {file: out, content: \"a\\nb\\n\"}}"
        ),
    ]) func passes(_ name: String, _ text: String) async throws { #expect(try await run(name, "- " + text) == []) }

    @Test(arguments: [
        (
            "obedient-expert", "{title: t, given: {message: a}, expect: {message: a}}",
            "event.reason is \"done\", expected nothing"
        ),
        (
            "obedient-expert", "{title: t, given: {message: a}, expect: {message: b, event.reason: done}}",
            "message is \"a\", expected \"b\""
        ),
        (
            "obedient-expert", "{title: t, given: {message: a}, expect: {message: a, event.reason: done, tags: x}}",
            "tags is not there"
        ),
        ("obedient-expert", "{title: t, given: {message: a}, expect: []}", "1 events came out, expected 0"),
        ("obedient-expert", "{title: t, given: {message: drop}, reject: x}", "nothing was rejected"),
        ("obedient-expert", "{title: t, given: {message: drop}, drop: other}", "dropped: told-to"),
        ("obedient-expert", "{title: t, given: {message: malformed}, expect: []}", "rejected: malformed"),
        ("obedient-expert", "{title: t, given: {source.ip: x}, expect: []}", "given is no event"),
        ("obedient-expert", "{title: t, settings: {wrds: x}, given: {message: a}, expect: []}", "did you mean \"words\"?"),
        (
            "obedient-expert",
            "{title: t, given: {message: undeclared}, expect: {message: undeclared, event.reason: done, event.action: surprise}}",
            "event.action was written, but"
        ),
        ("line-parser", "{title: t, given: bad, expect: []}", "rejected: line 1: a bad row"),
        (
            "memory-output", "{title: t, settings: {path: '{tmp}/out'}, given: {message: a}, expect: {file: out, content: b}}",
            "out, line 1 is a, expected b"
        ),
        ("memory-output", "{title: t, given: {message: a}, expect: {file: out, content: b}}", "the file out is not there"),
    ]) func fails(_ name: String, _ text: String, _ part: String) async throws {
        let failures = try await run(name, "- " + text)
        #expect(failures.contains { $0.contains(part) }, "\(failures)")
        #expect(failures.first?.contains("cases.yaml:1 t") == true)
    }

    @Test(arguments: [
        "[]", "{}", "- {given: a, expect: []}", "- {title: t, given: a}", "- {title: t, gven: a, expect: []}", "- 5",
    ])
    func refusesBadCases(_ text: String) async { await #expect(throws: CaseError.self) { try await run("line-parser", text) } }

    @Test func theKernelsOwnWorkersConform() async {
        for name in testRoster.names { #expect(await Conformance(entry(name), here: "/nowhere").check() == [], "\(name)") }
    }
}
