import IDF

/// A packet that is taken must come out as it went in, whatever workers read in it and write to it.
func fuzzPacket(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    guard let packet = try? Packet(decoding: array(bytes, count)) else { return }
    let first = packet.encoded()
    let again = decoded(first)
    expect(again.encoded() == first, "another packet after the second reading: \(shown(first))")
    expect(again.events.count == packet.events.count && again.reports.count == packet.reports.count, "another number of events")
    for (one, other) in zip(packet.events, again.events) {
        expect(one.id == other.id, "another id")
        expect(one.fingerprint(ignoring: []) == other.fingerprint(ignoring: []), "another fingerprint: \(shown(one.encoded()))")
    }
    for (one, other) in zip(packet.reports, again.reports) {
        expect(one.id == other.id && one.content.array == other.content.array, "another report")
    }
    var settled = packet
    settled.settle()
    expect(settled.encoded() == first, "another packet after settling")
    for (index, event) in packet.events.prefix(16).enumerated() {
        readEverything(event, all: index == 0)
        change(event, packet)
    }
}

/// What one service writes, the next one must read.
/// - Parameter isGrown: whether something was added, so that there may be more members than a packet may have.
@discardableResult
func decoded(_ bytes: [UInt8], isGrown: Bool = false) -> Packet {
    do {
        return try Packet(decoding: bytes)
    } catch {
        let bounds = ["too-many-members", "too-many-values"]
        if isGrown, error.problems.allSatisfy({ bounds.contains($0.code) }) { return Packet() }
        fatalError("what was written cannot be read: \(error.description.prefix(1000)): \(shown(bytes))")
    }
}

private func readEverything(_ event: Event, all: Bool) {
    let fields = all ? Field.all.compactMap { FieldID($0.name) } : event.fields
    var out: [UInt8] = []
    for field in fields {
        read(event, Key<String>(named: field.name))
        read(event, Key<Int>(named: field.name))
        read(event, Key<UInt32>(named: field.name))
        read(event, Key<Double>(named: field.name))
        read(event, Key<Bool>(named: field.name))
        read(event, Key<IPAddress>(named: field.name))
        read(event, Key<IPNetwork>(named: field.name))
        read(event, Key<Timestamp>(named: field.name))
        _ = event.json(field)
        _ = event.text(field)
        _ = event.appendFirst(field, to: &out)
        _ = event.firstInteger(field)
    }
    for root in ["custom", "n6", "misp", "idea"] {
        // Each takes the whole root apart.
        for member in event.freeMembers(root).prefix(16) {
            expect(event.free(root, member.name) != nil, "no member \(member.name) of \(root)")
        }
    }
    _ = event.originalBytes
    _ = DHO.message(event).bytes
}

private func read<V: FieldValue>(_ event: Event, _ key: Key<V>?) {
    guard let key else { return }
    let values = event.all(key)
    expect(event.aligned(key).compactMap { $0 } == values, "another list")
    expect(event[key] == values.first || !event.has(key.id), "another first value of \(key.name)")
}

/// What experts do: filling beside every address, replacing, removing, adding members of the user.
private func change(_ event: Event, _ packet: Packet) {
    var event = event
    for side in Side.allCases {
        event.enrich(from: side.ip) { event, address, place in
            event.fill(side.asNumber, 64496, at: place)
            event.fill(side.asName, address.description, at: place)
            event.fill(side.network, IPNetwork(address: address, prefixLength: 8), at: place)
        }
    }
    event[Key<String>("message")] = "\u{1}\"\\ä"
    event.setCustom(path: ["a", "b"], to: .integer(1))
    event[custom: "c\\\""] = .array([.null, .boolean(true)])
    if let field = event.fields.first, field != Event.customRoot { event.remove(field) }
    let changed = Packet(meta: packet.meta, events: [event, Event(copying: event)]).encoded()
    let again = decoded(changed, isGrown: true)
    expect(again.events.isEmpty || again.encoded() == changed, "another packet after a change: \(shown(changed))")
}
