import Glibc
import IDF
import ServiceKernelTesting
import Testing
import YAML

@testable import ServiceKernel

/// Variables and secrets in configuration files.
@Suite struct TemplateTests {
    private func worker(_ settings: String, vars: String = "{}", file: String = "test.yaml") throws -> ObedientExpert {
        let text = "worker: obedient-expert\nvars: \(vars)\nsettings:\n  \(settings)\n"
        return try #require(try configuration(text, file: file).worker as? ObedientExpert)
    }

    @Test func valuesTakeTheTypeOfTheirSetting() throws {
        let text = """
            worker: obedient-expert
            vars: {seconds: 7, size: 2 MiB, port: "1234", name: x, on: true, group: {inner-name: deep}}
            threads: "{{ vars.seconds }}"
            listen: "127.0.0.1:{{vars.port}}"
            overwrite: "{{ vars.on }}"
            edges: [{to: "http://{{ vars.host | default('127.0.0.1') }}:1", name: "{{ vars.group.inner-name }}"}]
            settings:
              words: '{{ vars.name }}-{{ vars.absent | default("b") }}-{{ "{{" }}{% raw %}{{ x }}{% endraw %}'
              pause: "{{ vars.seconds }} s"
              amount: "{{ vars.size }}"
              table: {a: "{{ vars.seconds }}", b: "{{ vars.absent | default(8) }}"}
            """
        let read = try configuration(text)
        let worker = try #require(read.worker as? ObedientExpert)
        #expect(read.threads == 7)
        #expect(read.listen == "127.0.0.1:1234")
        #expect(read.overwrite)
        #expect(read.edges.map(\.to) == ["http://127.0.0.1:1/v1/packets"])
        #expect(read.edges.map(\.name) == ["deep"])
        #expect(worker.words == "x-b-{{{{ x }}")
        #expect(worker.pause == Interval(seconds: 7))
        #expect(worker.amount == .mebibytes(2))
        #expect(worker.table == ["a": 7, "b": 8])
    }

    @Test func aValueMakesNoStructureAndNoNull() throws {
        #expect(try worker(#"words: "{{ vars.x }}""#, vars: #"{x: "{a: b}, [c]: #"}"#).words == "{a: b}, [c]: #")
        for text in ["null", "~", ""] { #expect(try worker(#"words: "{{ vars.x }}""#, vars: "{x: '\(text)'}").words == text) }
        // What was put in is not read a second time.
        #expect(try worker(#"words: '{{ "{{" }} vars.x }}'"#).words == "{{ vars.x }}")
        #expect(try worker("words: '{ {single} }'").words == "{ {single} }")
    }

    @Test func environment() throws {
        setenv("INTELMQ_TEST_WORDS", "from outside", 1)
        defer { unsetenv("INTELMQ_TEST_WORDS") }
        #expect(try worker("words: '{{ env.INTELMQ_TEST_WORDS }}'").words == "from outside")
        #expect(try worker("words: '{{ env.INTELMQ_TEST_ABSENT | default(\"x y\") }}'").words == "x y")
        #expect(try worker("words: '{{ vars.a }}'", vars: "{a: '<{{ env.INTELMQ_TEST_WORDS }}>'}").words == "<from outside>")
    }

    @Test func commonVariablesStandBesideTheFolder() throws {
        let folder = TemporaryFolder()
        folder.write(Array("who: common\nwhere: there\n".utf8), to: "vars.yaml")
        let file = "\(folder.path)/config.d/x.yaml"
        #expect(try worker("words: '{{ vars.who }} {{ vars.where }}'", vars: "{who: own}", file: file).words == "own there")
        #expect(complaint("worker: obedient-expert\nname: '{{ vars.who }}'\n", file: "\(folder.path)/x.yaml").contains("unknown"))
        folder.write(Array("a: b: c\n".utf8), to: "vars.yaml")
        let found = complaint("worker: obedient-expert\nname: '{{ vars.who }}'\n", file: file)
        #expect(found.contains("vars.yaml:1") && found.contains("cannot be read"), "\(found)")
        #expect(TemplateRenderer.commonFile(beside: "config.d/x.yaml") == "vars.yaml")
        #expect(TemplateRenderer.commonFile(beside: "/config.d/x.yaml") == "/vars.yaml")
        #expect(TemplateRenderer.commonFile(beside: "x.yaml") == nil)
    }

    @Test func unknownVariable() {
        let text = """
            worker: obedient-expert
            vars: {port: 5, ports: {http: 80}}
            settings:
              words: x
              pause: "{{ vars.prot }} s"
            """
        #expect(
            complaint(text) == """
                error: unknown variable "vars.prot"
                  --> etc/config.d/test.yaml:5:10
                   |  pause: "{{ vars.prot }} s"
                   |         ^^^^^^^^^^^^^^^^^^^  did you mean "vars.port"?   (or give a default: {{ vars.prot | default("…") }})
                """)
    }

    @Test(arguments: [
        ("{{ vars.x", "\"{{\" is not closed"), ("{{", "\"{{\" is not closed"), ("{{ vars.x }", "unexpected \"}\""),
        ("{% raw %}{{", "\"{% raw %}\" is not closed"), ("{{ }}", "unexpected \"}}\""), ("{{ vars. }}", "unexpected"),
        ("{{ vars }}", "unknown name \"vars\""), ("{{ var.x }}", "did you mean \"vars\"?"),
        ("{{ vars.x | defualt('a') }}", "unknown filter \"defualt\""), ("{{ vars.x | }}", "unknown filter \"\""),
        ("{{ vars.x | default }}", "needs a text in parentheses"), ("{{ vars.x | default('a }}", "not closed"),
        ("{{ vars.x | default('a', true) }}", "one text in quotes"), ("{{ file('/x' }}", "one text in quotes"),
        ("{{ file(/x) }}", "one text in quotes"), ("{{ 'a' 'b' }}", "unexpected \"'b' }}\""),
        ("{{ vars.list }}", "vars.list is a list"), ("{{ vars.map }}", "vars.map is a mapping"),
        ("{{ vars.nothing }}", "unknown variable"), ("{{ vars.loop }}", "made of itself"), ("{{ vars.big }}", "bytes"),
        ("{{ env.INTELMQ_TEST_NONE }}", "the environment variable \"INTELMQ_TEST_NONE\" is not set"),
        ("{{ file('/nowhere/x') }}", "cannot read the secret in \"/nowhere/x\": No such file"),
        ("{{ file('/dev/null') }}", "is empty"), ("{{ file('/') }}", "cannot read"),
    ]) func refuses(_ text: String, _ part: String) {
        var vars = "  list: [1]\n  map: {a: b}\n  nothing: ~\n  loop: '{{ vars.loop2 }}'\n  loop2: '{{ vars.loop }}'\n"
        vars += "  a0: '\(String(repeating: "x", count: 100))'\n"
        for level in 1...9 { vars += "  a\(level): '\(String(repeating: "{{ vars.a\(level - 1) }}", count: 10))'\n" }
        vars += "  big: '{{ vars.a9 }}'\n"
        let quoted = String(decoding: JSONValue.string(text).bytes, as: UTF8.self)
        let found = complaint("worker: obedient-expert\nvars:\n\(vars)settings:\n  words: \(quoted)\n")
        #expect(found.contains(part), "\(part) is missing in\n\(found)")
        #expect(found.contains("etc/config.d/test.yaml:20:10"), "\(found)")
    }

    @Test func everyMistakeIsSaidAtOnce() {
        let found = complaint("worker: obedient-expert\nname: '{{ vars.a }}'\nsettings: {words: '{{ vars.b }}'}\n")
        #expect(found.contains("vars.a") && found.contains("vars.b"), "\(found)")
    }
}
