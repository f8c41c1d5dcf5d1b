import IDF
import YAML

/// What every worker can show without configuration, network and data: that its documents render and its program holds together.
enum KernelSelfTest {
    static func run(_ worker: RosterEntry) -> [String] {
        var failures: [String] = []
        let sample = Renderer.sample(of: worker)
        do {
            _ = try YAMLDocument.parse(Array(sample.utf8), file: "sample")
        } catch {
            failures.append("the sample configuration is not valid YAML: \(error)")
        }
        let documents = [("schema", Renderer.schema(of: worker)), ("openapi", OpenAPI.document(of: worker))]
        for (name, document) in documents where (try? JSONValue(parsing: document.bytes)) == nil {
            failures.append("the \(name) is not valid JSON")
        }
        if case let expert as any Expert = worker.make(), NamedSetting.all(of: expert).allSatisfy({ !$0.isRequired }) {
            var event = Event()
            do { _ = try expert.process(&event) } catch {
                if error.isTemporary { failures.append("an empty event is refused: \(error)") }
            }
        }
        return failures
    }
}
