import HTTP
import IDF
import ServiceKernel

extension HTTPResponse {
    /// Lists one after the other, each item with its process; counts summed.
    static func merged(_ answers: [(process: Int, answer: HTTPResponse)]) -> HTTPResponse {
        var data: [JSONValue] = []
        var meta: [JSONValue.Member] = []
        var hasData = false
        for (process, answer) in answers {
            guard let value = try? JSONValue(parsing: answer.body) else { continue }
            if let items = value["data"]?.items {
                hasData = true
                data += items.map { .object(($0.members ?? []) + [.init("process", .integer(process))]) }
            }
            for member in value["meta"]?.members ?? [] {
                guard let place = meta.firstIndex(where: { $0.name == member.name }) else {
                    meta.append(member)
                    continue
                }
                if let one = meta[place].value.integer, let two = member.value.integer {
                    meta[place].value = .integer(one + two)
                } else if let one = meta[place].value.items, let two = member.value.items {
                    meta[place].value = .array(one + two)
                }
            }
        }
        return .json(.object((hasData ? [.init("data", .array(data))] : []) + [.init("meta", .object(meta))]))
    }
}
