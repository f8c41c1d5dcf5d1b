import IDF

private let dhoNames = Field.all.compactMap(\.dho)

/// Values of every field type, times in all spellings, and old messages. The first byte chooses.
func fuzzValues(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    guard let bytes, count > 0 else { return }
    let text = Array(UnsafeBufferPointer(start: bytes + 1, count: count - 1))
    let types = FieldType.allCases
    switch Int(bytes[0]) % (types.count + 3) {
    case let place where place < types.count: sanitise(text, types[place])
    case types.count: times(text)
    case types.count + 1: oldMessage(text)
    default: small(text)
    }
}

/// A value in canonical form must be JSON and stay as it is.
private func sanitise(_ text: [UInt8], _ type: FieldType) {
    var out: [UInt8] = [0x20]
    guard text.withUnsafeBufferPointer({ type.sanitise($0, into: &out) }) else {
        return expect(out == [0x20], "\(type): refused, but something was written")
    }
    let value: JSONValue
    do throws(JSONError) {
        value = try JSONValue(parsing: out, depth: 256)
    } catch {
        return expect(error.message.hasPrefix("nested"), "\(type): no JSON: \(error): \(shown(out))")
    }
    if type == .json { return }
    var again: [UInt8] = [0x20]
    let plain = Array(value.plain.utf8)
    let isTaken = plain.withUnsafeBufferPointer { type.sanitise($0, into: &again) }
    expect(isTaken && again == out, "\(type): not canonical: \(shown(out)) and \(shown(again))")
}

private func times(_ text: [UInt8]) {
    let parts = text.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let format = parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : "%Y-%m-%dT%H:%M:%S%z"
    Array(parts[0]).withUnsafeBufferPointer { view in
        let found = [
            Timestamp(view), Timestamp(fuzzy: view), Timestamp.unixSeconds(view), Timestamp.windowsNT(view),
            Timestamp.epochMillis(view), Timestamp.parse(view, format: format),
            Timestamp.parse(view, format: format, atMidnight: true),
        ]
        let observed = Timestamp(unixSeconds: 1_800_000_000)
        if let time = CivilTime(withoutYear: view, notAfter: observed) {
            let moment = Array(time.description.utf8).withUnsafeBufferPointer { Timestamp($0) }
            expect(moment.map { $0.unixSeconds <= observed.unixSeconds + 86_400 } == true, "a date to come: \(time)")
        }
        for time in [CivilTime.unixSeconds(view), CivilTime.windowsNT(view), CivilTime.epochMillis(view)].compactMap({ $0 }) {
            let again = Array(time.description.utf8).withUnsafeBufferPointer { CivilTime(fuzzy: $0) }
            expect(again == time, "another time: \(time), \(String(describing: again))")
        }
        for time in found.compactMap({ $0 }) {
            let again = Array(time.description.utf8).withUnsafeBufferPointer { Timestamp($0) }
            expect(again == time, "another time: \(time), \(String(describing: again))")
        }
    }
}

/// An old message that is converted must be read by the next service, and come back with the same fields.
private func oldMessage(_ text: [UInt8]) {
    guard let message = try? JSONValue(parsing: text), let event = try? DHO.event(message) else { return }
    decoded(Packet(events: [event]).encoded(), isGrown: true)
    guard (try? DHO.event(DHO.message(event))) != nil else {
        fatalError("an old message cannot be read back: \(shown(DHO.message(event).bytes))")
    }
}

private func small(_ text: [UInt8]) {
    let string = String(decoding: text, as: UTF8.self)
    if let decoded = Base64.decode(text) { expect(Base64.decode(Base64.encode(decoded).utf8) == decoded, "another base64") }
    if let id = UUID(string) { expect(UUID(id.description) == id, "another UUID") }
    if let address = IPAddress(string) { expect(IPAddress(address.description) == address, "another address \(address)") }
    text.withUnsafeBufferPointer { view in
        if let network = IPNetwork(view) {
            let again = Array(network.description.utf8).withUnsafeBufferPointer { IPNetwork($0) }
            expect(again == network, "another network \(network)")
            expect(network.contains(network.address), "a network without its address")
        }
    }
    _ = FieldID(string) ?? DHO.field(string)
    var event = Event()
    if let name = dhoNames.first(where: { string.hasPrefix($0) }) {
        try? DHO.add(name, .string(String(string.dropFirst(name.count))), to: &event)
    }
    event.setOriginal(text)
    expect(text.isEmpty || event.originalBytes == text, "another source line")
    decoded(Packet(events: [event]).encoded(), isGrown: true)
}
