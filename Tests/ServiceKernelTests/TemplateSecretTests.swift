import IDF
import ServiceKernelTesting
import Testing
import YAML

@testable import ServiceKernel

/// Secrets from files: they reach the worker and nobody else.
@Suite struct TemplateSecretTests {
    private let folder = TemporaryFolder()
    private let secret = "hunter2-correct-horse"
    private let path: String

    init() { path = folder.write(Array("\(secret)\r\n".utf8), to: "secret") }

    private func text(_ settings: String) -> String {
        "worker: obedient-expert\nvars: {key: '{{ file(\"\(path)\") }}'}\nsettings: {\(settings)}\n"
    }

    @Test func theWorkerHasItAndNobodyElse() throws {
        let read = try configuration(text("words: 'https://x/?a={{ vars.key }}&b=1', token: \"{{ file('\(path)') }}\""))
        let worker = try #require(read.worker as? ObedientExpert)
        #expect(worker.words == "https://x/?a=\(secret)&b=1")
        #expect(worker.token?.revealed == secret)
        let shown = read.shown.pretty()
        #expect(!shown.contains(secret), "\(shown)")
        #expect(shown.contains("https://x/?a=***&b=1"), "\(shown)")
        #expect(!"\(read.maskedSettings)".contains(secret))
    }

    @Test(arguments: [
        "pause: '{{ vars.key }}'", "amount: 'x{{ vars.key }}'", "table: {a: '{{ vars.key }}'}", "fields: ['{{ vars.key }}']",
        "pause: 'before before before before before before before before {{ vars.key }}'",
    ]) func noMessageShowsIt(_ settings: String) {
        let found = complaint(text(settings))
        #expect(!found.isEmpty)
        #expect(!found.contains("hunter2") && !found.contains("correct"), "\(found)")
        #expect(found.contains("setting "), "\(found)")
    }

    @Test func itStandsOnlyInSettings() {
        for member in ["name: '{{ vars.key }}'", "edges: [{to: 'http://{{ vars.key }}'}]", "worker: '{{ vars.key }}'"] {
            let base = member.hasPrefix("worker") ? "" : "worker: obedient-expert\n"
            let found = complaint("\(base)vars: {key: '{{ file(\"\(path)\") }}'}\n\(member)\n")
            #expect(found.contains("a secret can stand only below settings:"), "\(found)")
            #expect(!found.contains(secret))
        }
    }

    @Test func whatIsLeftOfASecretIsNotShownEither() {
        let problem = SettingProblem("found \"hunter2-correct\" in it", help: "try \(secret)")
        #expect(problem.without([secret]).message == "its value will not do; it holds a secret and is not shown")
        let whole = SettingProblem("cannot open \(secret)", help: "is \(secret) there?").without([secret])
        #expect(whole.message == "cannot open ***" && whole.help == "is *** there?")
        #expect(SettingProblem("a cat").without(["c"]).message.contains("not shown"))
        #expect(SettingProblem("fine").without([secret]).message == "fine")
    }

    @Test func aChangedSecretIsAChangedConfiguration() async throws {
        let text = text("words: '{{ vars.key }}'")
        let first = try configuration(text)
        let same = try configuration(text)
        #expect(first.edition == same.edition && first.settingsEdition == same.settingsEdition)
        let service = try Service(first, edges: [], log: .recording(RecordedLines())) { () throws(ConfigurationError) in
            try configuration(text)
        }
        #expect(try await service.reload() == false)
        folder.write(Array("another".utf8), to: "secret")
        #expect(try await service.reload())
        #expect((service.configuration.worker as? ObedientExpert)?.words == "another")
        await service.close()
    }
}
